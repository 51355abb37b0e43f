"""Upkeep of the warehouses: small files merged, old snapshots expired, files that nothing refers to removed.

compact ► expire_snapshots ► remove_orphans

A file is removed only if no retained snapshot of any table of any catalog needs it, releases included, and it is
older than a landing or a build can take. Each step is safe to kill and to run again, beside landings and builds.
"""

import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileInfo, FileSelector, FileSystem
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, PyArrowFileIO
from pyiceberg.table import FileScanTask, StaticTable, Table
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import text

from include.errors import FixNeeded, SuspectData, Unavailable
from include.failpoints import failpoint
from include.lake.catalog import CATALOGS, CONFLICTS, open_catalog, retry, sentences
from include.lake.landing import COMPACTED, copy_into
from include.lake.releases import remove_stray_tags
from include.settings import Settings

SMALL_BYTES = 32 << 20  # a data file below it is merged with its neighbours
MOST_FILES = 8  # small files that a partition may have
MERGED_BYTES = 256 << 20  # of one merge, which is held in memory
KEEP_SNAPSHOTS = timedelta(days=7)  # what was current so recently stays, also for a build that pinned it
SAFETY_AGE = timedelta(days=3)  # a younger file may belong to a commit that is on its way


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What was done for one table, or for one folder of the warehouse that is no table's any more."""

    table: str
    merged: int = 0  # small files replaced by fewer
    into: int = 0  # files that hold their rows now
    snapshots: int = 0  # expired
    files: int = 0  # removed
    bytes: int = 0  # freed by that
    note: str = ""

    def __add__(self, other: "Upkeep") -> "Upkeep":
        sums = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return Upkeep(table=self.table, note=self.note or other.note, **sums)


COUNTS = ("merged", "into", "snapshots", "files", "bytes")


def maintain(settings: Settings, *, dry_run: bool = False, now: datetime | None = None) -> list[Upkeep]:
    """All steps, one after the other; one line a table. A dry run changes nothing and tells what would be done."""
    steps = (
        *compact(settings, dry_run=dry_run),
        *expire_snapshots(settings, dry_run=dry_run, now=now),
        *remove_orphans(settings, dry_run=dry_run, now=now),
    )
    found: dict[str, Upkeep] = {}
    for step in steps:
        found[step.table] = found[step.table] + step if step.table in found else step
    return [found[name] for name in sorted(found)]


def describe(done: Iterable[Upkeep]) -> str:
    """The lines that a person reads, with a last one of sums."""
    done = list(done)
    lines = [f"{'table':<48}{'merged':>8}{'into':>6}{'snapshots':>11}{'files':>8}{'freed MB':>11}"]
    total = sum(done, Upkeep(table="total"))
    for u in (*done, total):
        counts = f"{u.merged:>8,}{u.into:>6,}{u.snapshots:>11,}{u.files:>8,}{u.bytes / 1e6:>11,.2f}"
        lines.append(f"{u.table:<48}{counts}  {u.note}".rstrip())
    return "\n".join(lines)


def compact(settings: Settings, namespaces: Collection[str] | None = None, *, dry_run: bool = False) -> list[Upkeep]:
    """Merges the small files of every partition of the lake that has more than MOST_FILES of them.

    `namespaces` limits it to those. The rows stay the same: compared before the commit, counted in it. A table that
    another writer changes meanwhile is left as it is, with a note, for the next time.

    Raises:
        SuspectData: a merged file reads other rows than its parts; the table was not changed.
        FixNeeded: the warehouse is full or not writable.
        Unavailable: Trino does not answer (cluster engine).
    """
    lake = open_catalog(settings, "lake")
    done = []
    for name in _tables(lake, namespaces):
        try:
            table = lake.load_table(name)
            crowded = _crowded(table, deletes=settings.engine == "trino")
            if not crowded:
                continue
            if dry_run:
                done.append(Upkeep(table=name, merged=sum(map(len, crowded)), into=len(crowded)))
            elif settings.engine == "trino":
                done.append(_optimize(name, table))
            else:
                done.append(sum((_merge(table, tasks) for tasks in crowded), Upkeep(table=name)))
        except NoSuchTableError:  # dropped a moment ago
            continue
        except Unavailable as busy:
            done.append(Upkeep(table=name, note=str(busy)))
    return done


def expire_snapshots(settings: Settings, *, dry_run: bool = False, now: datetime | None = None) -> list[Upkeep]:
    """Expires the snapshots of the lake's tables that no longer were current KEEP_SNAPSHOTS ago.

    Kept whatever their age: the current one, tagged ones (releases), those recorded as built and all after them, by
    which the next build knows what landed. First goes what a killed publish left tagged. No data file is removed.

    Raises:
        Unavailable: other writers won every try.
    """
    lake = open_catalog(settings, "lake")
    if not dry_run:
        remove_stray_tags(settings)
    built, limit, done = _built(lake), (now or datetime.now(UTC)) - KEEP_SNAPSHOTS, []
    for name in _tables(lake):

        def expire(name: str = name) -> int:
            table = lake.load_table(name)
            old = _expirable(table, built, limit)
            if old and not dry_run:
                table.maintenance.expire_snapshots().by_ids(old).commit()
            return len(old)

        try:
            with sentences(f"{name} keeps its old snapshots"):
                count = retry(expire, CONFLICTS)
        except NoSuchTableError:
            continue
        if count:
            done.append(Upkeep(table=name, snapshots=count))
    return done


def remove_orphans(settings: Settings, *, dry_run: bool = False, now: datetime | None = None) -> list[Upkeep]:
    """Removes the files of both warehouses that nothing needs and that are older than SAFETY_AGE.

    A file is needed if a retained snapshot of any table of any catalog refers to it, a release's included, or if it is
    metadata of a table or a view. Only files in folders named data and metadata are looked at. A dry run counts the
    files of the snapshots that would expire, too. A lake in a REST catalog is left to that: it alone knows its files.

    Raises:
        FixNeeded: a table's metadata is not in the warehouse, as after a move: nothing in there can be judged.
        OSError: a metadata file cannot be read; nothing was removed.
    """
    if settings.lake_uri:
        return [Upkeep(table="lake", note="no file was removed: the lake's REST catalog knows which are needed")]
    now = now or datetime.now(UTC)
    lake = open_catalog(settings, "lake")
    scheme, netloc, root = PyArrowFileIO.parse_location(settings.warehouse)
    storage = lake._load_file_io(location=settings.warehouse).fs_by_scheme(scheme, netloc)
    known = _pointers(lake)
    # listed before the references are read: what a commit adds in between is not in the list
    listed = [file for name in CATALOGS for file in _files(storage, _path(settings.warehouse_of(name)))]
    _refuse_if_moved(settings, known & _pointers(lake), listed)
    expired = (_built(lake), now - KEEP_SNAPSHOTS) if dry_run else None
    needed, folders = _needed(lake, expired)
    limit = (now - SAFETY_AGE).timestamp()
    counts: dict[str, Counter] = defaultdict(Counter)
    for file in listed:
        if file.path in needed or file.mtime.timestamp() >= limit:
            continue
        if not dry_run:
            try:
                storage.delete_file(file.path)
            except FileNotFoundError:  # another maintenance was first
                continue
            failpoint("orphan_removed")
        folder = file.path.rpartition("/data/")[0] or file.path.rpartition("/metadata/")[0]
        name = folders.get(folder, folder.removeprefix(root.rstrip("/") + "/"))
        counts[name].update(files=1, bytes=file.size)
    return [Upkeep(table=name, **counts[name]) for name in sorted(counts)]


def _tables(lake: Catalog, namespaces: Collection[str] | None = None) -> list[str]:
    spaces = sorted(space for (space, *_) in lake.list_namespaces() if namespaces is None or space in namespaces)
    return [".".join(identifier) for space in spaces for identifier in sorted(lake.list_tables(space))]


def _crowded(table: Table, deletes: bool) -> list[list[FileScanTask]]:
    """The files to merge, each list into one: small ones of one partition, of which there are too many.

    With `deletes` files with rows deleted by position count too, however few; else their tables are left alone.
    """
    partitions: dict[tuple, list[FileScanTask]] = defaultdict(list)
    for task in table.scan().plan_files():
        if task.delete_files and not deletes:
            return []
        if task.file.file_size_in_bytes < SMALL_BYTES:
            partitions[(task.file.spec_id, str(task.file.partition))].append(task)
    found = []
    for tasks in partitions.values():
        if len(tasks) <= MOST_FILES and not any(task.delete_files for task in tasks):
            continue
        group, size = [], 0
        for task in sorted(tasks, key=lambda t: t.file.file_path):
            if group and size + task.file.file_size_in_bytes > MERGED_BYTES:
                found.append(group)
                group, size = [], 0
            group, size = [*group, task], size + task.file.file_size_in_bytes
        found.append(group)
    return found


def _merge(table: Table, tasks: list[FileScanTask]) -> Upkeep:
    """Replaces the files of `tasks`, all of one partition, by one file of the same rows."""
    name = ".".join(table.name())
    table.refresh()
    before = table.current_snapshot().summary["total-records"]
    rows = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue()).to_table(tasks)
    with tempfile.TemporaryDirectory() as folder, sentences(f"{name} keeps its small files"):
        file = Path(folder) / "merged.parquet"
        pq.write_table(rows, file, compression="zstd")
        if not _same_rows(rows, file):
            raise SuspectData(
                f"The merged file of {name} reads other rows than its {len(tasks)} parts. It was dropped."
            )
        copy = copy_into(table, file, table.spec().partition_to_path(tasks[0].file.partition, table.schema()))
        failpoint("compaction_copied")
        with table.transaction() as transaction:
            with transaction.update_snapshot(snapshot_properties=COMPACTED).overwrite() as snapshot:
                for task in tasks:
                    snapshot.delete_data_file(task.file)
            transaction.add_files([copy], snapshot_properties=COMPACTED, check_duplicate_files=False)
            after = transaction.table_metadata.current_snapshot().summary["total-records"]
            if after != before:
                raise SuspectData(f"{name} would have {after} rows merged and has {before}. It was not changed.")
    return Upkeep(table=name, merged=len(tasks), into=1)


def _same_rows(rows: pa.Table, file: Path) -> bool:
    with duckdb.connect() as db:
        db.register("parts", rows)
        lost = "select 1 from (from parts except all select * from read_parquet(?)) limit 1"
        return pq.read_metadata(file).num_rows == rows.num_rows and not db.execute(lost, [str(file)]).fetchone()


def _optimize(name: str, table: Table) -> Upkeep:
    """The same by the cluster's Trino, which rewrites row-level deletes too."""
    import trino

    connection = trino.dbapi.connect(
        host=os.environ.get("TRINO_HOST", "127.0.0.1"),
        port=int(os.environ.get("TRINO_PORT", "8080")),
        user=os.environ.get("TRINO_USER", "openimpact"),
    )
    before = {task.file.file_path for task in table.scan().plan_files()}
    quoted = ".".join(f'"{part}"' for part in name.split("."))
    try:
        with connection:
            sql = f"alter table lake.{quoted} execute optimize(file_size_threshold => '{SMALL_BYTES >> 20}MB')"
            connection.cursor().execute(sql).fetchall()
    except trino.exceptions.TrinoQueryError as error:
        raise Unavailable(
            f"Trino left {name} as it is ({error.error_name}). The next maintenance tries again."
        ) from error
    except (trino.exceptions.Error, OSError) as error:
        raise Unavailable(f"Trino does not answer ({type(error).__name__}): {name} keeps its small files.") from error
    after = {task.file.file_path for task in table.refresh().scan().plan_files()}
    return Upkeep(table=name, merged=len(before - after), into=len(after - before))


def _built(lake: Catalog) -> set[int]:
    """Snapshots that a build of either engine is recorded to have read (include/transform/plan.py)."""
    if ("raw",) not in lake.list_namespaces():
        return set()
    properties = lake.load_namespace_properties("raw")
    return {int(value) for key, value in properties.items() if key.startswith("built.") and ".raw." in key}


def _expirable(table: Table, built: set[int], limit: datetime) -> list[int]:
    """Ids of the snapshots that nothing keeps, oldest last; `built` ones and those current since `limit` do."""
    newest_first = sorted(table.snapshots(), key=lambda s: s.sequence_number, reverse=True)
    recent = next(
        (n for n, s in enumerate(newest_first) if s.timestamp_ms < limit.timestamp() * 1000), len(newest_first)
    )
    last_built = max((n for n, s in enumerate(newest_first) if s.snapshot_id in built), default=0)
    pinned = {ref.snapshot_id for ref in table.refs().values()}
    old = newest_first[max(recent, last_built) + 1 :]
    return [s.snapshot_id for s in old if s.snapshot_id not in pinned]


def _files(storage: FileSystem, root: str) -> Iterator[FileInfo]:
    """The files below a warehouse's root in folders named data and metadata."""
    for info in storage.get_file_info(FileSelector(root, recursive=True, allow_not_found=True)):
        if info.is_file and {"data", "metadata"} & set(info.path.removeprefix(root).split("/")[:-1]):
            yield info


def _pointers(lake: SqlCatalog) -> set[tuple]:
    """(catalog, 'namespace.table', metadata file, the one before, TABLE or VIEW) of every catalog in the database."""
    columns = "catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type"
    with lake.engine.connect() as db:
        rows = db.execute(text(f"select {columns} from iceberg_tables")).all()
    return {
        (catalog, f"{space}.{name}", location, former, kind) for catalog, space, name, location, former, kind in rows
    }


def _refuse_if_moved(settings: Settings, known: set[tuple], listed: list[FileInfo]) -> None:
    there = {file.path for file in listed}
    for catalog, name, location, *_ in known:
        if _path(location) not in there:
            raise FixNeeded(
                f"The metadata of {name} (catalog {catalog}) is {location}, which is not in the warehouse "
                f"{settings.warehouse}. A warehouse works only where it was written: restore it there, or correct "
                "OPENIMPACT_WAREHOUSE. Nothing was removed."
            )


def _needed(lake: SqlCatalog, expired: tuple[set[int], datetime] | None) -> tuple[set[str], dict[str, str]]:
    """The paths that some table of some catalog needs, and the tables of the lake by their folder.

    `expired` leaves out what _expirable names for these arguments.
    """
    needed: set[str] = set()
    folders: dict[str, str] = {}
    manifests: dict[str, set[str]] = {}
    for catalog, name, location, former, kind in _pointers(lake):
        needed |= {_path(one) for one in (location, former) if one}
        if kind == "VIEW":
            continue
        table = StaticTable.from_metadata(location, lake.properties)
        if catalog == "lake":
            folders[_path(table.location())] = name
            gone = set(_expirable(table, *expired)) if expired else set()
            snapshots = [s for s in table.snapshots() if s.snapshot_id not in gone]
            needed |= {_path(entry.metadata_file) for entry in table.metadata.metadata_log}
        else:  # a copy made at publication: its current snapshot is the release
            snapshots = [table.current_snapshot()]
        needed |= _files_of(table, snapshots, manifests)
    return needed, folders


def _files_of(table: StaticTable, snapshots: list[Snapshot], manifests: dict[str, set[str]]) -> set[str]:
    """Every file that the snapshots read; `manifests` remembers what each manifest lists."""
    kept = {snapshot.snapshot_id for snapshot in snapshots}
    statistics = (*table.metadata.statistics, *table.metadata.partition_statistics)
    found = {_path(s.statistics_path) for s in statistics if s.snapshot_id in kept}
    for snapshot in snapshots:
        found.add(_path(snapshot.manifest_list))
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in manifests:
                entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                files = {_path(entry.data_file.file_path) for entry in entries}
                manifests[manifest.manifest_path] = files | {_path(manifest.manifest_path)}
            found |= manifests[manifest.manifest_path]
    return found


def _path(location: str) -> str:
    """A location as pyarrow's file systems name it: without scheme, a bucket first."""
    return PyArrowFileIO.parse_location(location)[2].rstrip("/")
