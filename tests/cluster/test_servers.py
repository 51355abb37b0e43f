"""The two Trino servers share the lake with PyIceberg, and the consumer's can only read."""

from datetime import UTC, date, datetime

import psycopg2
import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO
from trino.exceptions import TrinoUserError

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import publish
from include.lake.tables import ensure_table
from tests.cluster.servers import BUCKET, READER

ROWS = pa.table(
    {
        "name": pa.array(["a", None]),
        "tags": pa.array([["x", "y"], []], pa.list_(pa.string())),
        "amount": pa.array([1.5, None], pa.float64()),
        "at": pa.array([datetime(2025, 5, 1, 12, 30, 0, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "_day": pa.array([date(2025, 5, 1), date(2025, 5, 2)], pa.date32()),
    }
)


@pytest.fixture
def written(on_cluster):
    lake = open_catalog(on_cluster, "lake")
    ensure_table(lake, "raw.shared", ROWS.schema, partition_by="_day").overwrite(ROWS)
    yield on_cluster
    for name in ("raw.shared", "exports.shared_v1"):  # other tests build and release this lake
        if lake.table_exists(name):
            lake.drop_table(name)


def test_the_pipeline_reads_what_pyiceberg_wrote(written, cluster):
    sql = "select name, tags, amount, cast(at as varchar), _day from lake.raw.shared order by _day"
    assert cluster.query("pipeline", sql) == [
        ["a", ["x", "y"], 1.5, "2025-05-01 12:30:00.000001 UTC", date(2025, 5, 1)],
        [None, [], None, None, date(2025, 5, 2)],
    ]


def test_pyiceberg_reads_what_the_pipeline_wrote(written, cluster):
    cluster.query("pipeline", "create schema if not exists lake.scratch")
    cluster.query("pipeline", "create or replace table lake.scratch.t as select name from lake.raw.shared")
    cluster.query("pipeline", "delete from lake.scratch.t where name is null")
    assert open_catalog(written, "lake").load_table("scratch.t").scan().to_arrow().to_pydict() == {"name": ["a"]}


def test_the_consumer_reads_the_release_and_every_stage(written, cluster):
    write_export(open_catalog(written, "lake"), "shared_v1", ROWS)
    publish(written, ["exports.shared_v1"], run_id="r", code_sha="c", directory_sha="d")
    assert cluster.query("consumer", "select count(*) from consumer.oso.shared_v1") == [[2]]
    assert cluster.query("consumer", "select count(*) from lake.raw.shared") == [[2]]


@pytest.mark.parametrize("catalog", ["lake", "consumer"])
@pytest.mark.parametrize(
    "statement",
    [
        "create schema {0}.mine",
        "create table {1} as select 1 as x",
        "insert into {2} (name) values ('b')",
        "delete from {2}",
        "drop table {2}",
    ],
)
def test_the_consumer_refuses_every_write(written, cluster, catalog, statement):
    write_export(open_catalog(written, "lake"), "shared_v1", ROWS)
    publish(written, ["exports.shared_v1"], run_id="r", code_sha="c", directory_sha="d")
    schema, table = {"lake": ("raw", "shared"), "consumer": ("oso", "shared_v1")}[catalog]
    with pytest.raises(TrinoUserError, match="Access Denied") as refused:
        cluster.query("consumer", statement.format(catalog, f"{catalog}.{schema}.mine", f"{catalog}.{schema}.{table}"))
    assert refused.value.error_name == "PERMISSION_DENIED"


def test_the_consumers_storage_keys_cannot_write(written, cluster):
    reader = PyArrowFileIO(cluster.storage_properties("reader"))
    assert reader.new_input(f"s3://{BUCKET}/ready").open().read() == b"1"
    with pytest.raises(OSError, match="(?i)denied|forbidden"):
        with reader.new_output(f"s3://{BUCKET}/mine").create(overwrite=True) as out:
            out.write(b"1")


def test_the_consumers_database_role_cannot_write(written, cluster):
    with cluster.database(READER) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from iceberg_tables")
