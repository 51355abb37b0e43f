"""The catalogue's code and people metrics over plain lists of events."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import mean, median, pvariance

from demo.oracle.coverage import FAMILIES, span
from demo.oracle.events import ACT, WORK, Event, Person
from demo.oracle.items import cases_of
from demo.oracle.windows import ALL_TIME, CLASSIC, EVERY, NOT_DAILY, ROLLING, Window

EPOCH = date(1970, 1, 1)
COUNTED = {  # metric to the event types it counts
    "commits": ("COMMIT_CODE",),
    "opened_pull_requests": ("PULL_REQUEST_OPENED",),
    "merged_pull_requests": ("PULL_REQUEST_MERGED",),
    "closed_pull_requests": ("PULL_REQUEST_CLOSED",),
    "opened_issues": ("ISSUE_OPENED",),
    "closed_issues": ("ISSUE_CLOSED",),
    "comments": ("ISSUE_COMMENT", "PULL_REQUEST_REVIEW_COMMENT"),
    "prs_comments": ("PULL_REQUEST_REVIEW_COMMENT",),
    "pull_request_reviews": ("PULL_REQUEST_REVIEW",),
    "releases": ("RELEASE_PUBLISHED",),
    "stars": ("STARRED",),
    "forks": ("FORKED",),
}
UNFILTERED = {"RELEASE_PUBLISHED", "STARRED", "FORKED"}
REVIEWS = {"PULL_REQUEST_REVIEW", "PULL_REQUEST_REVIEW_COMMENT"}


@dataclass
class Day:
    """What an entity did on one day."""

    types: Counter[str] = field(default_factory=Counter)  # of human subjects, where the type is filtered
    repos: set[int] = field(default_factory=set)
    developers: set[Person] = field(default_factory=set)
    contributors: set[Person] = field(default_factory=set)
    reviewers: set[Person] = field(default_factory=set)
    commits: Counter[Person] = field(default_factory=Counter)  # of known humans
    human_act: bool = False
    work: int = 0  # of human subjects
    by_bots: int = 0
    by_known: int = 0


@dataclass
class Sum:
    """What an entity did in a window; people with their number of days."""

    types: Counter[str]
    repos: set[int]
    developers: Counter[Person]
    contributors: Counter[Person]
    reviewers: set[Person]
    commits: Counter[Person]
    active: list[date]
    by_bots: int = 0
    by_known: int = 0


def distinct_commits(events: Iterable[Event]) -> list[Event]:
    """The events with each sha once: the earliest copy, then the smallest event id."""
    found, shas = [], set()
    for event in sorted(events, key=lambda e: (e.at, e.event_id)):
        if event.sha is not None:
            if event.sha in shas:
                continue
            shas.add(event.sha)
        found.append(event)
    return found


class Activity:
    """The events of one entity, by day; `sums` gives any window."""

    def __init__(self, events: Iterable[Event], *, sha_distinct: bool) -> None:
        self.days: dict[date, Day] = {}
        self.first_act: dict[Person, date] = {}
        events = list(events)
        for event in distinct_commits(events) if sha_distinct else sorted(events, key=lambda e: (e.at, e.event_id)):
            self._add(event)
        self.cases = cases_of(events)
        self.event_days = sorted(self.days)
        self.act_days = [d for d in self.event_days if self.days[d].human_act]
        self._sums: dict[tuple[date, date], Sum] = {}

    def _add(self, event: Event) -> None:
        day = self.days.setdefault(event.day, Day())
        human_subject = not event.subject_is_bot
        if human_subject or event.type in UNFILTERED:
            day.types[event.type] += event.amount
        if event.type == "RELEASE_PUBLISHED" or (event.type in WORK and human_subject):
            day.repos.add(event.repo_id)
        if event.type in WORK:
            day.work += human_subject
            day.by_bots += event.actor_is_bot
            day.by_known += event.actor_is_bot or event.actor is not None
        if event.actor is None or event.actor_is_bot:
            return
        if event.type == "COMMIT_CODE":
            day.developers.add(event.actor)
            day.commits[event.actor] += 1
        if event.type in ACT:
            day.contributors.add(event.actor)
            day.human_act = True
            self.first_act.setdefault(event.actor, event.day)
        if event.type in REVIEWS and not event.own_item:
            day.reviewers.add(event.actor)

    def sums(self, start: date, end: date) -> Sum:
        """Everything from start to end."""
        key = (start, end)
        if key not in self._sums:
            found = Sum(Counter(), set(), Counter(), Counter(), set(), Counter(), [])
            for at in self.event_days[bisect_left(self.event_days, start) : bisect_right(self.event_days, end)]:
                day = self.days[at]
                found.types.update(day.types)
                found.repos |= day.repos
                found.developers.update(day.developers)
                found.contributors.update(day.contributors)
                found.reviewers |= day.reviewers
                found.commits.update(day.commits)
                found.by_bots += day.by_bots
                found.by_known += day.by_known
                if day.human_act:
                    found.active.append(at)
            self._sums[key] = found
        return self._sums[key]


@dataclass(frozen=True, slots=True)
class View:
    """A window of an entity as a metric sees it: nothing after as_of."""

    activity: Activity
    window: Window
    as_of: date
    known: set[date]  # days with data of the entity's work

    @property
    def now(self) -> Sum:
        """The window's sums."""
        return self.activity.sums(self.window.start, min(self.window.end, self.as_of))

    def before(self) -> "View":
        """The previous window."""
        return View(self.activity, self.window.previous(), self.as_of, self.known)


Amount = int | float | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `value` gives None where the metric says nothing: an undefined ratio, no earlier event."""

    name: str
    families: tuple[str, ...]
    kind: str  # N, S or R
    words: tuple[str, ...]
    value: Callable[[View], Amount]
    uses_previous: bool = False
    first_ever: bool = False


def _full_time(days: Counter[Person], length: int) -> int:
    return sum(n * 30 >= 10 * length for n in days.values())


def _part_time(days: Counter[Person], length: int) -> int:
    return sum(n * 30 < 10 * length for n in days.values())


def _new(view: View) -> int:
    first = view.activity.first_act
    return sum(first[who] >= view.window.start for who in view.now.contributors)


def _resurrected(view: View) -> int:
    first, before = view.activity.first_act, view.before().now.contributors
    return sum(first[who] < view.window.start and who not in before for who in view.now.contributors)


def _churned(view: View) -> int:
    return len(view.before().now.contributors.keys() - view.now.contributors.keys())


def _retention(view: View) -> Amount:
    before = view.before().now.contributors.keys()
    return len(before & view.now.contributors.keys()) / len(before) if before else None


def _change(of: Callable[[View], Amount]) -> Callable[[View], Amount]:
    """The difference to the previous window; None unless someone acted before this one."""

    def value(view: View) -> Amount:
        days = view.activity.act_days
        return of(view) - of(view.before()) if days and days[0] < view.window.start else None

    return value


def _share(part: int, whole: int) -> Amount:
    return part / whole if whole else None


def _acceptance(view: View) -> Amount:
    merged, closed = (view.now.types[f"PULL_REQUEST_{how}"] for how in ("MERGED", "CLOSED"))
    return _share(merged, merged + closed)


def _velocity(view: View) -> int:
    types = view.now.types
    points = sum(types[k] for k in ("ISSUE_CLOSED", "COMMIT_CODE", "PULL_REQUEST_REVIEW"))
    return points + 2 * len(view.now.contributors)


def _burstiness(view: View) -> Amount:
    days = [d for d in span(view.window.start, min(view.window.end, view.as_of)) if d in view.known]
    counts = [view.activity.days[d].work if d in view.activity.days else 0 for d in days]
    return pvariance(counts) / mean(counts) if len(counts) > 1 and any(counts) else None


def _absence(view: View) -> Amount:
    made = sorted(view.now.commits.values(), reverse=True)
    return next((k for k in range(1, len(made) + 1) if 2 * sum(made[:k]) >= sum(made)), None)


def _of_cases(measure: str, statistic: Callable[[list[int]], Amount]) -> Callable[[View], Amount]:
    """A statistic of the window's cases of a measure; None without a case."""

    def value(view: View) -> Amount:
        cases = view.activity.cases.between(measure, view.window.start, min(view.window.end, view.as_of))
        return statistic(cases) if cases else None

    return value


def _of_ages(statistic: Callable[[list[int]], Amount]) -> Callable[[View], Amount]:
    """A statistic of the ages of the issues open when the window ends; None if none is."""

    def value(view: View) -> Amount:
        ages = view.activity.cases.ages(min(view.window.end, view.as_of))
        return statistic(ages) if ages else None

    return value


def _epoch(day: date) -> int:
    return (day - EPOCH).days


def _catalogue() -> list[Metric]:
    contributing = ("commits", "pulls_opened", "pulls_closed", "issues")
    families = {
        "commits": ("commits",), "opened_pull_requests": ("pulls_opened",), "merged_pull_requests": ("pulls_closed",),
        "closed_pull_requests": ("pulls_closed",), "opened_issues": ("issues",), "closed_issues": ("issues",),
        "comments": ("comments", "reviews"), "prs_comments": ("reviews",), "pull_request_reviews": ("reviews",),
        "releases": ("releases",), "stars": ("stars",), "forks": ("forks",),
    }  # fmt: skip
    found = [
        Metric(name, families[name], "N", EVERY, lambda v, t=types: sum(v.now.types[k] for k in t))
        for name, types in COUNTED.items()
    ]
    worked = tuple(f for f in FAMILIES if f not in ("stars", "forks"))
    found.append(Metric("repositories", worked, "N", EVERY, lambda v: len(v.now.repos)))

    def add(name, value, words=EVERY, kind="N", of=contributing, **more):
        found.append(Metric(name, of, kind, words, value, **more))

    commits, length = ("commits",), lambda v: v.window.length
    add("active_developers", lambda v: len(v.now.developers), of=commits)
    add("full_time_developers", lambda v: _full_time(v.now.developers, length(v)), CLASSIC, of=commits)
    add("part_time_developers", lambda v: _part_time(v.now.developers, length(v)), CLASSIC, of=commits)
    add("contributors", lambda v: len(v.now.contributors))

    def full(v):
        return _full_time(v.now.contributors, length(v))

    def part(v):
        return _part_time(v.now.contributors, length(v))

    add("full_time_contributors", full, CLASSIC)
    add("part_time_contributors", part, CLASSIC)
    add("reviewers", lambda v: len(v.now.reviewers), of=("reviews",))
    add("new_contributors", _new, first_ever=True)
    add("returning_contributors", lambda v: len(v.now.contributors) - _new(v), first_ever=True)
    add("resurrected_contributors", _resurrected, CLASSIC, first_ever=True, uses_previous=True)
    add("churned_contributors", _churned, CLASSIC, uses_previous=True)
    changing = {"active": lambda v: len(v.now.contributors), "new": _new, "full_time": full, "part_time": part}
    for word, of in changing.items():
        add(f"change_in_{word}_contributors", _change(of), CLASSIC, "S", uses_previous=True)
    add("contributor_retention_rate", _retention, CLASSIC, "R", uses_previous=True)
    add("active_days", lambda v: len(v.now.active), (*CLASSIC, ALL_TIME))
    add("first_activity_date", lambda v: _epoch(v.now.active[0]) if v.now.active else None, (ALL_TIME,), "R")
    add("last_activity_date", lambda v: _epoch(v.now.active[-1]) if v.now.active else None, (ALL_TIME,), "R")
    done = tuple(f for f in worked if f != "releases")
    add("bot_activity", lambda v: v.now.by_bots, (*NOT_DAILY, ALL_TIME), of=done)
    add("bot_activity_share", lambda v: _share(v.now.by_bots, v.now.by_known), (*NOT_DAILY, ALL_TIME), "R", done)
    add("pull_request_acceptance_ratio", _acceptance, (*NOT_DAILY, ALL_TIME), "R", ("pulls_closed",))
    add("project_velocity", _velocity, NOT_DAILY, of=(*contributing, "reviews"))
    add("burstiness", _burstiness, NOT_DAILY, "R", done)
    add("contributor_absence_factor", _absence, (*CLASSIC, ALL_TIME), "R", commits)
    pulls, ever = ("pulls_closed",), (*NOT_DAILY, ALL_TIME)
    answers = ("pulls_opened", "pulls_closed", "issues", "comments", "reviews")
    add("time_to_merge_avg", _of_cases("merge", mean), ever, "R", pulls)
    add("time_to_merge_median", _of_cases("merge", median), ever, "R", pulls)
    add("time_to_first_response_avg", _of_cases("response", mean), ever, "R", answers)
    add("time_to_first_response_median", _of_cases("response", median), ever, "R", answers)
    add("time_to_close_issues_median", _of_cases("close", median), ever, "R", ("issues",))
    add("pull_request_review_rate", _of_cases("reviewed", mean), ever, "R", (*pulls, "reviews"))
    add("self_merge_rates", _of_cases("self_merged", mean), ever, "R", (*pulls, "reviews", "comments"))
    add("days_between_releases_median", _of_cases("release_gap", lambda gaps: median(gaps) / 86400),
        ("quarterly", "yearly", *ROLLING, ALL_TIME), "R", ("releases",))  # fmt: skip
    for word, statistic in {"avg": mean, "median": median, "min": min, "max": max}.items():
        words = ("weekly", "monthly", "quarterly", "yearly", ALL_TIME)
        add(f"issue_age_{word}", _of_ages(statistic), words, "R", ("issues",))
    return found


METRICS = tuple(_catalogue())
