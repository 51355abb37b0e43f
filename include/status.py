"""What is wrong right now: sources against their promise, failed days, what waits to be built or released.

Read from the tables' own metadata, the coverage of the last days and the small tables that describe the models; one
structure, shown as text by `describe` and as a page by include/pages.
"""

import csv
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from include.lake.failures import Failure
from include.settings import Settings
from include.sources import all_sources
from include.sources.base import Source, off_reason

LANDING_TAKES = timedelta(hours=2)  # a day is late so long after the source's promise
LAST_DAYS = 14  # landed days whose coverage is read
MOST_GAPS = 20  # of a source that are told one by one
PROVIDERS = {"archive": "github_archive", "rpc": "evm_rpc"}  # of sources_v1 by raw source, where the names differ
ORDER = ("failing", "late", "incomplete", "nothing landed", "ok", "off")


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Parts of landed days that are not complete, and why."""

    days: tuple[date, ...]
    stream: str
    status: str
    reason: str
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """One source in the lake; the days are None where nothing landed."""

    name: str
    state: str  # one of ORDER
    off: str | None = None  # why it is off, as a sentence
    first_day: date | None = None
    last_day: date | None = None  # the last that landed, or was found unchanged
    due_day: date | None = None  # the last that schedule and ready_after promise by now
    landed: frozenset[date] = frozenset()
    failed: frozenset[date] = frozenset()  # that retries gave up on
    rows: int = 0  # of all days and streams, but those kept aside
    rejected: int = 0  # rows kept aside, of all days
    rejected_last: int = 0  # and of the last day
    parts: dict[str, int] = field(default_factory=dict)  # parts of the last day by coverage status
    missing: tuple[date, ...] = ()  # between the first and the last day
    gaps: tuple[Gap, ...] = ()  # of the last days
    landed_at: datetime | None = None  # when the last day was fetched, UTC
    cost: dict[str, int] = field(default_factory=dict)  # of the newest landing: requests, bytes, seconds, points left
    metrics: tuple[str, ...] = ()  # that stand on this source
    exports: tuple[str, ...] = ()

    @property
    def lag(self) -> int | None:
        """Days behind the promise, 0 if kept; None without a promise or a landing."""
        return max((self.due_day - self.last_day).days, 0) if self.due_day and self.last_day else None

    def mark(self, day: date) -> str:
        """What became of a day: failed, incomplete, landed, missing (due, or between landed days) or ""."""
        if day in self.failed:
            return "failed"
        if day in self.landed:
            lost = any(day in gap.days for gap in self.gaps if gap.status != "known_missing")
            return "incomplete" if lost else "landed"
        late = self.last_day and self.due_day and self.last_day < day <= self.due_day
        return "missing" if late or day in self.missing else ""

    @property
    def is_bad(self) -> bool:
        """Whether what stands on it is stale or has holes."""
        return self.state in ORDER[:3]


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """One dbt model in the last good build; `stale_by` names the sources that keep it behind."""

    name: str
    layer: str
    built_at: datetime | None
    rows: int | None
    seconds: float | None
    sources: tuple[str, ...]
    stale_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Everything; sources by state and name, moments in UTC."""

    at: datetime
    sources: tuple[SourceStatus, ...]
    failures: tuple[Failure, ...]  # days that retries gave up on
    models: tuple[ModelStatus, ...]
    built_at: datetime | None  # the last good build
    unfinished: str | None  # run id of a build that began since and did not finish
    broken: tuple[tuple[str, str, str], ...]  # (node, status, message) of dbt since the last good build
    to_build: str  # "nothing", "everything" or "from <day>"
    behind: tuple[str, ...]  # sources that landed since the last good build
    recent: tuple[date, ...]  # the last days that were due, for a glance
    release_id: str | None
    released_at: datetime | None
    unreleased: tuple[str, ...]  # exports that were built since the current release


def read_status(settings: Settings, env: Mapping[str, str] = os.environ, *, now: datetime | None = None) -> Status:
    """The status at `now` (aware UTC); `env` tells which sources are off."""
    from include import transform
    from include.lake.catalog import open_catalog
    from include.lake.failures import confirmed, open_failures
    from include.lake.landing import snapshots_of
    from include.lake.releases import list_releases
    from include.transform.plan import last_build

    now = now or datetime.now(UTC)
    catalog = open_catalog(settings, "lake")
    failures, unchanged = open_failures(settings), confirmed(settings)
    models = _rows(catalog, "exports.models_v1", "model_name", "layer", "depends_on", "last_run_at", "rows", "seconds")
    upstream = _upstream(models)
    families = defaultdict(set)
    for row in _rows(catalog, "exports.sources_v1", "provider", "family"):
        families[PROVIDERS.get(row["provider"], row["provider"])].add(row["family"])
    sources = [
        _source(
            catalog,
            source,
            off=off_reason(source, env),
            due=due_day(source, now, settings.last_day),
            failed={f.day for f in failures if f.source == source.name},
            unchanged=unchanged.get(source.name),
            metrics=metrics_of(families[source.name]),
            exports=tuple(
                m["model_name"] for m in models if m["layer"] == "exports" and source.name in upstream[m["model_name"]]
            ),
        )
        for source in all_sources()
    ]
    of_days = {source.name for source in all_sources() if source.window == "day"}
    newest = max((s.due_day for s in sources if s.due_day and s.name in of_days), default=now.date())
    bad = {source.name for source in sources if source.is_bad}
    work, (built_at, unfinished) = transform.plan(settings), last_build(settings)
    release = next((r for r in list_releases(settings) if r.current), None)
    released = {f"exports.{t.name}": t.snapshot_id for t in release.tables} if release else {}
    waits = {"all": "everything"}.get(work["rebuild_from"], f"from {work['rebuild_from']}")
    return Status(
        at=now,
        sources=tuple(sorted(sources, key=lambda s: (ORDER.index(s.state), s.name))),
        failures=tuple(failures),
        models=tuple(
            ModelStatus(
                name=m["model_name"],
                layer=m["layer"],
                built_at=m["last_run_at"],
                rows=m["rows"],
                seconds=m["seconds"],
                sources=tuple(sorted(upstream[m["model_name"]])),
                stale_by=tuple(sorted(upstream[m["model_name"]] & bad)),
            )
            for m in models
        ),
        built_at=built_at,
        unfinished=unfinished,
        broken=_broken(settings, built_at),
        to_build=waits if work["changed"] or unfinished else "nothing",
        behind=tuple(sorted({name.removeprefix("raw.").rsplit("__", 1)[0] for name in work["changed"]})),
        recent=tuple(newest - timedelta(days=n) for n in reversed(range(LAST_DAYS))),
        release_id=release.release_id if release else None,
        released_at=release.published_at if release else None,
        unreleased=tuple(
            name.removeprefix("exports.")
            for name, snapshot in sorted(snapshots_of(catalog, "exports").items())
            if name != "exports.releases_v1" and released.get(name) != snapshot
        ),
    )


def due_day(source: Source, now: datetime, last: date | None = None) -> date | None:
    """The newest day that `source` has by its promise, its schedule and ready_after; None without a schedule.

    `last` is the last day that its clock runs for.
    """
    from croniter import croniter

    if source.schedule is None:
        return None
    fired = croniter(source.schedule, now - source.ready_after - LANDING_TAKES).get_prev(datetime).date()
    day = fired - timedelta(days=1) if source.window == "day" else fired
    return min(day, last) if last else day


def metrics_of(families: Iterable[str]) -> tuple[str, ...]:
    """The metrics of the catalogue that are counted from facts of these coverage families."""
    from include.transform.plan import DBT_PROJECT

    wanted = set(families)
    with (DBT_PROJECT / "seeds/metric_catalogue.csv").open(newline="") as file:
        found = [row["metric"] for row in csv.DictReader(file) if wanted & set(row["families"].split("|"))]
    return tuple(dict.fromkeys(found))


def _source(catalog, source: Source, *, off, due, failed: set[date], unchanged: date | None, **known) -> SourceStatus:
    from include.lake.tables import landed_table, rows_by_day

    rows: Counter[str] = Counter()
    tables = {stream.name: landed_table(catalog, source.table(stream.name)) for stream in source.all_streams}
    for name, table in tables.items():
        rows[name] = int(table.current_snapshot().summary["total-records"]) if table else 0
    coverage = tables["coverage"]
    if not coverage:
        state = "off" if off else "failing" if failed else "nothing landed"
        return SourceStatus(
            name=source.name, state=state, off=off, due_day=None if off else due, failed=frozenset(failed), **known
        )
    days = sorted(rows_by_day(coverage))
    since, last = days[-LAST_DAYS:][0], days[-1]
    lacking = coverage.scan(
        row_filter=f"_day >= '{since}' and status != 'complete'",
        selected_fields=("_day", "stream", "part", "status", "reason"),
    ).to_arrow()
    newest = coverage.scan(row_filter=f"_day == '{last}'", selected_fields=("status", "_loaded_at")).to_arrow()
    every = {days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days)} if source.window == "day" else set()
    status = SourceStatus(
        name=source.name,
        state="ok",
        off=off,
        first_day=days[0],
        last_day=max(filter(None, (days[-1], unchanged))),
        due_day=None if off else due,
        landed=frozenset(days),
        failed=frozenset(failed),
        rows=rows.total() - rows["rejected"] - rows["coverage"],
        rejected=rows["rejected"],
        rejected_last=rows_by_day(tables["rejected"]).get(days[-1], 0),
        parts=dict(sorted(Counter(newest["status"].to_pylist()).items())),
        missing=tuple(sorted(every - set(days))),
        gaps=_gaps(lacking.to_pylist()),
        landed_at=max(newest["_loaded_at"].to_pylist()),
        cost=_newest_cost(coverage),
        **known,
    )
    return replace(status, state=_state(status))


def _state(status: SourceStatus) -> str:
    if status.off:
        return "off"
    if status.failed:
        return "failing"
    if status.lag:
        return "late"
    lost = any(gap.status != "known_missing" for gap in status.gaps)
    return "incomplete" if status.missing or lost else "ok"


def _gaps(lines: list[dict]) -> tuple[Gap, ...]:
    """Coverage lines that are not complete, parts of one reason together, and days that lack the same parts."""
    parts, days = defaultdict(list), defaultdict(list)
    for line in lines:
        parts[line["_day"], line["stream"], line["status"], line["reason"] or ""].append(line["part"])
    for (day, *rest), found in sorted(parts.items()):
        days[(*rest, tuple(sorted(found)))].append(day)
    gaps = [
        Gap(days=tuple(found), stream=stream, status=status, reason=reason, parts=lacking)
        for (stream, status, reason, lacking), found in days.items()
    ]
    return tuple(sorted(gaps, key=lambda gap: (gap.status == "known_missing", gap.days)))


def _newest_cost(table) -> dict[str, int]:
    """What the newest landing says it spent; maintenance commits after it say nothing."""
    said = (snapshot.summary.get("openimpact.cost") for snapshot in reversed(table.snapshots()) if snapshot.summary)
    return json.loads(next(filter(None, said), "{}"))


def _rows(catalog, name: str, *columns: str) -> list[dict]:
    from include.lake.tables import landed_table

    table = landed_table(catalog, name)
    return table.scan(selected_fields=columns).to_arrow().to_pylist() if table else []


def _upstream(models: list[dict]) -> dict[str, set[str]]:
    """The sources that each model reads, through however many others."""
    parents = {m["model_name"]: m["depends_on"] for m in models}
    found: dict[str, set[str]] = {}

    def of(name: str) -> set[str]:
        if name not in parents:
            return {name.rsplit("__", 1)[0]} if "__" in name else set()
        if name not in found:
            found[name] = set().union(*map(of, parents[name]))
        return found[name]

    return {name: of(name) & {source.name for source in all_sources()} for name in parents}


def _broken(settings: Settings, since: datetime | None) -> tuple[tuple[str, str, str], ...]:
    from include.transform.runner import run_results

    return tuple(
        (key.split(".")[2], result["status"], " ".join((result["message"] or "").split())[:300])
        for key, result in sorted(run_results(settings, since).items())
        if result["status"] in ("error", "fail")
    )


def describe(status: Status) -> str:
    """The lines that a person reads: a table of the sources, then what is wrong, then build and release."""
    lines = [
        f"{'source':<20}{'state':<15}{'last day':<12}{'lag':>4}{'days':>6}{'rows':>13}{'rejected':>14}  "
        f"{'coverage of the last day':<34}cost of the newest landing"
    ]
    for s in status.sources:
        if s.first_day is None:
            lines.append(f"{s.name:<20}{s.state}")
            continue
        parts = ", ".join(f"{n:,} {name}" for name, n in s.parts.items())
        lag, rejected = "-" if s.lag is None else s.lag, f"{s.rejected_last:,} of {s.rejected:,}"
        lines.append(
            f"{s.name:<20}{s.state:<15}{s.last_day!s:<12}{lag:>4}{len(s.landed):>6}{s.rows:>13,}{rejected:>14}  "
            f"{parts:<34}{cost_text(s.cost)}"
        )
    lines += sorted({s.off for s in status.sources if s.off})
    lines += [f"failed: {f.source} {f.day}, {f.at:%Y-%m-%d %H:%M} UTC: {f.error}" for f in status.failures]
    for s in status.sources:
        if s.off:
            continue
        if s.missing:
            lines.append(f"missing: {s.name} {days_text(s.missing)}")
        lines += [
            f"{g.status}: {s.name} {days_text(g.days)} {g.stream} {parts_text(g.parts)}: {g.reason}" for g in s.gaps
        ]
        if s.is_bad and (s.metrics or s.exports):
            lines.append(f"stale by {s.name} ({s.state}): {some(s.metrics)}; tables {some(s.exports)}")
    lines += [f"dbt {result}: {node}: {message}" for node, result, message in status.broken]
    built = f"{status.built_at:%Y-%m-%d %H:%M} UTC" if status.built_at else "none yet"
    lines.append(f"last good build: {built}" + (f"; {status.unfinished} did not finish" if status.unfinished else ""))
    lines.append(f"to build: {status.to_build}" + (f" ({some(status.behind)})" if status.behind else ""))
    if status.release_id:
        age = f"{status.released_at:%Y-%m-%d %H:%M} UTC, {age_text(status.at - status.released_at)} old"
        lines.append(f"current release: {status.release_id}, {age}; built since: {some(status.unreleased)}")
    else:
        lines.append("current release: none yet")
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)


def some(names: tuple[str, ...], most: int = 8) -> str:
    """The first names and how many more; "none" without any."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "") or "none"


def parts_text(parts: tuple[str, ...]) -> str:
    """The parts of a day, the first dozen of many."""
    return some(parts, 12)


def days_text(days: tuple[date, ...]) -> str:
    """Days as runs: 2026-11-03, 2026-11-05 to 2026-11-09."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return some(tuple(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs))


def age_text(age: timedelta) -> str:
    """Whole days, or hours below two days."""
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hour{'s' if hours != 1 else ''}"


def cost_text(cost: Mapping[str, int]) -> str:
    """What a landing spent: 49 requests, 1.2 MB, 3 seconds, 4,321 points left."""
    shown = []
    for name, amount in cost.items():
        if name.startswith("bytes"):
            size = f"{amount / 1e6:,.1f} MB" if amount >= 1e6 else f"{amount / 1e3:,.0f} kB"
            shown.append(f"{size}{name.removeprefix('bytes').replace('_', ' ')}")
        else:
            shown.append(f"{amount:,} {name.replace('_', ' ') if amount != 1 else name.removesuffix('s')}")
    return ", ".join(shown)
