"""The pipeline's Trino shares the lake with PyIceberg."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from include.lake.catalog import open_catalog
from include.lake.tables import ensure_table

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
    lake.drop_table("raw.shared")  # other tests build and release this lake


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
