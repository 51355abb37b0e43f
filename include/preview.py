"""What landing a range of days would fetch and cost, told by what former landings of the source cost."""

import json
import statistics
from dataclasses import dataclass, field
from datetime import date, timedelta

from include import ingest
from include.settings import Settings
from include.sources.base import Source, Window


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`cost` is what a day costs about: requests, bytes, seconds, and what else the upstream counts."""

    source: str
    first: date
    last: date
    again: int  # of the days, how many are landed and would be read again
    known: int  # days by whose cost the estimate is made
    cost: dict[str, int] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """How many days, both ends included."""
        return (self.last - self.first).days + 1


def preview(source: Source, window: Window, settings: Settings) -> Preview:
    """Estimates by the median over the days whose landing is still in the history of the coverage table.

    Raises:
        WindowRefused, SourceOff, FixNeeded: the source cannot load these days, as ingest.check says.
    """
    from include.lake.catalog import open_catalog
    from include.lake.tables import landed_table, rows_by_day

    ingest.check(source, window, settings)
    catalog, name = open_catalog(settings, "lake"), source.table("coverage")
    costs: dict[str, dict[str, int]] = {}
    table = landed_table(catalog, name)
    if landed := rows_by_day(table):
        for snapshot in table.snapshots():
            told = snapshot.summary.additional_properties if snapshot.summary else {}
            if cost := json.loads(told.get("openimpact.cost", "{}")):
                costs[told["openimpact.window-start"]] = cost  # of a day landed twice the newer
    return Preview(
        source=source.name,
        first=window.start,
        last=window.end - timedelta(days=1),
        again=len(landed.keys() & set(window.days())),
        known=len(costs),
        cost={
            name: round(statistics.median(cost.get(name, 0) for cost in costs.values()))
            for name in sorted({name for cost in costs.values() for name in cost})
        },
    )


def as_markdown(asked: Preview) -> str:
    """A sentence and a table."""
    again = f", {asked.again} of them landed before" if asked.again else ""
    lines = [f"{asked.source}, {asked.first} to {asked.last}: {_count(asked.days, 'day')}{again}."]
    if not asked.known:
        lines.append("What a day costs is not known, since none was landed yet: land one first to see.")
        return "\n\n".join(lines)
    lines.append(f"About, by the median of {_count(asked.known, 'landed day')}:")
    rows = [f"| {_name(n)} | {_amount(n, c)} | {_amount(n, c * asked.days)} |" for n, c in asked.cost.items()]
    head = [f"| | a day | {_count(asked.days, 'day')} |", "|---|---:|---:|"]
    return "\n\n".join([*lines, "\n".join([*head, *rows])])


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _name(cost: str) -> str:
    return cost.replace("_", " ")


def _amount(name: str, n: int) -> str:
    if name.startswith("bytes"):
        return f"{n / 1e6:,.1f} MB"
    return str(timedelta(seconds=n)) if name == "seconds" else f"{n:,}"
