"""The resource groups of the pipeline's Trino, and its spill to disk."""

import pytest
import trino


def test_dbt_and_people_are_in_groups_of_their_own(cluster):
    for source, group in (("dbt-trino-1.10.2", "dbt"), ("trino-cli", "other")):
        with cluster.connect("pipeline", source=source) as connection:
            mine = "select resource_group_id from system.runtime.queries where source = ? and state = 'RUNNING'"
            assert connection.cursor().execute(mine, [source]).fetchall() == [[[group]]]


def test_an_aggregation_that_outgrows_its_memory_goes_to_disk(cluster):
    numbers = "unnest(sequence(1, 300)) as a (i) cross join unnest(sequence(1, 10000)) as b (j)"
    groups = f"select i * 10000 + j as n, count(*) as c, max(cast(j as varchar)) as t from {numbers} group by 1"
    with cluster.connect("pipeline") as connection:
        cursor = connection.cursor()

        def count(spills: str) -> list:
            cursor.execute("set session query_max_memory_per_node = '64MB'").fetchall()
            cursor.execute(f"set session spill_enabled = {spills}").fetchall()
            return cursor.execute(f"select count(*), sum(c), max(t) from ({groups})").fetchall()

        with pytest.raises(trino.exceptions.TrinoQueryError, match="EXCEEDED_LOCAL_MEMORY_LIMIT"):
            count("false")
        assert count("true") == [[3_000_000, 3_000_000, "9999"]]
        assert cursor.stats["spilledBytes"] > 0
