"""The published numbers by brute force, from the definitions of the catalogue and from no SQL.

`timeseries` and `key_metrics` answer for the demo world as landed from its archives and, for some days, GitHub's API.
`Oracle` does the same for any `Observed`, so that tests can write tiny worlds by hand.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from demo.archive import ARCHIVES, archive
from demo.github_api import github
from demo.oracle import entities, windows
from demo.oracle.coverage import Coverage, Quality, grade
from demo.oracle.events import distinct_lines, facts_of_repos, nid, read_events, short_pushes
from demo.oracle.metrics import METRICS, Activity, Amount, Metric, View
from demo.oracle.told import Told, tell, united
from demo.oracle.windows import ALL_TIME, CALENDAR, ROLLING, Window
from demo.world import SEED, world

Graded = tuple[str, float]  # quality, coverage
SeriesKey = tuple[str, str, str, str, date]  # level, entity id, metric, window word, sample date


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of key_metrics_by_<level>_v1; sample_date is None only where no day has data."""

    sample_date: date | None
    amount: Amount
    previous_amount: Amount
    quality: str
    coverage: float


@dataclass
class Observed:
    """What a landing of the days first to last has seen, and the directory."""

    first: date
    last: date
    events: list[dict]  # decoded lines of tracked repositories
    lines: dict[tuple[date, int], int | None]  # readable lines by (day, hour)
    projects: Mapping[str, list[str]]  # GitHub addresses as typed
    collections: Mapping[str, list[str]] = field(default_factory=dict)
    told: Told = field(default_factory=Told)  # by GitHub's API


@dataclass
class Entity:
    """An artifact, project or collection with its events and known days."""

    level: str
    name: str
    id: str
    activity: Activity
    quality: Quality
    graded: dict[tuple, Graded] = field(default_factory=dict)  # many metrics share families and windows

    def view(self, window: Window, as_of: date) -> View:
        """A window of the entity."""
        return View(self.activity, window, as_of, self.quality.known)


class Oracle:
    """All numbers of one landing."""

    def __init__(self, observed: Observed, run_day: date | None = None) -> None:
        lines, told = distinct_lines(observed.events), observed.told
        self.events = united(read_events(lines, told.branches, told.full), told)
        self.coverage = Coverage(observed.lines, observed.first, observed.last, short_pushes(lines), run_day, told.full)
        self.aliases = {repo_id: set(names) for repo_id, names in told.names.items()}
        for line in lines:
            self.aliases.setdefault(line["repo"]["id"], set()).add(line["repo"]["name"])
        created, forks = facts_of_repos(lines)
        created |= told.created
        forks = {repo_id for repo_id in self.aliases if told.forks.get(repo_id, repo_id in forks)}
        self.births = {repo_id: created.get(repo_id, observed.first) for repo_id in self.aliases}
        for event in self.events:
            self.births[event.repo_id] = min(self.births[event.repo_id], event.day)
        owned = entities.ownership(observed.projects, self.aliases, forks)
        self.members = {"project": owned, "collection": entities.gathered(observed.collections, owned)}
        self.entities = self._entities()

    def _entities(self) -> list[Entity]:
        by_repo: dict[int, list] = {repo_id: [] for repo_id in self.aliases}
        for event in self.events:
            by_repo[event.repo_id].append(event)
        in_a_project = set().union(*self.members["project"].values())
        artifacts = {r: {r} for r, found in by_repo.items() if found or r in in_a_project}
        found = []
        for level, members in (("artifact", artifacts), *self.members.items()):
            for name, repos in sorted(members.items()):
                activity = Activity((e for r in repos for e in by_repo[r]), sha_distinct=level != "artifact")
                quality = Quality(self.coverage, {r: self.births[r] for r in repos})
                found.append(Entity(level, str(name), entity_id(level, name), activity, quality))
        return found

    def timeseries(self) -> dict[SeriesKey, tuple[Amount, str, float]]:
        """Every row of timeseries_metrics_by_<level>_v1: amount, quality, coverage."""
        found = {}
        for entity in self.entities:
            for metric in METRICS:
                as_of = self.coverage.as_of(metric.families)
                if as_of is None or not entity.activity.event_days:
                    continue
                for word in metric.words:
                    if word != ALL_TIME:
                        for window, amount, (quality, share) in self._rows(entity, metric, word, as_of):
                            key = (entity.level, entity.id, metric.name, word, window.sample_date)
                            found[key] = (amount, quality, share)
        return found

    def _rows(self, entity: Entity, metric: Metric, word: str, as_of: date) -> Iterator[tuple[Window, Amount, Graded]]:
        """The rows of one series, by the rule of the metric's class."""
        running = False  # the day before had an amount that is not 0
        for window in windows.series(word, entity.activity.event_days[0], as_of):
            amount = metric.value(entity.view(window, as_of))
            there = amount is not None if metric.kind == "R" else bool(amount)
            closing = metric.kind != "R" and word in ROLLING and running and not there
            if there or closing:
                graded = self.graded(entity, metric, window, as_of)
                if graded[0] != "unknown":
                    yield window, amount or 0, graded
            running = there

    def key_metrics(self) -> dict[tuple[str, str, str, str], KeyRow]:
        """Every row of key_metrics_by_<level>_v1, by level, entity id, metric and window word."""
        found = {}
        for entity in self.entities:
            for metric in METRICS:
                for word in metric.words:
                    if word not in CALENDAR:
                        found[entity.level, entity.id, metric.name, word] = self._key_row(entity, metric, word)
        return found

    def _key_row(self, entity: Entity, metric: Metric, word: str) -> KeyRow:
        as_of = self.coverage.as_of(metric.families)
        if as_of is None:
            return KeyRow(None, None, None, "unknown", 0.0)
        window = windows.all_time(as_of) if word == ALL_TIME else windows.rolling(word, as_of)
        quality, share = self.graded(entity, metric, window, as_of)
        previous = None
        before = window.previous()
        if before and self.graded(entity, metric, before, as_of)[0] != "unknown":
            previous = self._dense(entity, metric, before, as_of)
        amount = None if quality == "unknown" else self._dense(entity, metric, window, as_of)
        return KeyRow(as_of, amount, previous, quality, share)

    @staticmethod
    def _dense(entity: Entity, metric: Metric, window: Window, as_of: date) -> Amount:
        """The amount with 0 for nothing, but None for an undefined ratio."""
        amount = metric.value(entity.view(window, as_of))
        return 0 if amount is None and metric.kind != "R" else amount

    def graded(self, entity: Entity, metric: Metric, window: Window, as_of: date) -> Graded:
        """Quality and coverage of a metric's window."""
        key = (metric.families, metric.uses_previous, metric.first_ever, window.start, window.end)
        if key not in entity.graded:
            entity.graded[key] = self._graded(entity, metric, window, as_of)
        return entity.graded[key]

    @staticmethod
    def _graded(entity: Entity, metric: Metric, window: Window, as_of: date) -> Graded:
        def count(start: date, end: date) -> tuple[int, int, int]:
            return entity.quality.counts(metric.families, start, end, as_of)

        needed = [count(window.start, window.end)]
        if metric.uses_previous:
            before = window.previous()
            needed.append(count(before.start, before.end))
        quality, share = grade(*(sum(column) for column in zip(*needed, strict=True)))
        if metric.first_ever:
            start = min(entity.quality.birth, window.start)
            quality, share = grade(*count(start, window.end))
        if any(grade(*one)[0] == "unknown" for one in needed):
            return "unknown", share
        return quality, share


def entity_id(level: str, name: str | int) -> str:
    """The published id of a repository number, project name or collection name."""
    if level == "artifact":
        return nid("artifact", "GITHUB", f"repo:{name}")
    return nid(level, "OSS_DIRECTORY", "oso", str(name))


def observe(
    first: date, last: date, *, seed: int = SEED, archives: tuple[str, ...] = ARCHIVES, asked: Collection[date] = ()
) -> Observed:
    """What landing these days of the demo world from these archives sees, and asking GitHub's API for the days `asked`.

    BigQuery's copy of a day holds nothing that the first archive's files lack.
    """
    the_world = world(seed)
    projects = {p.name: p.github for p in the_world.projects}
    repos, owners = entities.listed(projects)
    seen: dict[str, dict] = {}
    counts: dict[tuple[date, int], int | None] = {}
    hours = [(first + timedelta(days=n), h) for n in range((last - first).days + 1) for h in range(24)]
    for day, hour in [*hours, (last + timedelta(days=1), 0)]:
        ids: set[str] | None = None
        for line in _lines(seed, archives, day, hour):
            ids = set() if ids is None else ids
            if line is None:
                continue
            ids.add(line["id"])
            after = day > last and datetime.fromisoformat(line["created_at"]).date() >= day
            if not after and entities.tracked(line["repo"]["name"], repos, owners):
                seen.setdefault(line["id"], line)
        counts[day, hour] = None if ids is None else len(ids)
    collections = {c.name: c.projects for c in the_world.collections}
    told = tell(github(seed), projects, asked) if asked else Told()
    return Observed(first, last, list(seen.values()), counts, projects, collections, told)


def _lines(seed: int, archives: tuple[str, ...], day: date, hour: int) -> Iterator[dict | None]:
    """The readable lines of an hour from every archive; None stands for each file that is there."""
    parsed: dict[bytes, dict | None] = {}  # most lines are in both
    for name in archives:
        lines = archive(seed).lines(name, day, hour)
        if lines is None:
            continue
        yield None
        for text in lines:
            if text not in parsed:
                try:
                    parsed[text] = json.loads(text)
                except ValueError:
                    parsed[text] = None
            line = parsed[text]
            if line and line["public"]:
                yield line


def timeseries(first_day: date, last_day: date, run_day: date | None = None, **more) -> dict:
    """All timeseries rows of the demo world when the days first to last are landed.

    {(level, entity id, metric, window, sample date): (amount, quality, coverage)}; `more` goes to `observe`.
    """
    return Oracle(observe(first_day, last_day, **more), run_day).timeseries()


def key_metrics(first_day: date, last_day: date, run_day: date | None = None, **more) -> dict:
    """All key metrics of the demo world; {(level, entity id, metric, window): KeyRow}."""
    return Oracle(observe(first_day, last_day, **more), run_day).key_metrics()
