"""The steps of a landing, the same from a shell and from Airflow: check, fetch, validate, commit.

`fetch_day` writes Parquet files outside the tables, `validate_run` looks at them,
`commit_run` reads only them. A kill anywhere leaves each table as it was, or whole.
"""

import importlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import ContractBroken, FixNeeded, OpenImpactError, SourceOff, SuspectData, WindowRefused
from include.failpoints import failpoint
from include.http import HttpClient
from include.quality.kept import keep, read_checks
from include.settings import Settings
from include.sources import all_sources, get_source
from include.sources.base import (
    Batch,
    Context,
    Coverage,
    Listed,
    Previous,
    Rejected,
    Source,
    Tracked,
    Unchanged,
    Window,
    off_reason,
    parse_connection,
)

Progress = Callable[[int, int, str], None]
MANIFEST = "manifest.json"


def check(source: Source, window: Window, settings: Settings, *, now: datetime | None = None) -> None:
    """Refuses days that the source cannot load, before anything is fetched.

    Raises:
        WindowRefused: a past day of a source of now, a day that is not over, or one before the first.
        SourceOff: it needs a connection of one's own, which is not set.
        FixNeeded: the connection is not usable.
    """
    if reason := off_reason(source, os.environ):
        raise SourceOff(reason)
    today = (now or datetime.now(UTC)).date()
    parse_connection(os.environ, source.connection, source.default_urls)
    if source.window == "now" and (window.start != today or window.end != today + timedelta(days=1)):
        raise WindowRefused(
            f'{source.name} describes today only (window="now") and cannot be asked for {window.start}'
            f"{_until(window)}. Land it without days: python -m include land {source.name}"
        )
    if source.window == "day" and window.end > today:
        raise WindowRefused(
            f"{source.name}: {window.end - timedelta(days=1)} is not over yet (it is {today} UTC). "
            f"Ask for days up to {today - timedelta(days=1)}."
        )
    if source.first_day and window.start < source.first_day:
        raise WindowRefused(
            f"{source.name} loads days from {source.first_day} on, not {window.start}: {source.first_day_reason}. "
            f"Ask for {source.first_day} or later."
        )


def fetch_day(
    source: Source,
    day: date,
    settings: Settings,
    run_id: str,
    progress: Progress | None = None,
    *,
    now: datetime | None = None,
    allow_shrink: bool = False,
    force: bool = False,
    env: Mapping[str, str] = os.environ,
) -> Path:
    """Fetches one UTC day into staged files; returns their folder, which holds manifest.json.

    A second call for the same run and day starts over. `allow_shrink` accepts a
    snapshot far smaller than the last, `force` lands one that did not change.
    """
    now = now or datetime.now(UTC)
    check(source, Window.of(day), settings, now=now)
    connection = parse_connection(env, source.connection, source.default_urls)
    context = Context(
        connection=connection,
        http=HttpClient(connection.login, connection.password),
        now=now,
        tracked=tracked_github(settings) if source.tracks == "github" else None,
        listed=listed_artifacts(settings, source.lists) if source.lists else (),
        created=created_contracts(settings, source, day) if source.tracks == "contracts" else frozenset(),
        previous=_previous(source, settings) if source.window == "now" else None,
        keep=settings.staging / source.name / "kept",
        allow_shrink=allow_shrink,
        force=force,
        progress=progress or (lambda done, total, label="": None),
    )
    started = time.monotonic()
    folder = settings.staging / source.name / run_id / day.isoformat()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    staging = _Staging(source, folder, day, run_id, now)
    try:
        for item in source.fetch(Window.of(day), context):
            staging.take(item)
        staging.finish(dict(context.http.cost) | {"seconds": round(time.monotonic() - started)})
    except BaseException:
        staging.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    failpoint("after_fetch")
    return folder


def validate_run(path: Path, settings: Settings) -> None:
    """Checks staged files: unique keys, the share of rejected rows, and the source's expectations.

    Raises:
        SuspectData: one of them fails; nothing was committed.
    """
    manifest = read_manifest(path)
    source = get_source(manifest["source"])
    if manifest["unchanged"]:
        return
    day = manifest["day"]
    kept = "Nothing was committed; the former content of the day was kept."
    observed = sum(r["observed"] or 0 for r in manifest["coverage"])
    allowed = max(len(manifest["coverage"]), source.reject_threshold * (observed + manifest["rejected"]))
    if manifest["rejected"] > allowed:
        raise SuspectData(
            f"{source.name} {day}: {manifest['rejected']} of {observed + manifest['rejected']} rows were rejected, "
            f"above {source.reject_threshold:.1%}. Look at {_table_path(path, 'rejected')}. {kept}"
        )
    for stream in source.all_streams:
        if stream.key:
            _refuse_duplicates(source, stream, path, day, kept)
    suite = importlib.import_module(f"include.quality.{source.name}")
    failures = suite.failures(path, date.fromisoformat(day))
    keep(settings, source.name, read_checks(path), run_id=manifest["run_id"], day=day)
    if failures:
        raise SuspectData(
            f"{source.name} {day}: {len(failures)} expectations failed: {'; '.join(failures[:5])}. "
            f"The staged files are in {path}. {kept}"
        )
    failpoint("after_validate")


def commit_run(path: Path, settings: Settings) -> dict[str, int]:
    """Replaces the day in each raw table by the staged files; coverage comes last. Its former failure is forgotten.

    Returns the snapshot id by stream, {} for a snapshot source that did not change.
    Called again after success it returns the same and changes nothing.
    """
    from include.lake.catalog import open_catalog
    from include.lake.failures import confirm
    from include.lake.landing import replace_day
    from include.lake.tables import ensure_table

    manifest = read_manifest(path)
    source = get_source(manifest["source"])
    day = date.fromisoformat(manifest["day"])
    if manifest["unchanged"]:
        confirm(settings, source.name, day)
    if manifest["unchanged"] or "committed" in manifest:
        _forget_failures(settings, source, day)
        return manifest.get("committed", {})
    catalog = open_catalog(settings, "lake")
    snapshots = {}
    for stream in source.all_streams:
        if stream.name == "coverage":
            failpoint("before_coverage")
        table = ensure_table(catalog, source.table(stream.name), stream.raw_schema, partition_by="_day")
        file = _table_path(path, stream.name)
        snapshots[stream.name] = replace_day(
            table,
            day,
            [file] if manifest["rows"][stream.name] else [],
            run_id=manifest["run_id"],
            rows=manifest["rows"][stream.name],
            rejected=manifest["rejected"],
            cost=manifest["cost"],
        )
        failpoint(f"after_commit_{stream.name}")
    manifest["committed"] = snapshots
    _write_manifest(path, manifest)
    for stream in source.all_streams:
        _table_path(path, stream.name).unlink(missing_ok=True)
    _forget_failures(settings, source, day)
    return snapshots


def land(
    source: Source,
    window: Window,
    settings: Settings,
    progress: Progress | None = None,
    *,
    run_id: str | None = None,
    now: datetime | None = None,
    allow_shrink: bool = False,
    force: bool = False,
) -> dict[date, dict[str, int]]:
    """Checks, fetches, validates and commits every day of the window, oldest first.

    Days are independent: those before a failing one stay landed, and the failing one is remembered. Returns snapshot
    ids by day and stream.
    """
    from include.lake.failures import record

    check(source, window, settings, now=now)
    run_id = run_id or f"land-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    days = window.days()
    landed = {}
    for number, day in enumerate(days):
        try:
            path = fetch_day(
                source,
                day,
                settings,
                run_id,
                _within(progress, number, len(days)),
                now=now,
                allow_shrink=allow_shrink,
                force=force,
            )
            validate_run(path, settings)
            landed[day] = commit_run(path, settings)
        except OpenImpactError as error:
            record(settings, source.name, [day], str(error), run_id)
            raise
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(settings.staging / source.name / run_id, ignore_errors=True)
    return landed


def _forget_failures(settings: Settings, source: Source, day: date) -> None:
    """Closes the failure of the landed day; today's snapshot makes up for every earlier one, which no one can load."""
    from include.lake.failures import forget, open_failures

    failed = [f.day for f in open_failures(settings) if f.source == source.name]
    forget(settings, source.name, [d for d in failed if d == day or (source.window == "now" and d < day)])


def ensure_raw_tables(settings: Settings) -> None:
    """Creates every raw table of every source that does not exist yet, empty."""
    from include.lake.catalog import open_catalog
    from include.lake.tables import ensure_table

    catalog = open_catalog(settings, "lake")
    for source in all_sources():
        for stream in source.all_streams:
            ensure_table(catalog, source.table(stream.name), stream.raw_schema, partition_by="_day")


def clean_staging(
    settings: Settings, *, older_than: timedelta = timedelta(days=7), dry_run: bool = False
) -> tuple[int, int]:
    """Removes staged runs that nothing has touched for so long; returns how many, and the bytes of their files."""
    limit, removed, freed = time.time() - older_than.total_seconds(), 0, 0
    for run in settings.staging.glob("*/*"):
        found = [p.stat() for p in (run, *run.rglob("*"))]
        if max((s.st_mtime for s in found), default=0) < limit:
            removed, freed = removed + 1, freed + sum(s.st_size for s in found if stat.S_ISREG(s.st_mode))
            if not dry_run:
                shutil.rmtree(run, ignore_errors=True)
    return removed, freed


def read_manifest(path: Path) -> dict:
    """The manifest of a staged run.

    Raises:
        FixNeeded: the folder holds none, so its fetch did not finish.
    """
    try:
        return json.loads((path / MANIFEST).read_text())
    except FileNotFoundError:
        raise FixNeeded(f"{path} holds no finished fetch (no {MANIFEST}). Fetch the day again.") from None


def tracked_github(settings: Settings) -> Tracked:
    """What to look for on GitHub: the newest directory snapshot's names, and ids of former landings."""
    from include.lake.catalog import open_catalog

    catalog = open_catalog(settings, "lake")
    names: set[str] = set()
    owners: set[str] = set()
    newest = _newest_day(catalog, "raw.oss_directory__coverage")
    if newest:
        rows = _scan(
            catalog, "raw.oss_directory__artifacts", ("kind", "identity", "status"), f"_day == '{newest.isoformat()}'"
        )
        for row in rows.to_pylist():
            if row["status"] == "ok" and row["kind"] in ("github_repo", "github_owner"):
                (names if row["kind"] == "github_repo" else owners).add(row["identity"])
    ids = _scan(catalog, "raw.github_archive__repositories", ("repo_id",))
    known = frozenset(pc.unique(ids["repo_id"]).to_pylist()) if ids is not None else frozenset()
    return Tracked(frozenset(names), frozenset(owners), known - {None})


def created_contracts(settings: Settings, source: Source, before: date) -> frozenset[tuple[str, str]]:
    """(network, address) of the contracts that kept transactions of the days before created, or calls inside them."""
    from include.lake.catalog import open_catalog

    catalog, earlier = open_catalog(settings, "lake"), f"_day < '{before.isoformat()}' and "
    found: set[tuple[str, str]] = set()
    for stream, column, done in (
        ("transactions", "receipt_contract_address", "to_address is null and receipt_status = 1"),
        ("traces", "to_address", "trace_type in ('create', 'create2') and is_reverted = false"),
    ):
        rows = _scan(catalog, source.table(stream), ("network", column), earlier + done)
        found |= {(row["network"], row[column]) for row in rows.to_pylist()} if rows else set()
    return frozenset(found)


def listed_artifacts(settings: Settings, kinds: tuple[str, ...]) -> tuple[Listed, ...]:
    """The artifacts of these kinds that the newest directory snapshot lists, sorted; unresolved ones left out."""
    from include.lake.catalog import open_catalog

    catalog = open_catalog(settings, "lake")
    newest = _newest_day(catalog, "raw.oss_directory__coverage")
    if newest is None:
        return ()
    columns = ("project_name", "kind", "identity", "network", "tags", "status")
    rows = _scan(catalog, "raw.oss_directory__artifacts", columns, f"_day == '{newest.isoformat()}'").to_pylist()
    wanted = (row for row in rows if row["status"] == "ok" and row["kind"] in kinds)
    found = (Listed(r["project_name"], r["kind"], r["identity"], r["network"], tuple(r["tags"] or ())) for r in wanted)
    return tuple(sorted(found, key=lambda a: (a.kind, a.identity, a.network or "", a.project)))


def _previous(source: Source, settings: Settings) -> Previous | None:
    """The newest complete landing, by coverage, which is always committed last."""
    from include.lake.catalog import open_catalog

    catalog = open_catalog(settings, "lake")
    table = source.table("coverage")
    day = _newest_day(catalog, table)
    if day is None:
        return None
    rows = _scan(catalog, table, ("stream", "part", "observed"), f"_day == '{day.isoformat()}'").to_pylist()
    return Previous(day, {(r["stream"], r["part"]): r["observed"] or 0 for r in rows})


def _newest_day(catalog, name: str) -> date | None:
    rows = _scan(catalog, name, ("_day",))
    return pc.max(rows["_day"]).as_py() if rows is not None and rows.num_rows else None


def _scan(catalog, name: str, columns: tuple[str, ...], row_filter: str | None = None) -> pa.Table | None:
    """Columns of a raw table; None if it does not exist yet."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        return None
    scan = table.scan(selected_fields=columns, **({"row_filter": row_filter} if row_filter else {}))
    return scan.to_arrow()


class _Staging:
    """Writes what a fetch yields to one Parquet file a stream, with the system columns."""

    def __init__(self, source: Source, folder: Path, day: date, run_id: str, now: datetime) -> None:
        self.source, self.folder, self.day, self.run_id, self.now = source, folder, day, run_id, now
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.rows = {stream.name: 0 for stream in source.all_streams}
        self.rejected: list[Rejected] = []
        self.coverage: list[Coverage] = []
        self.unchanged: str | None = None

    def take(self, item) -> None:
        """Takes one item of a fetch."""
        if isinstance(item, Batch):
            self._write(item.stream, item.rows)
        elif isinstance(item, Rejected):
            self.rejected.append(item)
        elif isinstance(item, Coverage):
            self.coverage.append(item)
        elif isinstance(item, Unchanged):
            self.unchanged = item.reason

    def finish(self, cost: dict[str, int]) -> None:
        """Writes rejected and coverage rows, closes the files, and the manifest last."""
        if not self.coverage and not self.unchanged:
            raise ContractBroken(f"{self.source.name}: its fetch yielded no coverage for {self.day}; fix the source.")
        fields = ("stream", "part", "reason", "sample"), ("stream", "part", "expected", "observed", "status", "reason")
        for name, items, names in zip(("rejected", "coverage"), (self.rejected, self.coverage), fields, strict=True):
            rows = [{n: getattr(item, n) for n in names} for item in items]
            if rows:
                self._write(name, pa.RecordBatch.from_pylist(rows, schema=self.source.stream(name).schema))
        self.close()
        _write_manifest(
            self.folder,
            {
                "source": self.source.name,
                "day": self.day.isoformat(),
                "run_id": self.run_id,
                "fetched_at": self.now.isoformat(),
                "unchanged": self.unchanged,
                "rows": self.rows,
                "rejected": len(self.rejected),
                "cost": cost,
                "coverage": [c.__dict__ for c in self.coverage],
            },
        )

    def close(self) -> None:
        """Closes the files."""
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()

    def _write(self, name: str, batch: pa.RecordBatch) -> None:
        stream = self.source.stream(name)
        if name not in self.writers:
            path = _table_path(self.folder, name)
            self.writers[name] = pq.ParquetWriter(path, stream.raw_schema, compression="zstd")
        n = batch.num_rows
        system = [
            pa.repeat(pa.scalar(self.day, pa.date32()), n),
            pa.repeat(pa.scalar(self.run_id, pa.string()), n),
            pa.repeat(pa.scalar(self.now, stream.raw_schema.field("_loaded_at").type), n),
        ]
        batch = batch.cast(stream.schema)
        self.writers[name].write_batch(pa.record_batch([*batch.columns, *system], schema=stream.raw_schema))
        self.rows[name] += n


def _refuse_duplicates(source: Source, stream, path: Path, day: str, kept: str) -> None:
    file = _table_path(path, stream.name)
    if not file.exists():
        return
    keys = pq.read_table(file, columns=list(stream.key))
    groups = keys.group_by(list(stream.key), use_threads=False).aggregate([([], "count_all")])
    double = groups.filter(pc.greater(groups["count_all"], 1))
    if double.num_rows:
        first = {k: str(double[k][0].as_py())[:80] for k in stream.key}
        raise SuspectData(
            f"{source.name} {day}: {double.num_rows} keys of {stream.name} occur more than once, first {first}. "
            f"The source must keep one row per {', '.join(stream.key)}. {kept}"
        )


def _table_path(folder: Path, stream: str) -> Path:
    return folder / f"{stream}.parquet"


def _write_manifest(folder: Path, manifest: dict) -> None:
    draft = folder / f".{MANIFEST}"
    draft.write_text(json.dumps(manifest, indent=1))
    draft.replace(folder / MANIFEST)


def _within(progress: Progress | None, number: int, days: int) -> Progress | None:
    """Progress of one day as a part of the whole window."""
    if progress is None:
        return None
    return lambda done, total, label="": progress(number * total + done, days * total, label)


def _until(window: Window) -> str:
    last = window.end - timedelta(days=1)
    return f" to {last}" if last > window.start else ""
