"""Numbers, days and names as people read them. What is unknown is None and has no words here: the page says so."""

import math
from datetime import UTC, date, datetime, timedelta

EPOCH = date(1970, 1, 1)
MANY = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
SOURCES = {
    "GITHUB": "GitHub",
    "NPM": "npm",
    "OPEN_COLLECTIVE": "Open Collective",
    "DEPS_DEV": "deps.dev",
    "OSS_DIRECTORY": "OSS Directory",
    "ECB": "ECB",
    "EVM": "all EVM chains",
    "ANY_EVM": "any EVM chain",
    "MAINNET": "Ethereum",
    "CRATES": "crates.io",
    "PYPI": "PyPI",
    "BOB": "BOB",
}
WINDOWS = {
    "daily": "a day",
    "weekly": "a week",
    "monthly": "a month",
    "quarterly": "a quarter",
    "yearly": "a year",
    "over_30_day_period": "30 days",
    "over_90_day_period": "90 days",
    "over_180_day_period": "180 days",
    "over_all_time": "all time",
}


def exact(amount: float, unit: str) -> str:
    """The whole number with its unit: 1,234 for counts, 12.5 % for ratios, 2.4 d for seconds, a day for epoch_day."""
    if not math.isfinite(amount):
        return "not a number" if math.isnan(amount) else "infinite" if amount > 0 else "minus infinite"
    if unit == "epoch_day":
        return (EPOCH + timedelta(days=int(amount))).isoformat()
    if unit == "ratio":
        return f"{_trim(amount * 100, 1)} %"
    if unit == "seconds":
        return _span(amount)
    if unit in ("count", "score", ""):
        return _trim(amount, 2)
    return f"{_trim(amount, 2 if unit in ('USD', 'days') else 6)} {unit}"


def short(amount: float, unit: str) -> str:
    """The number in at most three digits and a letter, such as 1.2 M; the same as `exact` where that is short."""
    if unit in ("epoch_day", "ratio", "seconds") or not math.isfinite(amount):
        return exact(amount, unit)
    tail = "" if unit in ("count", "score", "") else f" {unit}"
    for size, letter in MANY:
        if abs(amount) >= size * 0.9995:
            return f"{amount / size:.3g} {letter}{tail}".replace("e+03", "000")
    return f"{amount:.3g}{tail}" if 0 < abs(amount) < 1 else f"{_trim(amount, 1)}{tail}"


def change(row: dict) -> str:
    """How the amount moved against the window before: +12 %, unchanged, up from 0; empty where not both are known.

    `row` has amount, previous_amount and unit.
    """
    now, before = row["amount"], row.get("previous_amount")
    if now is None or before is None or not (math.isfinite(now) and math.isfinite(before)):
        return ""
    if row["unit"] == "ratio":
        moved = round((now - before) * 100, 1)
        return f"{_signed(moved)} points" if moved else "unchanged"
    if now == before:
        return "unchanged"
    if before <= 0 or now < 0:
        return f"{'up' if now > before else 'down'} from {short(before, row['unit'])}"
    percent = (now - before) / before * 100
    return f"{_signed(round(percent) if abs(percent) >= 1 else round(percent, 1))} %"


def seen(row: dict) -> str:
    """The sentence behind the mark "partial": how much of what the number needs was seen."""
    share = row.get("coverage")
    if share is None:
        return "Some of what this number needs was not seen."
    return f"{_trim(share * 100, 1)} % of the days this number needs were seen whole; the true value can differ."


def source(name: str) -> str:
    """A source as people call it: GitHub for GITHUB."""
    return SOURCES.get(name, name.replace("_", " ").title())


def window(name: str) -> str:
    """A window in words: 30 days, a week, all time."""
    return WINDOWS.get(name, name.replace("_", " "))


def day(moment: datetime | date) -> str:
    """The day as 2026-11-27, in UTC."""
    return (moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment).isoformat()


def moment(moment: datetime) -> str:
    """The minute as 2026-11-27 01:31 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def link(address: str | None) -> str | None:
    """The address if it leads to the web (http, https); None for all others, such as javascript:."""
    return address if address and address.lower().startswith(("http://", "https://")) else None


def _trim(amount: float, digits: int) -> str:
    text = f"{amount:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if amount and text in ("0", "-0"):  # too small for the digits, but not nothing
        return f"{amount:.2g}"
    return text.replace("-", "−")


def _signed(number: float) -> str:
    return f"{'+' if number > 0 else '−'}{abs(number):,g}"


def _span(seconds: float) -> str:
    for size, letter in SPANS:
        if abs(seconds) >= size:
            return f"{_trim(seconds / size, 1)} {letter}"
    return f"{_trim(seconds, 1)} s"
