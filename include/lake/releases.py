"""Releases: sets of pointers to tagged snapshots of the export tables, switched all at once.

A release copies no data. Each export's current snapshot is tagged `release-<id>`,
its small metadata file is copied into the consumer warehouse, and one database
transaction points the namespaces `oso` (current) and `oso_<id>` (pinned) at the copies.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table
from sqlalchemy import text

from include.errors import FixNeeded, Unavailable
from include.failpoints import failpoint
from include.lake.catalog import CONFLICTS, open_catalog, retry, sentences
from include.lake.exports import write_export
from include.settings import Settings

CURRENT = "oso"
NOT_RELEASED = "nothing was released and the former release stays current"
VOLATILE_COLUMNS = {"computed_at", "run_id", "last_success_at", "lag_hours", "last_run_at", "seconds"}
VOLATILE_TABLES = {"releases_v1"}
ORPHAN_AFTER = timedelta(days=1)  # a tag of no release is younger than this while its publish may still run
SCHEMA = pa.schema(
    [
        ("release_id", pa.string()),
        ("published_at", pa.timestamp("us", tz="UTC")),
        ("run_id", pa.string()),
        ("code_sha", pa.string()),
        ("directory_sha", pa.string()),
        (
            "tables",
            pa.list_(pa.struct([("name", pa.string()), ("snapshot_id", pa.int64()), ("rows", pa.int64())])),
        ),
        ("notes", pa.string()),
    ]
)


@dataclass(frozen=True)
class ReleasedTable:
    """One table of a release."""

    name: str
    snapshot_id: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Release:
    """What was published, when and from what; `current` says whether namespace `oso` shows it."""

    release_id: str
    published_at: datetime
    run_id: str
    code_sha: str
    directory_sha: str
    tables: tuple[ReleasedTable, ...]
    notes: str | None = None
    current: bool = False


def publish(
    settings: Settings,
    tables: list[str],
    *,
    run_id: str,
    code_sha: str,
    directory_sha: str,
    notes: str | None = None,
) -> Release:
    """Publishes the current snapshots of `tables` ('exports.x') and of releases_v1 as the current release.

    Readers see all tables change together. A kill before the last transaction
    leaves the former release current.

    Raises:
        FixNeeded: no tables, a table without a snapshot, or a full warehouse.
        Unavailable: a table was rewritten meanwhile, or storage or database is away; the former release stays current.
    """
    lake = open_catalog(settings, "lake")
    with sentences(NOT_RELEASED):
        loaded = {name.split(".")[-1]: lake.load_table(name) for name in sorted(tables)}
    empty = [name for name, table in loaded.items() if table.current_snapshot() is None]
    if not loaded or empty:
        raise FixNeeded(f"Nothing to release: {', '.join(empty) or 'no export'} was never built. Build first.")
    now = datetime.now(UTC)
    release = Release(
        release_id=f"{now:%Y%m%dt%H%M%S%f}z",
        published_at=now,
        run_id=run_id,
        code_sha=code_sha,
        directory_sha=directory_sha,
        tables=tuple(ReleasedTable(name, t.current_snapshot().snapshot_id, _rows(t)) for name, t in loaded.items()),
        notes=notes,
    )
    write_export(lake, "releases_v1", _as_table([*list_releases(settings), release]))
    loaded["releases_v1"] = lake.load_table("exports.releases_v1")
    consumer = open_catalog(settings, "consumer")
    with sentences(NOT_RELEASED):
        pointers = {
            name: _pin(settings, lake, consumer, table, name, release.release_id) for name, table in loaded.items()
        }
    pinned = f"{CURRENT}_{release.release_id}"
    record = asdict(release) | {"published_at": now.isoformat(), "current": None}
    failpoint("before_release")
    with consumer.engine.begin() as db:
        _lock(db)
        _create_namespaces(db, pinned, json.dumps(record))
        _point(db, pinned, pointers)
        _point(db, CURRENT, pointers)
    return show_release(settings, release.release_id)


def list_releases(settings: Settings) -> list[Release]:
    """Every retained release, newest first."""
    consumer = open_catalog(settings, "consumer")
    with consumer.engine.connect() as db:
        rows = db.execute(
            text(
                "select property_value from iceberg_namespace_properties"
                " where catalog_name = 'consumer' and property_key like 'release.%'"
                " order by namespace desc, property_key"
            )
        ).scalars()
        parts = list(rows)
        current = _current_id(db)
    return [_from_json(part, current) for part in _joined(parts)]


def show_release(settings: Settings, release_id: str = "current") -> Release:
    """One release, by id or 'current'.

    Raises:
        FixNeeded: it does not exist; the message lists those that do.
    """
    releases = list_releases(settings)
    for release in releases:
        if release.release_id == release_id or (release_id == "current" and release.current):
            return release
    known = ", ".join(r.release_id for r in releases) or "none: publish one first"
    raise FixNeeded(f"There is no release {release_id!r}. Retained releases: {known}.")


def open_release_table(settings: Settings, release_id: str, name: str) -> Table:
    """The table of a retained release, read-only by intent."""
    return open_catalog(settings, "consumer").load_table(f"{CURRENT}_{release_id}.{name}")


def roll_back(settings: Settings, release_id: str) -> Release:
    """Makes a retained release the current one; all tables switch in one transaction.

    Raises:
        FixNeeded: the release does not exist.
    """
    release = show_release(settings, release_id)
    consumer = open_catalog(settings, "consumer")
    with consumer.engine.begin() as db:
        _lock(db)
        pointers = _pointers(db, f"{CURRENT}_{release.release_id}")
        if not pointers:
            raise FixNeeded(f"Release {release_id!r} expired a moment ago; the current release stays. Choose another.")
        _point(db, CURRENT, pointers)
    return show_release(settings, release.release_id)


def expire(settings: Settings, *, keep: int) -> list[str]:
    """Drops all but the newest `keep` releases and the current one. Returns the dropped ids, oldest last.

    Their rows go first, so that nobody can open them, then their tags and
    metadata copies; the data that retained releases point at stays. Tags that
    a killed publish or expiry left behind go too, once they are a day old.

    Raises:
        FixNeeded: keep is below 1.
    """
    if keep < 1:
        raise FixNeeded(f"keep is {keep}; at least one release stays.")
    consumer, lake = open_catalog(settings, "consumer"), open_catalog(settings, "lake")
    gone = []
    for release in list_releases(settings)[keep:]:
        pointers = _forget(consumer, release.release_id)
        if pointers is None:
            continue
        gone.append(release.release_id)
        for name, location in pointers.items():
            _untag(lake, f"exports.{name}", {f"release-{release.release_id}"})
            try:
                consumer._load_file_io(location=location).delete(location)
            except FileNotFoundError:  # an expiry that was killed deleted it
                pass
    remove_stray_tags(settings)
    return gone


def remove_stray_tags(settings: Settings) -> None:
    """Removes the tags, a day old, that a killed publish or expiry left behind: they would keep their data for ever."""
    lake = open_catalog(settings, "lake")
    if ("exports",) not in lake.list_namespaces():
        return
    newest = f"release-{datetime.now(UTC) - ORPHAN_AFTER:%Y%m%dt%H%M%S%f}z"
    retained = {f"release-{release.release_id}" for release in list_releases(settings)}
    for identifier in lake.list_tables("exports"):
        refs = lake.load_table(identifier).refs()
        orphans = {ref for ref in refs if ref.startswith("release-") and ref < newest} - retained
        if orphans:
            _untag(lake, ".".join(identifier), orphans)


def content_hash(settings: Settings, release_id: str = "current") -> str:
    """SHA-256 of a release's content: every table by name, its rows sorted, without what differs between equal runs.

    Left out: the columns computed_at, run_id, last_success_at, lag_hours,
    last_run_at and seconds, and the table releases_v1.
    """
    release = show_release(settings, release_id)
    digest = hashlib.sha256()
    for item in sorted(release.tables, key=lambda t: t.name):
        if item.name in VOLATILE_TABLES:
            continue
        digest.update(f"table {item.name}\n".encode())
        table = open_release_table(settings, release.release_id, item.name)
        columns = sorted(f.name for f in table.schema().fields if f.name not in VOLATILE_COLUMNS)
        digest.update((json.dumps(columns) + "\n").encode())
        rows = []
        for batch in table.scan(selected_fields=tuple(columns)).to_arrow_batch_reader():
            rows += [json.dumps([row[c] for c in columns], default=str) for row in batch.to_pylist()]
        for row in sorted(rows):
            digest.update(row.encode() + b"\n")
    return digest.hexdigest()


def _pin(settings: Settings, lake: Catalog, consumer: SqlCatalog, table: Table, name: str, release_id: str) -> str:
    """Tags the table's snapshot and copies its metadata file; returns the copy's location."""
    snapshot_id = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_tag(snapshot_id, f"release-{release_id}").commit()
    table = lake.load_table(f"exports.{name}")
    if table.current_snapshot().snapshot_id != snapshot_id:
        raise Unavailable(
            f"exports.{name} was rewritten while it was being released: nothing was released and the former release "
            "stays current. Wait for the build to end, then publish again."
        )
    file = table.metadata_location.rsplit("/", 1)[1]  # Trino refuses any other name than NNNNN-<uuid>.metadata.json
    copy = f"{settings.warehouse_of('consumer')}/{release_id}/{name}/metadata/{file}"
    with table.io.new_input(table.metadata_location).open() as source:
        content = source.read()
    with consumer._load_file_io(location=copy).new_output(copy).create(overwrite=True) as out:
        out.write(content)
    return copy


def _forget(consumer: SqlCatalog, release_id: str) -> dict[str, str] | None:
    """Deletes a release's rows and returns its pointers; None, and nothing deleted, if it is current by now."""
    namespace = f"{CURRENT}_{release_id}"
    with consumer.engine.begin() as db:
        _lock(db)
        if _current_id(db) == release_id:
            return None
        pointers = _pointers(db, namespace)
        for table, column in (("iceberg_tables", "table_namespace"), ("iceberg_namespace_properties", "namespace")):
            db.execute(text(f"delete from {table} where catalog_name = 'consumer' and {column} = :n"), {"n": namespace})
    return pointers


def _untag(lake: Catalog, name: str, tags: set[str]) -> None:
    """Removes those of the tags that the table has; a table that is gone has none."""

    def remove() -> None:
        table = lake.load_table(name)
        for tag in sorted(tags & set(table.refs())):
            table.manage_snapshots().remove_tag(tag).commit()

    try:
        retry(remove, CONFLICTS)
    except NoSuchTableError:
        pass


def _lock(db) -> None:
    """Lets one transaction at a time move pointers: takes SQLite's write lock, on PostgreSQL that of one row."""
    db.execute(
        text(
            "update iceberg_namespace_properties set property_value = property_value"
            " where catalog_name = 'consumer' and namespace = :n and property_key = 'exists'"
        ),
        {"n": CURRENT},
    )


def _create_namespaces(db, pinned: str, record: str) -> None:
    chunks = [record[i : i + 900] for i in range(0, len(record), 900)]  # property_value holds 1,000 characters
    rows = [(pinned, "exists", "true"), *((pinned, f"release.{i:04}", c) for i, c in enumerate(chunks))]
    known = db.execute(
        text("select count(*) from iceberg_namespace_properties where catalog_name = 'consumer' and namespace = :n"),
        {"n": CURRENT},
    ).scalar()
    if not known:
        rows.append((CURRENT, "exists", "true"))
    db.execute(
        text(
            "insert into iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)"
            " values ('consumer', :n, :k, :v)"
        ),
        [{"n": n, "k": k, "v": v} for n, k, v in rows],
    )


def _point(db, namespace: str, pointers: dict[str, str]) -> None:
    db.execute(
        text("delete from iceberg_tables where catalog_name = 'consumer' and table_namespace = :n"), {"n": namespace}
    )
    db.execute(
        text(
            "insert into iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)"
            " values ('consumer', :n, :t, :m, 'TABLE')"
        ),
        [{"n": namespace, "t": name, "m": location} for name, location in pointers.items()],
    )


def _pointers(db, namespace: str) -> dict[str, str]:
    rows = db.execute(
        text(
            "select table_name, metadata_location from iceberg_tables"
            " where catalog_name = 'consumer' and table_namespace = :n"
        ),
        {"n": namespace},
    )
    return {name: location for name, location in rows}


def _current_id(db) -> str | None:
    locations = _pointers(db, CURRENT).values()
    return next(iter(locations)).split("/")[-4] if locations else None


def _joined(parts: list[str]) -> list[str]:
    """The records from their pieces: a piece that starts with '{"release_id"' begins the next."""
    records: list[str] = []
    for part in parts:
        if part.startswith('{"release_id"'):
            records.append(part)
        else:
            records[-1] += part
    return records


def _from_json(record: str, current: str | None) -> Release:
    value = json.loads(record)
    return Release(
        **value
        | {
            "published_at": datetime.fromisoformat(value["published_at"]),
            "tables": tuple(ReleasedTable(**t) for t in value["tables"]),
            "current": value["release_id"] == current,
        }
    )


def _as_table(releases: list[Release]) -> pa.Table:
    rows = [asdict(r) for r in sorted(releases, key=lambda r: r.release_id)]
    for row in rows:
        del row["current"]
    return pa.Table.from_pylist(rows, SCHEMA)


def _rows(table: Table) -> int:
    return int(table.current_snapshot().summary["total-records"])
