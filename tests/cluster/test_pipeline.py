"""The resource groups of the pipeline's Trino."""


def test_dbt_and_people_are_in_groups_of_their_own(cluster):
    for source, group in (("dbt-trino-1.10.2", "dbt"), ("trino-cli", "other")):
        with cluster.connect("pipeline", source=source) as connection:
            mine = "select resource_group_id from system.runtime.queries where source = ? and state = 'RUNNING'"
            assert connection.cursor().execute(mine, [source]).fetchall() == [[[group]]]
