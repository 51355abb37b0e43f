"""Documents made to cost much are refused before anything runs; what is not GraphQL over HTTP is told so."""

import hashlib
import json

import duckdb
import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.graphql import execute, query
from consumer.graphql.api import PATHS
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.graphql_world import publish_world
from tests.consumer.test_graphql_queries import message

DOUBLING = " ".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(18))
ATTACKS = {
    "aliases of a root field": (
        "{" + "".join(f"a{i}: __typename " for i in range(400)) + "}",
        "more than 10 root fields",
    ),
    "aliases below": (
        "{ oso_projectsV1 {" + "".join(f"a{i}: projectId " for i in range(400)) + "} }",
        "more than 15 aliases",
    ),
    "repeated fields": ("{ oso_projectsV1 {" + "projectId " * 1900 + "} }", "more than 100 repeated fields"),
    "repeated lists": ("{" + "oso_projectsV1 { projectId } " * 300 + "}", "more than 10 root fields"),
    "repeated relations": (
        "{ oso_projectsV1 {" + "artifactsByProjectV1 { artifactId } " * 300 + "} }",
        "more than 100 repeated fields",
    ),
    "repeated through fragments": (
        "{ oso_projectsV1 {" + "...f " * 150 + "} } fragment f on Oso_ProjectsV1 { projectId }",
        "more than 100 repeated fields",
    ),
    "root fields": (
        "{ __typename "
        + " ".join(f"oso_{name}V1 {{ __typename }}" for name in ("projects", "artifacts", "metrics"))
        + " a: oso_projectsV1 { __typename } " * 7
        + "}",
        "more than 10 root fields",
    ),
    "unknown directives": ("{ __typename " + "@a " * 900 + "}", "more than 20 directives"),
    "directives of one field": ("{ __typename " + "@include(if: true) " * 200 + "}", "more than 20 directives"),
    "directives of the operation": ("query " + "@a " * 900 + "{ __typename }", "more than 20 directives"),
    "depth": (
        "{ oso_projectsV1 " + "{ artifactsByProjectV1 { project " * 4 + "{ projectId }" + "} }" * 4 + "}",
        "more than 8 fields deep",
    ),
    "depth in fragments": (
        "{ oso_projectsV1 { ...f } } fragment f on Oso_ProjectsV1 "
        + "{ artifactsByProjectV1 { project " * 4
        + "{ projectId }"
        + "} }" * 4,
        "more than 8 fields deep",
    ),
    "circular fragments": (
        "{ oso_projectsV1 { ...f } } fragment f on Oso_ProjectsV1 { ...g } fragment g on Oso_ProjectsV1 { ...f }",
        "Cannot spread fragment 'f' within itself",
    ),
    "fragments that double": ("{ ...f0 } " + DOUBLING, "more than 2000 selections"),
    "nested inline fragments": ("{" + "... {" * 190 + "__typename" + "}" * 191, "Fragments nest more than 50 deep"),
    "nested selections": ("{a" * 600 + "}" * 600, "nested too deeply"),
    "nested values": (
        "{ oso_projectsV1(where: " + "{_not: " * 400 + "{}" + "}" * 400 + ") { projectId } }",
        "nested too deeply",
    ),
    "introspection in a circle": (
        "{ __schema { types " + "{ fields { type " * 5 + "{ name }" + "} }" * 5 + "} }",
        "Maximum introspection depth exceeded",
    ),
    "tokens": ("{" + "a " * 2100 + "}", "more than 2000 tokens"),
    "comments": ("#\n" * 50_000 + "{ __typename }", "Syntax Error"),
    "unknown fields": ("{ oso_projectsV1 {" + " ".join(f"x{i}" for i in range(900)) + "} }", "Cannot query field 'x0'"),
    "too many rows": ("{ oso_projectsV1(limit: 1001) { projectId } }", "limit is 1001, and 1000 is the most"),
    "deep pages": ("{ oso_projectsV1(offset: 100001) { projectId } }", "offset is 100001, and 100000 is the most"),
    "negative rows": ("{ oso_projectsV1(limit: -1) { projectId } }", "limit is -1"),
    "a mutation": ("mutation { __typename }", "Schema is not configured to execute mutation operation"),
    "a subscription": ("subscription { __typename }", "Schema is not configured to execute subscription operation"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_refused(world, name):
    document, why = ATTACKS[name]
    answer = world.oso(document)
    assert why in answer["errors"][0]["message"], answer["errors"]
    assert not any((answer.get("data") or {}).values())
    assert len(answer["errors"]) <= execute.MAX_ERRORS + 1


def test_what_is_just_below_the_limits_runs(world):
    aliases = " ".join(f"a{i}: __typename" for i in range(9))
    depth = "{ oso_projectsV1 " + "{ artifactsByProjectV1 { project " * 3 + "{ projectId }" + "} }" * 3 + "}"
    for document in ("{" + aliases + "}", depth, "{ __typename " + "@include(if: true) " + "}"):
        assert "errors" not in world.oso(document)


def test_variables_that_nest_deeply_are_refused(world):
    where: dict = {}
    for _ in range(300):
        where = {"_not": where}
    answer = world.oso("query($w: Oso_ProjectsV1BoolExp) { oso_projectsV1(where: $w) { projectId } }", w=where)
    assert "The variables nest more than 50 deep" in answer["errors"][0]["message"]


def test_a_long_list_of_values_is_bound_not_written_into_the_query(world):
    wanted = ["p1", *(f"'; drop table oso.projects_v1; --{i}" for i in range(4000))]
    document = "query($p: [String!]) { oso_projectsV1(where: {projectId: {_in: $p}}) { projectName } }"
    assert world.oso(document, p=wanted)["data"] == {"oso_projectsV1": [{"projectName": "alpha"}]}


def test_a_pattern_that_would_try_every_way_to_match_is_as_quick_as_others(world):
    query = "query($p: String) { metrics_v1(where: {sql: {_like: $p}}) { metric } }"
    assert world.hasura(query, p="%a_" * 40 + "%b")["data"] == {"metrics_v1": []}
    assert len(world.hasura(query, p="%a_" * 40 + "%")["data"]["metrics_v1"]) == 2
    assert "has 201 characters, and 200 is the most" in world.hasura(query, p="%" * 201)["errors"][0]["message"]


def test_an_answer_holds_so_many_rows_with_those_of_relations_and_no_more(world, monkeypatch):
    document = "{ oso_projectsV1 { artifactsByProjectV1 { artifactId } } }"
    monkeypatch.setattr(query, "MAX_ROWS", 7)
    assert "errors" not in world.oso(document)
    monkeypatch.setattr(query, "MAX_ROWS", 6)
    answer = world.oso(document)
    assert answer["data"] == {"oso_projectsV1": None}
    assert "The answer would have more than 6 rows" in answer["errors"][0]["message"]


def test_one_query_is_run_for_each_relation_however_many_rows_it_has(world, monkeypatch):
    asked = []
    select = query.Reader._read
    monkeypatch.setattr(
        query.Reader, "_read", lambda self, table, *rest: asked.append(table.name) or select(self, table, *rest)
    )
    document = """{ oso_projectsV1 { artifactsByProjectV1 { artifact { artifactName } }
      keyMetricsByProjectV1 { amount metricById { unit } } } }"""
    assert "errors" not in world.oso(document)
    assert asked == [
        "projects_v1",
        "artifacts_by_project_v1",
        "artifacts_v1",
        "key_metrics_by_project_v1",
        "metrics_v1",
    ]


def test_only_the_columns_asked_for_are_read(world, monkeypatch):
    asked = []
    within = type(world.serving.bundle).within

    def spying(self, seconds):
        manager = within(self, seconds)
        enter = manager.__enter__

        class Spy:
            def __enter__(self):
                run = enter()
                return lambda sql, parameters: asked.append(sql) or run(sql, parameters)

            def __exit__(self, *error):
                return manager.__exit__(*error)

        return Spy()

    monkeypatch.setattr(type(world.serving.bundle), "within", spying)
    assert "errors" not in world.oso('{ oso_projectsV1(where: {projectName: {_eq: "x\'"}}) { description } }')
    (sql,) = asked
    assert sql.startswith('select "description" from') and "display_name" not in sql and "x'" not in sql


def test_what_an_answer_costs_is_spent_from_the_day_of_who_asks(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    publish_world(settings)
    with TestClient(create_app(Serving(settings), {"anonymous": Tier(None, 40, None)})) as client:

        def ask(query):
            return client.post("/api/v1/graphql", json={"query": query})

        assert ask("{ oso_projectsV1 { projectId } }").status_code == 200
        for _ in range(50):
            assert ask("{ __typename }").status_code == 200
        assert ask("{ __schema { types { name } } }").status_code == 200
        refused = ask("{ __schema { types { name kind } } }")
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
        assert "Today's 40 rows of the tier anonymous are used up" in refused.json()["errors"][0]["message"]


def test_a_query_that_takes_too_long_is_stopped_in_the_engine_and_says_so(world, monkeypatch):
    monkeypatch.setattr(execute, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(
        query.Reader, "_filtered", lambda *_: "select 'x' project_id from range(100000000000) a where a.range % 7 = 8"
    )
    answer = world.oso("{ oso_projectsV1 { projectId } }")
    assert "The answer took more than 0.2 s and was stopped" in answer["errors"][0]["message"]


def test_work_of_a_bundle_that_ran_out_of_time_runs_nothing_more(world):
    with world.serving.bundle.within(0.05) as rows:
        with pytest.raises(TimeoutError, match=r"more than 0\.05 s"):
            rows("select count(*) from range(100000000000) a where a.range % 7 = 8")
        with pytest.raises(TimeoutError):
            rows("select 1")
    with world.serving.bundle.within(5) as rows:
        assert rows("select ? as one", [1]) == [{"one": 1}]


def test_a_fault_of_ours_tells_a_client_nothing_of_the_inside(world, monkeypatch):
    def fails(*_):
        raise duckdb.InternalException("/secret/path/consumer.duckdb")

    monkeypatch.setattr(query.Reader, "_filtered", fails)
    answer = world.oso("{ oso_projectsV1 { projectId } }")
    assert "secret" not in json.dumps(answer)
    assert answer["errors"][0]["message"].startswith("The server failed at this field")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", "query={__typename}", 415),
        ("text/plain", '{"query": "{__typename}"}', 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        ("application/json; charset=latin-1", "{}", 415),
        ("application/json", '[{"query": "{__typename}"}]', 400),
        ("application/json", "{", 400),
        ("application/json", "[" * 100_000, 400),
        ("application/json", "1", 400),
        ("application/json", '{"query": {"a": 1}}', 400),
        ("application/json", '{"query": "{__typename}", "variables": []}', 400),
        ("application/json", "{}", 400),
        ("application/json", '{"query": "{ __typename }"}' + " " * 300_000, 413),
    ],
)
def test_a_request_that_is_not_graphql_over_http_is_told_what_is_wrong(world, content_type, body, status):
    for path in PATHS:
        answer = world.client.post(path, content=body, headers={"content-type": content_type})
        assert answer.status_code == status, answer.text
        assert message(answer.json()) and answer.headers["content-type"] == "application/json"
    assert "Traceback" not in answer.text


def test_by_get_only_queries_run(world):
    get = world.client.get
    assert get("/v1/graphql", params={"query": "{ projects_v1(limit: 1) { project_name } }"}).json()["data"]
    assert get("/v1/graphql", params={"query": "mutation { __typename }"}).json()["errors"]
    assert get("/v1/graphql").status_code == 400
    variables = {"query": "query($l: Int) { projects_v1(limit: $l) { project_name } }", "variables": '{"l": 2}'}
    assert len(get("/v1/graphql", params=variables).json()["data"]["projects_v1"]) == 2
    assert get("/v1/graphql", params=variables | {"variables": "{"}).status_code == 400
    assert world.client.put("/v1/graphql").status_code == 405


def test_an_answer_to_get_is_kept_with_its_release_and_an_error_is_not(world):
    get = world.client.get
    parameters = {"query": "{ projects_v1(limit: 1) { project_id } }"}
    answer = get("/v1/graphql", params=parameters)
    assert answer.headers["etag"].startswith(f'"{world.release.release_id}-')
    assert answer.headers["cache-control"].startswith("public, max-age=300")
    again = get("/v1/graphql", params=parameters, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for wrong in ("{", "{ nothing }", "{ projects_v1(limit: -1) { project_id } }"):
        refused = get("/v1/graphql", params={"query": wrong})
        assert refused.headers["cache-control"] == "no-store" and "etag" not in refused.headers
    posted = world.client.post("/v1/graphql", json=parameters)
    assert posted.headers["cache-control"] == "no-store"


def test_a_release_is_pinned_by_its_id(world):
    pinned = world.client.post(
        f"/v1/graphql?release={world.release.release_id}", json={"query": "{ projects_v1 { project_id } }"}
    )
    assert pinned.json()["extensions"]["release"]["id"] == world.release.release_id
    assert world.client.post("/v1/graphql?release=none", json={"query": "{ __typename }"}).status_code == 404


def test_a_persisted_query_is_asked_for_by_its_hash_once_it_was_sent(world):
    def ask(text, hash_):
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
        body = {"extensions": extensions} | ({"query": text} if text else {})
        return world.client.post("/api/v1/graphql", json=body).json()

    text = "{ oso_projectsV1(limit: 1) { projectName } }"
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    assert ask(None, hash_)["errors"][0]["message"] == "PersistedQueryNotFound"
    assert "is that of another text" in ask("{ __typename }", hash_)["errors"][0]["message"]
    assert ask(None, hash_)["errors"][0]["message"] == "PersistedQueryNotFound"
    expected = {"oso_projectsV1": [{"projectName": "alpha"}]}
    assert ask(text, hash_)["data"] == expected
    assert ask(None, hash_)["data"] == expected
    for wrong in (None, 7, [], {"a": 1}, "x"):
        assert ask(None, wrong)["errors"][0]["message"] == "PersistedQueryNotFound"


def test_the_store_of_documents_forgets_those_used_longest_ago():
    store = execute.Store(10)
    for key in "abc":
        store.put(key, key.upper(), 4)
    assert [store.get(key) for key in "abc"] == [None, "B", "C"]
    store.get("b")
    store.put("d", "D", 4)
    assert [store.get(key) for key in "bcd"] == ["B", None, "D"]
    store.put("e", "E", 11)
    assert [store.get(key) for key in "bcde"] == [None] * 4


def test_the_explorer_comes_from_here_alone(world):
    page = world.client.get("/graphql")
    assert page.status_code == 200 and "http" not in page.text.replace("https://", "http")
    assert world.client.get("/graphql/explorer.js").status_code == 200
    for wrong in ("/graphql/api.py", "/graphql/..%2fapi.py", "/graphql/%2e%2e"):
        assert world.client.get(wrong).status_code in (404, 400)
