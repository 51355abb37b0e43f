"""The European Central Bank's file of reference rates, in its own form: zip, newest day first, N/A, a last comma."""

import io
import zipfile
from datetime import date, timedelta
from functools import lru_cache
from zlib import crc32

from demo.world import LAST_DAY

FIRST_DAY = date(2024, 12, 30)
USUAL = {"USD": 1.1, "JPY": 160.0, "BGN": 1.9558, "GBP": 0.85, "RUB": 90.0, "IDR": 17_900.0}
QUOTED_UNTIL = {"RUB": date(2025, 3, 3)}
HOLIDAYS = frozenset(
    date.fromisoformat(d) for d in ("2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-12-25", "2025-12-26")
)


def rate(currency: str, day: date) -> str | None:
    """Units for one euro as the file writes them; None on weekends, holidays and when it was not quoted."""
    if day.weekday() > 4 or day in HOLIDAYS or not FIRST_DAY <= day <= LAST_DAY:
        return None
    if day > QUOTED_UNTIL.get(currency, day):
        return None
    if currency == "BGN":
        return "1.9558"
    return (
        f"{USUAL[currency] * (0.97 + crc32(f'{currency}{day}'.encode()) % 61 / 1000):.{2 if currency == 'IDR' else 4}f}"
    )


@lru_cache(maxsize=1)
def history() -> bytes:
    """The zip."""
    lines = [f"Date,{','.join(USUAL)},"]
    for back in range((LAST_DAY - FIRST_DAY).days + 1):
        day = LAST_DAY - timedelta(days=back)
        if rate("USD", day):
            lines.append(f"{day},{','.join(rate(c, day) or 'N/A' for c in USUAL)},")
    return packed("\n".join(lines) + "\n")


def packed(text: str, name: str = "eurofxref-hist.csv") -> bytes:
    """A zip with one file, the same bytes for the same text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(zipfile.ZipInfo(name, (2025, 10, 27, 16, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
