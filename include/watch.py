"""What is wrong without any run having failed: sources that are late, days far too small, metrics that got worse.

Not by deadlines of Airflow: in 3.3.2 a run that has one by when it was queued cannot be cleared (the API answers 500),
a DAG that has any cannot be tested, and one that is paused misses none.
"""

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.settings import Settings
from include.sources import all_sources

GRACE = timedelta(hours=10)  # after a day is late on the status page: tries, and a quota that opens again
TRAILING_DAYS, FEWEST_DAYS = 14, 7  # of the median that a day is compared with
VOLUME_FLOOR = 0.25  # of that median; weekends of GitHub have half of a weekday
SMALLEST_MEDIAN = 40  # rows; below, chance decides
OK_LOSS = 0.05  # of a metric's newest numbers


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; `key` stays the same as long as it is the same thing."""

    key: str
    sentence: str


def findings(settings: Settings, now: datetime | None = None) -> list[Finding]:
    """Everything that is wrong now, the late sources first."""
    return [*_late(settings, now or datetime.now(UTC)), *_small_days(settings), *_worse_metrics(settings)]


def _late(settings: Settings, now: datetime) -> list[Finding]:
    """Sources that landed something once and are behind what they promised GRACE ago."""
    from include.status import read_status

    return [
        Finding(
            f"late.{source.name}",
            f"{source.name} is late: {source.due_day} was due and its last good day is {source.last_day}. "
            f"Look at the runs of ingest_{source.name}: a failed one says why.",
        )
        for source in read_status(settings, now=now - GRACE).sources
        if source.lag and not source.off
    ]


def _small_days(settings: Settings) -> list[Finding]:
    """Streams whose newest day has far fewer rows than the days before; reads the tables' metadata only."""
    from include.lake.catalog import open_catalog
    from include.lake.tables import landed_table, rows_by_day

    catalog, found = open_catalog(settings, "lake"), []
    for source in all_sources():
        for stream in source.streams if source.window == "day" else ():
            rows = rows_by_day(landed_table(catalog, source.table(stream.name)))
            newest, *before = sorted(rows, reverse=True)[: TRAILING_DAYS + 1] or [None]
            if len(before) < FEWEST_DAYS:
                continue
            median = statistics.median(rows[day] for day in before)
            if median >= SMALLEST_MEDIAN and rows[newest] < VOLUME_FLOOR * median:
                found.append(
                    Finding(
                        f"small.{source.name}.{stream.name}.{newest}",
                        f"{source.table(stream.name)} has {rows[newest]:,} rows of {newest}, where the "
                        f"{len(before)} days before had {median:,.0f} in the middle. If the upstream was not whole, "
                        f"clear that day's run of ingest_{source.name}.",
                    )
                )
    return found


def _worse_metrics(settings: Settings) -> list[Finding]:
    """Metrics whose newest numbers are less often ok in the current release than in the one before it."""
    from include.lake.released_metrics import KEY_TABLES, released_metrics
    from include.lake.releases import list_releases

    releases = list_releases(settings)  # newest first
    place = next((n for n, release in enumerate(releases) if release.current), None)
    if place is None or place + 1 == len(releases):
        return []
    now, before = (
        {
            (m.source, m.metric): m.ok or 0.0
            for m in released_metrics(settings, release.release_id, KEY_TABLES)
            if m.rows
        }
        for release in releases[place : place + 2]
    )
    release_id = releases[place].release_id
    return [
        Finding(
            f"worse.{release_id}.{'.'.join(metric)}",
            f"{' '.join(metric)}: {now[metric]:.0%} of its newest numbers are ok in release {release_id}, "
            f"{before[metric]:.0%} were in the release before. Its coverage says what is missing: "
            "python -m include release show.",
        )
        for metric in sorted(now.keys() & before.keys())
        if now[metric] < before[metric] - OK_LOSS
    ]
