"""The days of a run: what a person asked for, else its data interval. Never the logical date."""

from datetime import UTC, date, datetime, time, timedelta

from include.errors import WindowRefused
from include.settings import Settings
from include.sources.base import Source, Window


def window_of(
    source: Source, params: dict, interval: tuple[datetime, datetime] | None, *, run_type: str = "manual"
) -> Window:
    """The UTC days a run of `source` loads.

    `params` holds from_day and to_day (ISO, both included) when a person asked;
    `interval` is the run's data interval; one within a day stands for that whole
    day. Only a scheduled run also re-reads the source's restate_days before it.
    A source of now always loads today.

    Raises:
        WindowRefused: neither is given, or the form is half filled or reversed.
    """
    first, last = params.get("from_day"), params.get("to_day")
    if first or last:
        start, end = date.fromisoformat(first or last), date.fromisoformat(last or first)
        if end < start:
            raise WindowRefused(f"from_day {start} is after to_day {end}. Swap them and trigger again.")
        return Window(start, end + timedelta(days=1))
    if source.window == "now":
        return Window.of(datetime.now(UTC).date())
    if interval is None:
        raise WindowRefused(
            f"This run of ingest_{source.name} has no data interval. "
            "Trigger it with from_day and to_day, or start a backfill."
        )
    start, end = (moment.astimezone(UTC).date() for moment in interval)
    restated = source.restate_days if run_type == "scheduled" else 0
    return Window(start - timedelta(days=restated), max(end, start + timedelta(days=1)))


def is_published(source: Source, window: Window, now: datetime) -> bool:
    """Whether the upstream has all of the window's days by now."""
    return source.window == "now" or now >= datetime.combine(window.end, time(), UTC) + source.ready_after


def last_timed_run(settings: Settings) -> datetime | None:
    """The end_date of a DAG with a clock: None, or the end of OPENIMPACT_LAST_DAY; runs by hand and by asset go on."""
    return datetime.combine(settings.last_day, time(23, 59), UTC) if settings.last_day else None


def batches(window: Window, *, days_per_batch: int = 7, most: int = 20) -> list[list[str]]:
    """The days (ISO) in runs of neighbours, one a mapped task: a week each, longer when there are more than `most`."""
    days = [day.isoformat() for day in window.days()]
    size = max(days_per_batch, -(-len(days) // most))
    return [days[start : start + size] for start in range(0, len(days), size)]
