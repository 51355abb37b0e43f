"""The upkeep of a lake that Trino and PyIceberg share, and the restore of its catalog from a dump."""

import subprocess
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.landing import earliest_day_touched
from include.lake.maintenance import MOST_FILES, compact, maintain
from include.lake.releases import content_hash, publish
from include.lake.tables import ensure_table
from include.settings import load_settings
from tests.cluster.servers import ADMIN, HOST, OWNER

SCHEMA = pa.schema([("id", pa.string()), ("_day", pa.date32())])
DAY = date(2026, 1, 5)
LATER = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
def kept_up(on_cluster, cluster):
    """A raw table of many small files, a model with rows deleted by position, a view, and a release of two states."""
    lake = open_catalog(on_cluster, "lake")
    raw = ensure_table(lake, "raw.upkeep", SCHEMA, "_day")
    for number in range(MOST_FILES + 1):
        raw.append(pa.table({"id": [str(number)], "_day": [DAY]}, schema=SCHEMA))
    for statement in (
        "create schema if not exists lake.metrics",
        "create or replace table lake.metrics.upkeep as select id, _day from lake.raw.upkeep",
        "delete from lake.metrics.upkeep where id < '3'",
        "create or replace view lake.metrics.upkeep_seen as select count(*) as n from lake.metrics.upkeep",
    ):
        cluster.query("pipeline", statement)
    for rows in ([1, 2, 3], [4]):
        write_export(lake, "upkeep_v1", pa.table({"n": rows}))
        publish(on_cluster, ["exports.upkeep_v1"], run_id="r", code_sha="c", directory_sha="d")
    yield on_cluster
    cluster.query("pipeline", "drop view lake.metrics.upkeep_seen")
    for name in ("raw.upkeep", "metrics.upkeep", "exports.upkeep_v1"):
        lake.drop_table(name)


def objects(settings) -> int:
    """How many bytes the bucket holds below the warehouse."""
    from pyarrow.fs import FileSelector

    io = open_catalog(settings, "lake")._load_file_io(location=settings.warehouse)
    scheme, netloc, path = io.parse_location(settings.warehouse)
    found = io.fs_by_scheme(scheme, netloc).get_file_info(FileSelector(path, recursive=True))
    return sum(info.size for info in found if info.is_file)


def test_trino_merges_and_what_releases_read_stays(kept_up, cluster):
    lake = open_catalog(kept_up, "lake")
    recorded = {"raw.upkeep": lake.load_table("raw.upkeep").current_snapshot().snapshot_id}
    before, size = content_hash(kept_up), objects(kept_up)
    merged = {u.table: (u.merged, u.into) for u in compact(kept_up) if "upkeep" in u.table}
    assert merged == {"raw.upkeep": (MOST_FILES + 1, 1), "metrics.upkeep": (1, 1)}
    assert earliest_day_touched(lake, recorded) is None
    assert not any(task.delete_files for task in lake.load_table("metrics.upkeep").scan().plan_files())
    size = objects(kept_up)
    done = maintain(kept_up, now=LATER)
    assert sum(u.files for u in done if u.table == "raw.upkeep") >= MOST_FILES + 1
    assert 0 < sum(u.bytes for u in done) and size - objects(kept_up) > 0
    assert content_hash(kept_up) == before
    assert cluster.query("pipeline", "select count(*) from lake.raw.upkeep") == [[MOST_FILES + 1]]
    assert cluster.query("pipeline", "select n from lake.metrics.upkeep_seen") == [[MOST_FILES + 1 - 3]]
    assert cluster.query("consumer", "select sum(n) from consumer.oso.upkeep_v1") == [[4]]


def test_a_dump_of_the_catalog_restores_it(kept_up, cluster):
    """With the commands of docs/upgrade-and-restore.md."""
    before = content_hash(kept_up)
    where = ["-h", HOST, "-p", str(cluster.pg_port)]
    dump = kept_up.home / "catalog.dump"
    dump.parent.mkdir(parents=True, exist_ok=True)
    postgres = cluster.tools.postgres
    for role, command in (
        (OWNER, [postgres / "pg_dump", *where, "-Fc", "-f", dump, "catalog"]),
        (ADMIN, [postgres / "createdb", *where, "-O", OWNER, "restored"]),
        (OWNER, [postgres / "pg_restore", *where, "--clean", "--if-exists", "-d", "restored", dump]),
    ):
        env = {"PGUSER": role, "PGPASSWORD": cluster.keys[role]}
        subprocess.run([str(part) for part in command], env=env, check=True, capture_output=True)
    uri = urlsplit(kept_up.catalog_uri)._replace(path="/restored").geturl()
    restored = load_settings(cluster.settings_env() | {"OPENIMPACT_CATALOG_URI": uri})
    assert content_hash(restored) == before
    assert open_catalog(restored, "lake").load_table("raw.upkeep").scan().to_arrow().num_rows == MOST_FILES + 1
