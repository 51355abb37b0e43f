"""The values that are drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import isfinite

LARGEST = 1e300  # beyond it the sum of two could be infinite


@dataclass(frozen=True)
class Point:
    """A value of a day; `amount` is None where it is unknown, `quality` is ok, partial or unknown."""

    day: date
    amount: float | None
    quality: str

    @property
    def known(self) -> bool:
        """Whether there is a number to draw."""
        return self.quality != "unknown" and self.amount is not None and abs(self.amount) <= LARGEST


@dataclass(frozen=True)
class Series:
    """Points in the order of days, and what they are of."""

    label: str
    points: list[Point]


def known(points: list[Point]) -> list[Point]:
    """The points that have a number."""
    return [point for point in points if point.known]


def gaps(points: list[Point]) -> Iterator[tuple[date, date]]:
    """First and last day of every run of points without a number."""
    first = last = None
    for point in points:
        if point.known:
            if first:
                yield first, last
            first = None
        else:
            first, last = first or point.day, point.day
    if first:
        yield first, last


def runs(points: list[Point]) -> Iterator[tuple[bool, list[Point]]]:
    """Lines to draw, each with whether it is partial: what lies between two known points is as good as the worse."""
    run: list[Point] = []
    dashed = False
    for point in points:
        if not point.known:
            if run:
                yield dashed, run
            run = []
            continue
        if run:
            worse = "partial" in (run[-1].quality, point.quality)
            if len(run) > 1 and worse != dashed:
                yield dashed, run
                run = run[-1:]
            dashed = worse
        else:
            dashed = point.quality == "partial"
        run.append(point)
    if run:
        yield dashed, run


def thin(points: list[Point], columns: int) -> list[Point]:
    """At most four points for each of `columns` stretches of time: the first, the last, the smallest, the largest.

    A stretch with a point that has no number keeps it too, so that a gap stays a gap.
    """
    if len(points) <= 2 * columns:
        return points
    start, span = points[0].day, (points[-1].day - points[0].day).days + 1
    columns_of: dict[int, list[Point]] = {}
    for point in points:
        columns_of.setdefault((point.day - start).days * columns // span, []).append(point)
    kept = []
    for group in columns_of.values():
        numbers = known(group)
        ends = [min(numbers, key=_amount), max(numbers, key=_amount)] if numbers else []
        gap = [point for point in group if not point.known][:1]
        kept += sorted({group[0], group[-1], *ends, *gap}, key=lambda point: point.day)
    return kept


def _amount(point: Point) -> float:
    return point.amount if point.amount is not None and isfinite(point.amount) else 0.0
