"""What is known of each day: full, part or none, by family, and from it the quality of a window."""

from collections.abc import Mapping, Set
from datetime import date, timedelta
from statistics import median

FAMILIES = ("commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars", "forks")
WORK_FAMILIES = ("commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments")
CUT_OVER = date(2025, 10, 7)
PARTIAL_SINCE = date(2025, 5, 23)
OUTAGE = (date(2025, 10, 9), date(2025, 10, 14))
ONE = timedelta(days=1)
Lines = Mapping[tuple[date, int], int | None]


def span(first: date, last: date) -> list[date]:
    """The days from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def source_status(lines: Lines, first: date, last: date) -> dict[date, str]:
    """Status of each landed day before any family's cap.

    `lines` has the number of readable lines by (day, hour); None or no entry is a missing file.
    """
    found: dict[date, str] = {}
    for day in span(first, last):
        if OUTAGE[0] <= day <= OUTAGE[1]:
            found[day] = "none"
            continue
        hours = [lines.get((day, hour)) for hour in range(24)]
        total = sum(n or 0 for n in hours)
        before = [day - timedelta(weeks=n) for n in range(1, 9)]
        usual = [_total(lines, d) for d in before if found.get(d, "none") != "none"]
        typical = median(usual) if usual else 0
        complete = all([*hours, lines.get((day + ONE, 0))])
        if all(n is None for n in hours) or total < 0.2 * typical:
            found[day] = "none"
        elif complete and total >= 0.6 * typical:
            found[day] = "full"
        else:
            found[day] = "part"
    return found


def _total(lines: Lines, day: date) -> int:
    return sum(lines.get((day, hour)) or 0 for hour in range(24))


def family_status(status: str, family: str, day: date) -> str:
    """The source's status with the family's cap."""
    if status == "none" or (day >= CUT_OVER and family in ("commits", "pulls_closed")):
        return "none"
    return "part" if day >= PARTIAL_SINCE else status


class Coverage:
    """Status of every (repository, family, day) of a landing, and as_of."""

    def __init__(
        self,
        lines: Lines,
        first: date,
        last: date,
        short_pushes: set[tuple[int, date]],
        run_day: date | None = None,
        asked: Set[tuple[int, str, date]] = frozenset(),
    ) -> None:
        days = [first, last, *(day for *_, day in asked)]
        self.first, self.last = min(days), max(days)
        self.asked = asked  # (repository, family, day) that the API told in full
        source = source_status(lines, first, last)
        self.by_day = {f: {d: family_status(s, f, d) for d, s in source.items()} for f in FAMILIES}
        self.short_pushes = short_pushes
        until = min(self.last, run_day - ONE) if run_day else self.last
        self._as_of = {
            family: max(
                {d for d, s in self.by_day[family].items() if s != "none" and d <= until}
                | {d for _, f, d in asked if f == family and d <= until},
                default=None,
            )
            for family in FAMILIES
        }

    def status(self, repo_id: int, family: str, day: date) -> str:
        """full, part or none, by the better provider."""
        if (repo_id, family, day) in self.asked:
            return "full"
        status = self.by_day[family].get(day, "none")
        if status == "full" and family == "commits" and (repo_id, day) in self.short_pushes:
            return "part"
        return status

    def as_of(self, families: tuple[str, ...]) -> date | None:
        """The day through which a metric of these families has data: the minimum of those that have any."""
        return min((d for f in families if (d := self._as_of[f])), default=None)


class Quality:
    """Counts of required, full and part days of an entity: its members (repository to birth) times families."""

    def __init__(self, coverage: Coverage, births: Mapping[int, date]) -> None:
        self.births = births
        self.first = coverage.first
        days = span(coverage.first, coverage.last)
        self.length = len(days)
        self.known: set[date] = set()  # days with data of any family of work of any member
        self.sums: dict[str, tuple[list[int], list[int]]] = {}
        for family in FAMILIES:
            full, part = [0], [0]
            for day in days:
                found = [coverage.status(r, family, day) for r, born in births.items() if born <= day]
                full.append(full[-1] + found.count("full"))
                part.append(part[-1] + found.count("part"))
                if family in WORK_FAMILIES and found.count("none") < len(found):
                    self.known.add(day)
            self.sums[family] = (full, part)

    def counts(self, families: tuple[str, ...], start: date, end: date, as_of: date) -> tuple[int, int, int]:
        """n_req, n_full, n_part of the days start to end; those after as_of count as none."""
        required = sum(max(0, (end - max(start, born)).days + 1) for born in self.births.values()) * len(families)
        low = min(self.length, max(0, (start - self.first).days))
        high = min(self.length, max(low, (min(end, as_of) - self.first).days + 1))
        full = sum(self.sums[f][0][high] - self.sums[f][0][low] for f in families)
        part = sum(self.sums[f][1][high] - self.sums[f][1][low] for f in families)
        return required, full, part

    @property
    def birth(self) -> date:
        """The earliest birth of a member."""
        return min(self.births.values())


def grade(required: int, full: int, part: int) -> tuple[str, float]:
    """Quality and coverage of these counts."""
    if required == 0:
        return "ok", 1.0
    if full == required:
        return "ok", 1.0
    if full + part == 0:
        return "unknown", 0.0
    return "partial", full / required
