"""Queries as users of OSO and of Hasura v2 wrote them answer with the numbers of the release."""

from tests.consumer.graphql_world import BEYOND_DOUBLE


def data(answer):
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def message(answer):
    (error,) = answer["errors"]
    return error["message"]


def test_the_documented_list_of_projects_answers(world):
    query = """query GetProjects {
      oso_projectsV1(limit: 10) {
        description displayName projectId projectName projectNamespace projectSource
      }
    }"""
    assert data(world.oso(query))["oso_projectsV1"][:2] == [
        {
            "description": "The first.",
            "displayName": "Alpha",
            "projectId": "p1",
            "projectName": "alpha",
            "projectNamespace": "oso",
            "projectSource": "OSS_DIRECTORY",
        },
        {
            "description": None,
            "displayName": "Beta",
            "projectId": "p2",
            "projectName": "beta",
            "projectNamespace": "oso",
            "projectSource": "OSS_DIRECTORY",
        },
    ]


def test_the_documented_ranking_by_stars_has_what_is_unknown_last(world):
    query = """query GetCodeMetrics {
      oso_codeMetricsByProjectV1(limit: 10, order_by: [{ starCount: Desc }]) {
        projectId projectName eventSource starCount forkCount contributorCount
      }
    }"""
    rows = data(world.oso(query))["oso_codeMetricsByProjectV1"]
    assert [(row["projectName"], row["starCount"]) for row in rows] == [("beta", 30), ("alpha", 10), ("gamma", None)]
    assert rows[1] == {
        "projectId": "p1",
        "projectName": "alpha",
        "eventSource": "GITHUB",
        "starCount": 10,
        "forkCount": BEYOND_DOUBLE,
        "contributorCount": None,
    }
    one = data(world.oso("{ oso_codeMetricsByProjectV1(order_by: {starCount: Desc}, limit: 1) { projectName } }"))
    assert one == {"oso_codeMetricsByProjectV1": [{"projectName": "beta"}]}


def test_the_three_part_query_of_a_dashboard_answers_with_the_scalars_it_was_written_with(world):
    query = """query TimeseriesMetricsByProject($projectIds: [String!], $metricIds: [String1!], $from: Oso_Date!,
        $to: Date!) {
      oso_timeseriesMetricsByProjectV0(where: {
        projectId: {_in: $projectIds}, metricId: {_in: $metricIds}, sampleDate: {_gte: $from, _lte: $to}
      }) { amount metricId projectId sampleDate unit }
      oso_projectsV1(where: {projectId: {_in: $projectIds}}) { projectName }
      oso_metricsV0(where: {metricId: {_in: $metricIds}}) { metricName }
    }"""
    asked = {"projectIds": ["p1"], "metricIds": ["m-commits"], "from": "2026-11-02", "to": "2026-11-30"}
    assert data(world.oso(query, **asked)) == {
        "oso_timeseriesMetricsByProjectV0": [
            {"amount": 0.0, "metricId": "m-commits", "projectId": "p1", "sampleDate": "2026-11-02", "unit": "commits"},
            {"amount": 4.0, "metricId": "m-commits", "projectId": "p1", "sampleDate": "2026-11-03", "unit": "commits"},
        ],
        "oso_projectsV1": [{"projectName": "alpha"}],
        "oso_metricsV0": [{"metricName": "GITHUB_commits"}],
    }


def test_the_query_of_grant_rounds_in_the_style_of_hasura_answers(world):
    query = """query($projects: [String!]) {
      onchain_metrics_by_project_v1(where: {project_name: {_in: $projects}}, order_by: {event_source: asc}) {
        project_name event_source transaction_count gas_fees_sum
      }
    }"""
    assert data(world.hasura(query, projects=["alpha", "beta"])) == {
        "onchain_metrics_by_project_v1": [
            {"project_name": "alpha", "event_source": "BASE", "transaction_count": 4, "gas_fees_sum": 0.5},
            {"project_name": "alpha", "event_source": "OPTIMISM", "transaction_count": 6, "gas_fees_sum": 0.25},
        ]
    }


def test_aggregates_in_the_style_of_oso(world):
    query = """{ oso_codeMetricsByProjectV1Aggregate(filter_input: {where: {projectId: {_in: ["p1", "p2", "p3"]}}}) {
      _count
      starCount { avg count max min sum _count _count_distinct stddev_pop stddev_samp var_pop var_samp }
      projectName { max min }
      computedAt { _count }
      eventSource { _count _count_distinct }
    } }"""
    assert data(world.oso(query)) == {
        "oso_codeMetricsByProjectV1Aggregate": {
            "_count": 3,
            "starCount": {
                "avg": 20.0,
                "count": 2,
                "max": 30,
                "min": 10,
                "sum": 40,
                "_count": 2,
                "_count_distinct": 2,
                "stddev_pop": 10.0,
                "stddev_samp": 200**0.5,
                "var_pop": 100.0,
                "var_samp": 200.0,
            },
            "projectName": {"max": "gamma", "min": "alpha"},
            "computedAt": {"_count": 3},
            "eventSource": {"_count": 3, "_count_distinct": 1},
        }
    }


def test_an_aggregate_of_no_rows_is_null_and_its_count_zero(world):
    query = """{ oso_codeMetricsByProjectV1Aggregate(filter_input: {where: {projectId: {_eq: "none"}}}) {
      _count starCount { sum avg } } }"""
    assert data(world.oso(query)) == {
        "oso_codeMetricsByProjectV1Aggregate": {"_count": 0, "starCount": {"sum": None, "avg": None}}
    }


def test_aggregates_in_the_style_of_hasura_with_their_rows(world):
    query = """{ code_metrics_by_project_v1_aggregate(order_by: {star_count: desc_nulls_last}, limit: 2) {
      aggregate { count stars: count(columns: star_count) sum { star_count } max { project_name } }
      nodes { project_name }
    } whole: code_metrics_by_project_v1_aggregate {
      aggregate {
        count
        stars: count(columns: [star_count, project_id])
        sources: count(columns: event_source, distinct: true)
      }
    } }"""
    assert data(world.hasura(query)) == {
        "code_metrics_by_project_v1_aggregate": {
            "aggregate": {"count": 2, "stars": 2, "sum": {"star_count": 40}, "max": {"project_name": "beta"}},
            "nodes": [{"project_name": "beta"}, {"project_name": "alpha"}],
        },
        "whole": {"aggregate": {"count": 3, "stars": 2, "sources": 1}},
    }


def test_hasura_puts_nulls_first_where_it_sorts_down_and_as_told_else(world):
    def order(direction):
        query = f"{{ code_metrics_by_project_v1(order_by: {{star_count: {direction}}}) {{ project_name }} }}"
        return [row["project_name"] for row in data(world.hasura(query))["code_metrics_by_project_v1"]]

    assert order("asc") == order("asc_nulls_last") == ["alpha", "beta", "gamma"]
    assert order("asc_nulls_first") == ["gamma", "alpha", "beta"]
    assert order("desc") == order("desc_nulls_first") == ["gamma", "beta", "alpha"]
    assert order("desc_nulls_last") == ["beta", "alpha", "gamma"]


def test_a_row_is_found_by_its_whole_key_or_is_null(world):
    query = """{ projects_v1_by_pk(project_id: "p2") { display_name }
      none: projects_v1_by_pk(project_id: "p9") { display_name }
      key_metrics_by_project_v1_by_pk(project_id: "p2", metric_id: "m-commits") { amount } }"""
    assert data(world.hasura(query)) == {
        "projects_v1_by_pk": {"display_name": "Beta"},
        "none": None,
        "key_metrics_by_project_v1_by_pk": {"amount": 7.5},
    }


def test_every_operator_means_what_sql_means(world):
    def names(where):
        query = f"{{ code_metrics_by_project_v1(where: {where}) {{ project_name }} }}"
        return [row["project_name"] for row in data(world.hasura(query))["code_metrics_by_project_v1"]]

    assert names("{}") == ["alpha", "beta", "gamma"]
    assert names("{star_count: {_eq: 10}}") == ["alpha"]
    assert names("{star_count: {_neq: 10}}") == ["beta"]
    assert names("{star_count: {_in: []}}") == []
    assert names("{star_count: {_nin: [10]}}") == ["beta"]
    assert names("{star_count: {_gt: 10}}") == names("{star_count: {_gte: 11}}") == ["beta"]
    assert names("{star_count: {_lt: 30, _lte: 10}}") == ["alpha"]
    assert names("{star_count: {_is_null: true}}") == ["gamma"]
    assert names("{star_count: {_is_null: false}}") == ["alpha", "beta"]
    assert names('{fork_count: {_eq: "9007199254740993"}}') == ["alpha"]
    assert names("{fork_count: {_eq: 9007199254740992}}") == []
    assert names('{project_name: {_like: "%a%m%"}}') == ["gamma"]
    assert names('{project_name: {_nlike: "%a%m%"}}') == ["alpha", "beta"]
    assert names('{project_name: {_ilike: "ALPH_"}}') == ["alpha"]
    assert names('{project_name: {_nilike: "ALPH_"}}') == ["beta", "gamma"]
    assert names('{project_name: {_like: "alph"}}') == names('{project_name: {_like: "a.*"}}') == []
    assert names('{display_name: {_like: "A[l]pha"}}') == names('{display_name: {_like: "alpha"}}') == []
    assert names('{project_name: {_contains: "et"}}') == ["beta"]
    assert names('{_or: [{star_count: {_eq: 10}}, {project_name: {_eq: "gamma"}}]}') == ["alpha", "gamma"]
    assert names("{_or: []}") == [] and names("{_and: []}") == ["alpha", "beta", "gamma"]
    assert names("{_not: {star_count: {_eq: 10}}}") == ["beta"]
    assert names("{star_count: {_or: [{_lt: 20}, {_is_null: true}]}}") == ["alpha", "gamma"]


def test_a_condition_on_null_is_refused_for_it_would_drop_the_filter(world):
    query = "query($n: String) { projects_v1(where: {project_name: {_eq: $n}}) { project_name } }"
    assert "_eq is null, which compares with nothing" in message(world.hasura(query, n=None))


def test_distinct_keeps_the_first_row_of_each_value_in_the_order_asked(world):
    query = """{ key_metrics_by_project_v1(distinct_on: metric, order_by: [{amount: asc}]) { metric amount } }"""
    assert data(world.hasura(query)) == {
        "key_metrics_by_project_v1": [{"metric": "commits", "amount": 5.0}, {"metric": "stars", "amount": 10.0}]
    }
    query = """{ oso_projectsByCollectionV1(distinct_on: [projectName]) { projectName } }"""
    assert data(world.oso(query)) == {"oso_projectsByCollectionV1": [{"projectName": "alpha"}, {"projectName": "beta"}]}


def test_numbers_that_json_cannot_write_and_unknown_ones_are_null_and_say_their_quality(world):
    query = """{ oso_keyMetricsByProjectV1(order_by: [{metricId: Asc}, {projectId: Asc}]) {
      projectId metric amount quality coverage computedAt } }"""
    rows = data(world.oso(query))["oso_keyMetricsByProjectV1"]
    assert [row["amount"] for row in rows] == [5.0, 7.5, None, 10.0, None, None]
    assert rows[2]["quality"] == "unknown" and rows[2]["coverage"] == 0.0
    assert rows[0]["computedAt"] == "2026-11-02T03:04:05.678000+00:00"


def test_every_answer_says_its_release(world):
    expected = {"id": world.release.release_id, "published_at": world.release.published_at.isoformat()}
    for answer in (
        world.oso("{ __typename }"),
        world.oso("{"),
        world.hasura("{ nothing }"),
        world.oso("{ __schema { queryType { name } } }"),
    ):
        assert answer["extensions"] == {"release": expected}


def test_a_metric_is_found_by_its_name_without_a_second_request(world):
    query = """{ projects_v1(where: {project_name: {_eq: "alpha"}}) {
      project_name
      key_metrics_by_project_v1(where: {metric: {_eq: "commits"}, window: {_eq: "over_all_time"}}) {
        amount unit sample_date metric_by_id { definition }
      } } }"""
    assert data(world.hasura(query)) == {
        "projects_v1": [
            {
                "project_name": "alpha",
                "key_metrics_by_project_v1": [
                    {
                        "amount": 5.0,
                        "unit": "commits",
                        "sample_date": "2026-11-01",
                        "metric_by_id": {"definition": "commits"},
                    }
                ],
            }
        ]
    }


def test_relations_lead_from_collections_to_projects_to_artifacts_metrics_and_back(world):
    query = """{ oso_collectionsV1 { collectionName projectsByCollectionV1 { project {
      projectName
      artifactsByProjectV1(limit: 1, order_by: {artifactName: Desc}) { artifact { artifactName
        artifactsByProjectV1 { project { projectName } } } }
      codeMetricsByProjectV1 { starCount quality }
      timeseriesMetricsByProjectV1(where: {sampleDate: {_gte: "2026-11-03"}}) { amount }
    } } } }"""

    def project(name, artifact, stars, quality, series):
        return {
            "project": {
                "projectName": name,
                "artifactsByProjectV1": [
                    {
                        "artifact": {
                            "artifactName": artifact,
                            "artifactsByProjectV1": [{"project": {"projectName": name}}],
                        }
                    }
                ],
                "codeMetricsByProjectV1": {"starCount": stars, "quality": quality},
                "timeseriesMetricsByProjectV1": [{"amount": value} for value in series],
            }
        }

    alpha, beta = project("alpha", "repo-a2", 10, "ok", [4.0]), project("beta", "repo-a3", 30, "partial", [])
    assert data(world.oso(query))["oso_collectionsV1"] == [
        {"collectionName": "one", "projectsByCollectionV1": [alpha, beta]},
        {"collectionName": "two", "projectsByCollectionV1": [alpha]},
    ]


def test_a_cursor_walks_every_row_once_in_any_order(world):
    for order in ("", "order_by: [{amount: Desc}],", "order_by: [{quality: Asc}, {amount: Asc}],"):
        whole = data(world.oso(f"{{ oso_keyMetricsByProjectV1({order} limit: 9) {{ metricId projectId }} }}"))
        seen, after = [], ""
        while True:
            query = f"{{ oso_keyMetricsByProjectV1({order} limit: 1 {after}) {{ metricId projectId _cursor }} }}"
            rows = data(world.oso(query))["oso_keyMetricsByProjectV1"]
            if not rows:
                break
            after = f', after: "{rows[0].pop("_cursor")}"'
            seen += rows
        assert seen == whole["oso_keyMetricsByProjectV1"] and len(seen) == 6


def test_a_cursor_of_another_order_or_of_nothing_is_refused(world):
    cursor = data(world.oso("{ oso_projectsV1(limit: 1) { _cursor } }"))["oso_projectsV1"][0]["_cursor"]
    query = "query($c: String) { oso_projectsV1(after: $c, order_by: {projectName: Asc}) { projectId } }"
    for wrong in (cursor, "", "x", "é", "W10=", "bnVsbA==", "W1tdLFsxXV0="):
        assert "is not a _cursor of this table" in message(world.oso(query, c=wrong))


def test_a_list_of_structures_and_of_texts_comes_as_it_is(world):
    answer = data(
        world.oso("{ oso_releasesV1 { releaseId tables { name rows } } oso_projectsV1(limit: 1) { websites } }")
    )
    (release,) = answer["oso_releasesV1"]
    assert release["releaseId"] == world.release.release_id
    assert {"name": "projects_v1", "rows": 3} in release["tables"]
    assert answer["oso_projectsV1"] == [{"websites": []}]


def test_two_columns_in_one_object_of_order_by_are_refused_for_they_have_no_order(world):
    query = "{ oso_projectsV1(order_by: {projectId: Asc, projectName: Asc}) { projectId } }"
    assert "Each object of order_by names one column" in message(world.oso(query))


def test_a_table_of_its_own_descriptions_explains_every_field(world):
    query = """{ __type(name: "Oso_KeyMetricsByProjectV1") { description fields { name description } } }"""
    described = data(world.oso(query))["__type"]
    fields = {field["name"]: field["description"] for field in described["fields"]}
    table = world.serving.bundle.tables["key_metrics_by_project_v1"]
    assert described["description"] == table.description
    assert fields["projectId"] == next(c.description for c in table.columns if c.name == "project_id")
    assert all(fields.values())
