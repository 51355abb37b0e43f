"""What has landed: one line per source, read from the tables' own metadata and its coverage."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from include.settings import Settings
from include.sources import all_sources
from include.sources.base import Source, off_reason


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """One source in the lake; `last_day` is None where nothing landed."""

    name: str
    off: str | None  # why it is off, as a sentence
    first_day: date | None = None
    last_day: date | None = None
    days: int = 0
    rows: int = 0  # of all days and streams, but those kept aside
    rejected: int = 0  # rows kept aside, of all days
    parts: dict[str, int] = field(default_factory=dict)  # parts of the last day by coverage status
    landed_at: datetime | None = None  # when the last day was fetched, UTC
    cost: dict[str, int] = field(default_factory=dict)  # of the newest landing: requests, bytes, seconds and so on


def source_status(settings: Settings, env: Mapping[str, str] = os.environ) -> list[SourceStatus]:
    """Every registered source by name; `env` tells which are off. Reads no data but the last day's coverage."""
    from include.lake.catalog import open_catalog

    catalog = open_catalog(settings, "lake")
    return [_of(catalog, source, off_reason(source, env)) for source in all_sources()]


def _of(catalog, source: Source, off: str | None) -> SourceStatus:
    rows: Counter[str] = Counter()
    for stream in source.all_streams:
        table = _landed(catalog, source.table(stream.name))
        rows[stream.name] = int(table.current_snapshot().summary["total-records"]) if table else 0
    if not table:  # the last stream is the coverage, which tells the days
        return SourceStatus(name=source.name, off=off)
    days = sorted(p["_day"] for p in table.inspect.partitions()["partition"].to_pylist())
    filled = table.scan(
        row_filter=f"_day == '{days[-1].isoformat()}'", selected_fields=("status", "_loaded_at")
    ).to_arrow()
    return SourceStatus(
        name=source.name,
        off=off,
        first_day=days[0],
        last_day=days[-1],
        days=len(days),
        rows=rows.total() - rows["rejected"] - rows["coverage"],
        rejected=rows["rejected"],
        parts=dict(sorted(Counter(filled["status"].to_pylist()).items())),
        landed_at=max(filled["_loaded_at"].to_pylist()),
        cost=json.loads(table.current_snapshot().summary.get("openimpact.cost", "{}")),
    )


def _landed(catalog, name: str):
    """The table; None if nothing was landed into it."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        return None
    return table if table.current_snapshot() else None


def describe(sources: list[SourceStatus]) -> str:
    """The lines that a person reads; a source that is off says why below them."""
    lines = [
        f"{'source':<20}{'last day':<12}{'days':>5}{'rows':>13}{'rejected':>10}  "
        f"{'coverage of the last day':<34}cost of the newest landing"
    ]
    for s in sources:
        parts = ", ".join(f"{n:,} {status}" for status, n in s.parts.items())
        if s.last_day is None:
            lines.append(f"{s.name:<20}{'off' if s.off else 'nothing landed'}")
            continue
        lines.append(
            f"{s.name:<20}{s.last_day!s:<12}{s.days:>5}{s.rows:>13,}{s.rejected:>10,}  {parts:<34}{_cost(s.cost)}"
        )
    return "\n".join([*lines, *sorted({s.off for s in sources if s.off})])


def _cost(cost: dict[str, int]) -> str:
    shown = []
    for name, amount in cost.items():
        if name.startswith("bytes"):
            shown.append(f"{amount / 1e6:,.1f} MB{name.removeprefix('bytes').replace('_', ' ')}")
        else:
            shown.append(f"{amount:,} {name if amount != 1 else name.removesuffix('s')}")
    return ", ".join(shown)
