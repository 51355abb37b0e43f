"""Daily euro reference rates of the European Central Bank, from its one history file.

Facts that shape this file (checked 2026-11):
- eurofxref-hist.zip holds one csv: `Date`, a column a currency, newest day first, a comma at the end of each line.
- It is rewritten on working days at about 16:00 Frankfurt time and always holds every day since 1999-01-04, so each
  landing is one whole snapshot; nothing is landed while the file is the one landed last.
- Weekends and TARGET holidays have no line, `N/A` stands for a currency that was not quoted. Both stay absent here:
  what converts money takes the last rate of at most 7 days before (the catalogue of metrics, 2.5).
"""

import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

import pyarrow as pa

from include.errors import ContractBroken, SuspectData, Unavailable
from include.http import safe_url
from include.sources.base import (
    Batch,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Unchanged,
    Window,
    column,
    sample_of,
)

LARGEST_ZIP, LARGEST_CSV = 16 << 20, 64 << 20  # bytes; 0.7 and 2.5 million in 2026
LARGEST_RATE = Decimal(10) ** 10
KEEP_AT_LEAST = 0.8  # of the last landing's rates
RATES = Stream(
    name="rates",
    doc="One row per currency and day with a reference rate; weekends and holidays have none.",
    key=("currency", "rate_on"),
    schema=pa.schema(
        [
            column("currency", pa.string(), "ISO 4217 code"),
            column("rate_on", pa.date32(), "Day of the rate, of Frankfurt"),
            column("rate", pa.decimal128(20, 8), "Units of the currency for one euro"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """All rates since 1999 as the file has them now.

    Raises:
        Unavailable: the file is not there, cut or damaged.
        ContractBroken: the csv has no such header.
        SuspectData: less than 80 % of the last landing's rates.
    """
    context.progress(0, 2, "reading the file")
    packed = _download(context)
    sha = hashlib.sha256(packed).hexdigest()
    previous = context.previous
    if previous and not context.force and ("rates", sha) in previous.observed:
        yield Unchanged(f"still the file {sha[:12]}, landed on {previous.day}")
        return
    context.progress(1, 2, "parsing")
    rows, rejected, days, rated = parse_csv(_unpack(packed, context))
    before = max(previous.observed.values(), default=0) if previous else 0
    if len(rows) < KEEP_AT_LEAST * before and not context.allow_shrink:
        raise SuspectData(
            f"ecb_rates: {len(rows):,} rates, below 80 % of the last landing's {before:,}. Kept the last good "
            "snapshot. If the drop is real, land it with allow_shrink=true."
        )
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, RATES.schema, strict=True)]
    yield Batch("rates", pa.record_batch(arrays, schema=RATES.schema))
    yield from rejected
    for currency, count in sorted(rated.items()):
        reason = f"not quoted on {days - count} days of the file" if count < days else None
        yield Coverage("rates", currency, days, count, "complete", reason)
    yield Coverage("rates", sha, None, len(rows), "complete", f"{len(rejected)} cells rejected" if rejected else None)
    context.progress(2, 2, f"{len(rows):,} rates")


def _download(context: Context) -> bytes:
    url = context.connection.urls[0]
    with context.http.open(url) as body:
        if body is None:
            raise ContractBroken(
                f"ecb_rates: nothing is at {safe_url(url)}. Check AIRFLOW_CONN_ECB_RATES; the last snapshot was kept."
            )
        packed, block = bytearray(), b""
        try:
            while len(packed) <= LARGEST_ZIP and (block := body.read(1 << 20)):
                packed += block
        except EOFError as error:
            raise Unavailable(f"ecb_rates: {safe_url(url)} broke off; the task fetches it again.") from error
    if len(packed) > LARGEST_ZIP:
        raise ContractBroken(f"ecb_rates: {safe_url(url)} is larger than {LARGEST_ZIP >> 20} MiB; check the address.")
    return bytes(packed)


def _unpack(packed: bytes, context: Context) -> str:
    """The one csv of the zip."""
    place = safe_url(context.connection.urls[0])
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            names = [n for n in files.namelist() if n.lower().endswith(".csv")]
            if len(names) != 1:
                raise ContractBroken(f"ecb_rates: {place} holds {len(names)} csv files, not one; check the address.")
            with files.open(names[0]) as body:
                text = body.read(LARGEST_CSV + 1)
        if len(text) > LARGEST_CSV:
            raise ContractBroken(f"ecb_rates: the csv of {place} is larger than {LARGEST_CSV >> 20} MiB.")
        return text.decode("utf-8-sig")
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise Unavailable(
            f"ecb_rates: {place} is cut, damaged or no zip ({str(error)[:80]}). The task fetches it again; the last "
            "snapshot was kept."
        ) from error


def parse_csv(text: str) -> tuple[list[tuple], list[Rejected], int, dict[str, int]]:
    """Rows (currency, day, rate), what could not be read, days of the file, and rates by currency.

    Raises:
        ContractBroken: the first line does not name a date and currencies, or no rate follows.
    """
    lines = csv.reader(io.StringIO(text))
    header = [cell.strip() for cell in next(lines, [])]
    currencies = [c for c in header[1:] if c]
    if not header or header[0] != "Date" or not currencies or len(set(currencies)) < len(currencies):
        raise ContractBroken(
            f"ecb_rates: the csv begins with {','.join(header)[:80]!r}, not with Date and one column a currency. "
            "Look at the file and adapt parse_csv in include/sources/ecb_rates.py; the last snapshot was kept."
        )
    rows, rejected, seen = [], [], set()
    rated = dict.fromkeys(currencies, 0)
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            day = date.fromisoformat(cells[0].strip())
            if day in seen:
                raise ValueError("the day is there twice")
            if len(cells) < len(currencies) + 1:
                raise ValueError("the line is cut")
        except ValueError as error:
            rejected.append(Rejected("rates", str(error)[:200], sample_of(",".join(cells)), cells[0][:40]))
            continue
        seen.add(day)
        for currency, cell in zip(currencies, cells[1:], strict=False):
            try:
                if (rate := _rate(cell.strip())) is not None:
                    rows.append((currency, day, rate))
                    rated[currency] += 1
            except ValueError as error:
                rejected.append(Rejected("rates", f"{currency}: {error}", sample_of(cell), day.isoformat()))
    if not rows:
        raise ContractBroken("ecb_rates: the csv has no rate at all. Check the address; the last snapshot was kept.")
    return rows, rejected, len(seen), rated


def _rate(cell: str) -> Decimal | None:
    """A rate above 0; null for one that was not quoted.

    Raises:
        ValueError: it is neither.
    """
    if cell in ("", "N/A"):
        return None
    try:
        rate = Decimal(cell)
        exact = rate.quantize(Decimal("1e-8")) if rate.is_finite() and abs(rate) < LARGEST_RATE else Decimal(0)
    except InvalidOperation:
        raise ValueError("the rate is no number") from None
    if exact <= 0 or exact != rate:
        raise ValueError("the rate is not above 0, too large or too precise")
    return exact


SOURCE = Source(
    name="ecb_rates",
    doc="Daily euro reference rates of the European Central Bank.",
    owner="funding",
    schedule="30 16 * * *",
    tier=2,
    window="now",
    pool=Pool("ecb_rates", slots=1),
    connection="ecb_rates",
    default_urls=("https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",),
    streams=(RATES,),
    fetch=fetch,
    reject_threshold=0.001,
    runbook="docs/runbooks/ecb_rates.md",
    licence="ECB: free use with the source named",
    docs_url="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html",
)
