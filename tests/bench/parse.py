"""CPU of parsing one archive hour, over gunzip of the same file: at most 2.2 before 2025-10-07, 3.0 after.

Parsing is gunzip, the scan of every line and the typed decode of the tracked ones; a second line adds their rows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.hours import ERAS, tracked_names, write_hours
from tests.bench.jobs import Cpu, in_turn, verdict

GOALS = {"full": 2.2, "slim": 3.0}


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The ratio of each era, and for scale that of the whole fetch, rows and record batches included."""
    for era, goal in GOALS.items():
        hours, warm = write_hours(folder / era, era), write_hours(folder / f"{era}-warm", era, events=1_000)
        file = next(hours.glob("*.gz"))
        jobs = (gunzip_hour, str(file)), (scan, str(file), str(warm)), (parse_hour, str(hours), str(warm), era)
        gunzip, scanned, parse = in_turn(repeat, *jobs)
        size = f"{file.stat().st_size / 1e6:.0f} MB gz, {gunzip['bytes'] / 1e6:.0f} MB of JSON"
        detail = f"{size}, {scanned['rows']:.0f} lines kept; {scanned['cpu']:.2f} s over {gunzip['cpu']:.2f} s"
        yield verdict(f"{era} era, parse / gunzip", scanned["cpu"] / gunzip["cpu"], goal, detail=detail)
        yield f"for scale, fetched to record batches / gunzip: {parse['cpu'] / gunzip['cpu']:.2f}, no goal"


def gunzip_hour(file: str) -> dict:
    """Job: isal's gunzip alone, in the parser's block size."""
    from isal import igzip

    from include.sources._archive_parse import BLOCK

    size = 0
    with Cpu() as cpu, igzip.open(file, "rb") as lines:
        while block := lines.read(BLOCK):
            size += len(block)
    return {"cpu": cpu.seconds, "bytes": size}


def scan(file: str, warm: str) -> dict:
    """Job: the source's parser over one file; what it keeps is counted."""
    from include.sources._archive_parse import Hour, scan_hour
    from include.sources.base import Tracked

    tracked, kept = Tracked(names=frozenset(tracked_names())), []
    for path in (next(Path(warm).glob("*.gz")), Path(file)):
        kept.clear()
        with path.open("rb") as body, Cpu() as cpu:
            scan_hour(body, tracked, lambda event, payload, raw: kept.append(None), hour=Hour())
    return {"cpu": cpu.seconds, "rows": len(kept)}


def parse_hour(folder: str, warm: str, era: str) -> dict:
    """Job: the source's own fetch of a day that has this one hour, to record batches; imports were done by `warm`."""
    sum(rows.num_rows for rows in event_batches(warm, era))
    with Cpu() as cpu:
        rows = sum(rows.num_rows for rows in event_batches(folder, era))
    return {"cpu": cpu.seconds, "rows": rows}


def event_batches(folder: str, era: str) -> Iterator:
    """The record batches of the events stream, of the era's day as the hours of `folder` have it."""
    from include.http import HttpClient
    from include.sources.base import Batch, Connection, Context, Tracked, Window
    from include.sources.github_archive import SOURCE

    context = Context(
        connection=Connection(urls=(f"file://{folder}",)),
        http=HttpClient(),
        now=datetime.now(UTC),
        tracked=Tracked(names=frozenset(tracked_names())),
    )
    for item in SOURCE.fetch(Window.of(ERAS[era].date()), context):
        if isinstance(item, Batch) and item.stream == "events":
            yield item.rows
