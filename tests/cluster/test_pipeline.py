"""The memory rules and resource groups of the pipeline's Trino."""

import pytest
import trino

# sorts two million texts in one window
SORT = (
    "select max(place) from (select row_number() over (order by cast(n * 7919 % 1000003 as varchar)) as place"
    " from unnest(sequence(1, 2000)) as a(m) cross join unnest(sequence(1, 1000)) as b(n))"
)


def sort(cluster, spill: str) -> tuple[list, int]:
    """(rows, bytes that went to disk) of SORT in 30 MB."""
    session = {"query_max_memory_per_node": "30MB", "spill_enabled": spill}
    with cluster.connect("pipeline", session_properties=session) as connection:
        cursor = connection.cursor().execute(SORT)
        return cursor.fetchall(), cursor.stats["spilledBytes"]


def test_what_does_not_fit_into_memory_goes_to_disk(cluster):
    with pytest.raises(trino.exceptions.TrinoQueryError, match="EXCEEDED_LOCAL_MEMORY_LIMIT"):
        sort(cluster, "false")
    rows, spilled = sort(cluster, "true")
    assert rows == [[2_000_000]] and spilled > 0


def test_dbt_and_people_do_not_wait_for_each_other(cluster):
    for source, group in (("dbt-trino-1.10.2", "dbt"), ("trino-cli", "other")):
        with cluster.connect("pipeline", source=source) as connection:
            mine = "select resource_group_id from system.runtime.queries where source = ? and state = 'RUNNING'"
            assert connection.cursor().execute(mine, [source]).fetchall() == [[[group]]]
