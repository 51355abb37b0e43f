"""The landing of one day: replaced whole, in one commit, or not at all.

Every commit carries what it is (run id, window, rows), so that a commit whose
answer was lost is recognised, and the transform knows which days changed.
"""

import hashlib
import json
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from include.errors import SuspectData
from include.lake.catalog import CONFLICTS, retry, sentences

COPY_BYTES = 8 << 20
COMPACTED = {"openimpact.compacted": "true"}  # properties of a commit that changed files and no row


class Touched(Enum):
    """Which days changed, when no single day can be named."""

    EVERYTHING = "everything"


EVERYTHING = Touched.EVERYTHING


def replace_day(
    table: Table,
    day: date,
    parquet_paths: list[Path],
    *,
    run_id: str,
    rows: int,
    rejected: int,
    cost: Mapping[str, int] | None = None,
) -> int | None:
    """Replaces the rows of `_day` = `day` by those of the files, in one atomic commit.

    An empty list clears the day. A commit of this run for this day and of these
    very files that is already there is not repeated; files that the same run
    fetched anew (a run cleared in Airflow keeps its id) are landed. Returns the snapshot id that holds the day;
    None if an empty day was landed into a table without data. The commit carries `cost`, what the fetch spent.

    Raises:
        SuspectData: a file holds rows of another day, or other than `rows` rows; nothing is committed.
        FixNeeded: the warehouse is full or not writable; the table keeps its former content.
        Unavailable: other writers won every try, or the catalog database does not answer.
    """
    name = ".".join(table.name())
    _check_staged(name, day, parquet_paths, rows)
    properties = {
        "openimpact.run-id": run_id,
        "openimpact.window-start": day.isoformat(),
        "openimpact.window-end": (day + timedelta(days=1)).isoformat(),
        "openimpact.rows": str(rows),
        "openimpact.rejected": str(rejected),
        "openimpact.cost": json.dumps(cost or {}),
        "openimpact.staged": _digest(parquet_paths),
    }

    files: list[str] = []

    def commit() -> int | None:
        table.refresh()
        if (done := _commit_of(table, properties)) is not None:
            return done
        if not files:
            files.extend(copy_into(table, path, f"_day={day}") for path in parquet_paths)
        with table.transaction() as transaction, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Delete operation did not match any records")
            transaction.delete(EqualTo("_day", day.isoformat()), snapshot_properties=properties)
            if files:
                transaction.add_files(files, snapshot_properties=properties, check_duplicate_files=False)
        snapshot = table.current_snapshot()
        return snapshot.snapshot_id if snapshot else None

    with sentences(f"{name} for {day} was not landed and keeps its former rows"):
        return retry(commit, CONFLICTS)


def snapshots_of(catalog: Catalog, namespace: str = "raw") -> dict[str, int]:
    """The current snapshot id of every table of the namespace that has one, by 'namespace.table'."""
    if (namespace,) not in catalog.list_namespaces():
        return {}
    found = {}
    for identifier in catalog.list_tables(namespace):
        snapshot = catalog.load_table(identifier).current_snapshot()
        if snapshot:
            found[".".join(identifier)] = snapshot.snapshot_id
    return found


def earliest_day_touched(catalog: Catalog, since: dict[str, int | None]) -> date | Touched | None:
    """The earliest day landed since the given snapshots of these tables; None is that of a table without any.

    None if nothing landed; EVERYTHING if a recorded snapshot, or the first one, is no longer in a
    table's history, or a commit does not say which day it is of. Compactions count as nothing.
    """
    earliest = None
    for name, recorded in since.items():
        oldest = None
        for snapshot in _newest_first(catalog.load_table(name)):
            if snapshot.snapshot_id == recorded:
                break
            if _is_compaction(snapshot):
                continue
            day = snapshot.summary.get("openimpact.window-start") if snapshot.summary else None
            if day is None:
                return EVERYTHING
            earliest, oldest = min(filter(None, (earliest, date.fromisoformat(day)))), snapshot
        else:
            if recorded is not None or (oldest and oldest.sequence_number > 1):
                return EVERYTHING
    return earliest


def _is_compaction(snapshot: Snapshot) -> bool:
    """Whether the commit changed files and no row: ours says so, Trino's is a replace."""
    summary = snapshot.summary
    if summary is None:
        return False
    return summary.operation is Operation.REPLACE or all(summary.get(key) == value for key, value in COMPACTED.items())


def _newest_first(table: Table) -> Iterator[Snapshot]:
    snapshot = table.current_snapshot()
    while snapshot:
        yield snapshot
        snapshot = table.snapshot_by_id(snapshot.parent_snapshot_id) if snapshot.parent_snapshot_id else None


def _commit_of(table: Table, properties: dict[str, str]) -> int | None:
    keys = ("openimpact.run-id", "openimpact.window-start", "openimpact.staged")
    wanted = {key: properties[key] for key in keys}
    for snapshot in _newest_first(table):
        summary = snapshot.summary
        if summary and all(summary.get(key) == value for key, value in wanted.items()):
            return snapshot.snapshot_id
        # a later run of the same day has replaced ours only if it came after: then it is found first
        if summary and summary.get("openimpact.window-start") == wanted["openimpact.window-start"]:
            return None
    return None


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _check_staged(name: str, day: date, paths: list[Path], rows: int) -> None:
    """Compares the files' footers with what was announced; no row is read."""
    found = 0
    for path in paths:
        footer = pq.read_metadata(path)
        found += footer.num_rows
        place = [footer.schema.column(n).path for n in range(footer.num_columns)].index("_day")
        for group in range(footer.num_row_groups):
            stats = footer.row_group(group).column(place).statistics
            if stats is None or stats.null_count or not stats.has_min_max or {stats.min, stats.max} != {day}:
                raise SuspectData(
                    f"{path.name}, staged for {name} on {day}, holds rows of other days or of none; "
                    "they would double on a re-run. Fetch the day again; nothing was committed."
                )
    if found != rows:
        raise SuspectData(
            f"{name} for {day}: {rows} rows were fetched and {found} are staged. "
            "Fetch the day again; nothing was committed."
        )


def copy_into(table: Table, path: Path, partition: str = "") -> str:
    """Copies a local Parquet file as it is to the table's data; returns its location. No half file stays behind.

    `partition`, such as _day=2026-01-05, becomes the file's folder: by it DuckDB knows which files it need not open.
    """
    location = table.location_provider().new_data_location(f"{partition}/{uuid.uuid4()}.parquet".lstrip("/"))
    try:
        with path.open("rb") as staged, table.io.new_output(location).create() as copy:
            shutil.copyfileobj(staged, copy, COPY_BYTES)
    except OSError:
        table.io.delete(location)
        raise
    return location
