"""Peak memory of landing a day of 24 hours, over a day of one hour: at most 1.2, so that it stays flat."""

from collections.abc import Iterator
from pathlib import Path

from tests.bench.hours import write_hours
from tests.bench.jobs import in_turn, verdict
from tests.bench.land import land_day, warm_hour

GOAL = 1.2
EVENTS, SHARE = 15_000, 0.5  # the tracked rows of a full hour, with few of the others to skip


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The ratio of the two peaks."""
    warm = warm_hour(folder)
    one = write_hours(folder / "one", "full", hours=1, events=EVENTS, share=SHARE)
    whole = write_hours(folder / "whole", "full", hours=24, events=EVENTS, share=SHARE)
    small, large = in_turn(1, (land_day, str(one), warm), (land_day, str(whole), warm))
    detail = (
        f"{large['rss_mb']:.0f} MB for {large['rows']:.0f} rows over {small['rss_mb']:.0f} MB for {small['rows']:.0f}"
    )
    yield verdict("peak of 24 hours / 1 hour", large["rss_mb"] / small["rss_mb"], GOAL, detail=detail)
