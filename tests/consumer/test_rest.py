"""REST answers what a release holds, says what each number is worth, and refuses what it does not know."""

import csv
import io
from contextlib import contextmanager

import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.bundle import Bundle
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.releases import CONTRACTS, publish_rows
from tests.consumer.small import FORMULA, ROWS

UNLIMITED = {"anonymous": Tier(1_000_000, None, None), "keyed": Tier(1_000_000, None, None)}


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_rows(settings, ROWS)
    return Serving(settings)


@pytest.fixture(scope="module")
def client(serving):
    return TestClient(create_app(serving, UNLIMITED), base_url="http://test/api/v1/")


def data(client, path, **parameters):
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def refused(client, path, **parameters):
    answer = client.get(path, params=parameters or None)
    assert answer.status_code in (400, 404), answer.text
    return answer.json()


def test_every_answer_says_of_which_release_it_is_and_as_of_when(client, serving):
    answer = client.get("projects")
    body = answer.json()
    assert body["release"] == serving.bundle.release_id == answer.headers["openimpact-release"]
    assert body["published_at"] == serving.bundle.published_at.isoformat().replace("+00:00", "Z")
    # the better provider of each family counts, then the family that is furthest behind; what is off does not
    assert body["as_of"] == {"GITHUB": "2026-01-02", "NPM": None}
    hours = (serving.bundle.published_at.timestamp() - 1_767_398_400) / 3600  # from 2026-01-03 00:00
    assert body["source_lag_hours"] == {"GITHUB": pytest.approx(hours, abs=0.06), "NPM": None}
    assert client.get("projects.csv").headers["openimpact-as-of"] == "GITHUB=2026-01-02"


def test_a_project_is_its_row_its_collections_its_artifacts_and_its_numbers_with_their_quality(client):
    body = client.get("projects/ant").json()
    assert body["project"]["project_id"] == "p-ant" and body["project"]["websites"] == ["https://a.example", '"x"']
    assert body["collections"] == ["insects"] and body["artifact_counts"] == {"GITHUB": 1, "NPM": 1}
    told = [
        (row["metric_name"], row["amount"], row["previous_amount"], row["quality"], row["coverage"], row["sample_date"])
        for row in body["data"]
    ]
    assert told == [
        ("GITHUB_commits_over_30_day_period", 7.0, 9.0, "partial", 0.5, "2026-01-03"),
        ("NPM_downloads_over_30_day_period", None, None, "unknown", 0.0, "2026-01-03"),
    ]


@pytest.mark.parametrize("name", ["p-ant", "ant", "ANT", "Ant"])
def test_a_project_is_found_by_id_and_by_name_in_any_case(client, name):
    assert client.get(f"projects/{name}").json()["project"]["project_name"] == "ant"


@pytest.mark.parametrize(
    "asked, identity",
    [
        ("a-1", "a-1"),
        ("Ants/Hill", "a-1"),
        ("ants/hill", "a-1"),
        ("https://github.com/Ants/Hill.git", "a-1"),
        ("@ants/hill", "a-2"),
        ("0xABC0000000000000000000000000000000000001?source=optimism", "a-5"),
    ],
)
def test_an_artifact_is_found_by_owner_and_name_package_or_address(client, asked, identity):
    body = client.get(f"artifacts/{asked}").json()
    assert body["artifact"]["artifact_id"] == identity
    assert body["projects"] == (["ant"] if identity in ("a-1", "a-2") else [])


def test_a_name_of_several_is_told_with_their_ids(client):
    body = refused(client, "artifacts/0xabc0000000000000000000000000000000000001")
    assert [row["artifact_id"] for row in body["candidates"]] == ["a-4", "a-5"]


def test_a_name_of_none_is_told_with_those_that_are_alike(client):
    body = refused(client, "projects/antt")
    assert body["status"] == 404 and "no project 'antt'" in body["detail"] and body["candidates"] == ["ant"]


def test_lists_are_of_all_or_of_a_collection_or_a_project(client):
    assert [row["project_name"] for row in data(client, "projects")] == ["ant", "bee", FORMULA]
    assert [row["project_name"] for row in data(client, "projects", collection="Insects")] == ["ant", "bee"]
    assert [row["artifact_id"] for row in data(client, "artifacts", project="ant", source="npm")] == ["a-2"]
    assert [row["collection_name"] for row in data(client, "collections")] == ["insects"]
    body = client.get("collections/insects").json()
    assert body["project_count"] == 2 and body["data"] == []


def test_a_metric_has_its_definition_unit_and_sql(client):
    row = data(client, "metrics/github_commits_DAILY")
    assert (row["metric_id"], row["unit"], row["sql"]) == ("m-day", "count", "select 1")
    assert [row["metric_id"] for row in data(client, "metrics", window="over_30_day_period")] == ["m-30", "m-npm"]
    body = refused(client, "metrics/commits")
    assert body["candidates"][:2] == ["GITHUB_commits_daily", "GITHUB_commits_over_30_day_period"]


def test_a_series_is_in_the_order_of_days_between_two_that_are_included(client):
    asked = {"project": "ant", "metric": "commits", "window": "daily"}
    series = data(client, "timeseries", **asked)
    assert [(row["sample_date"], row["amount"]) for row in series] == [
        ("2026-01-01", 2.0),
        ("2026-01-02", 1.0),
        ("2026-01-03", 4.0),
    ]
    assert {row["quality"] for row in series} == {"ok"}
    part = data(client, "timeseries", **asked, **{"from": "2026-01-02", "to": "2026-01-02"})
    assert [row["amount"] for row in part] == [1.0]
    assert data(client, "timeseries", project="bee", metric="GITHUB_commits_daily") == []


def test_a_metric_of_several_windows_is_asked_back(client):
    body = refused(client, "timeseries", project="ant", metric="commits")
    assert body["allowed"] == ["GITHUB_commits_daily", "GITHUB_commits_over_30_day_period"]
    assert "commits" in refused(client, "timeseries", project="ant", metric="comits")["allowed"]
    assert "project" in refused(client, "timeseries", metric="commits")["allowed"]


def test_an_answer_that_takes_too_long_is_ended_with_a_sentence(client, monkeypatch):
    @contextmanager
    def late(bundle, seconds):
        def rows(*_):
            raise TimeoutError

        yield rows

    monkeypatch.setattr(Bundle, "within", late)
    answer = client.get("rankings?metric=commits&limit=7")
    assert answer.status_code == 503 and answer.json()["detail"].startswith("This takes more than 10 s, and was ended.")


def test_a_ranking_has_no_place_for_what_has_no_number(client):
    body = client.get("rankings?metric=commits").json()
    assert [(row["rank"], row["name"], row["amount"], row["quality"]) for row in body["data"]] == [
        (1, "bee", 12.0, "ok"),
        (2, "ant", 7.0, "partial"),
    ]
    assert body["without_number"] == 1 and body["metric"]["metric_id"] == "m-30"
    turned = data(client, "rankings", metric="commits", order="asc", collection="insects", limit=1)
    assert [row["name"] for row in turned] == ["ant"]


def test_search_finds_the_name_its_parts_and_what_is_mistyped_in_that_order(client):
    def found(text, **more):
        return [(row["kind"], row["id"], row["score"]) for row in data(client, "search", q=text, **more)]

    assert found("ant")[:1] == [("project", "p-ant", 1.0)]
    assert [row[1:] for row in found("hill")] == [("a-3", 1.0), ("a-1", 1.0), ("a-2", 0.92)]
    assert ("artifact", "a-1", 1.0) in found("https://github.com/ants/hill")
    assert {identity for _, identity, _ in found("0xABC0", kind="artifact")} == {"a-4", "a-5"}
    ((kind, identity, score),) = found("insetcs", kind="collection")
    assert (kind, identity) == ("collection", "c-1") and score < 0.9
    assert found("%_*", kind="project") == []


def test_projects_are_compared_metric_by_metric_in_the_order_asked(client):
    rows = data(client, "compare", projects="bee,ant", metric="commits")
    assert [(row["project_name"], row["amount"]) for row in rows] == [("bee", 12.0), ("ant", 7.0)]
    assert "name 2 to 10" in refused(client, "compare", projects="ant,ANT")["detail"]


def test_freshness_says_how_far_each_source_reaches_and_what_was_seen(client):
    found = {(row["provider"], row["family"]): row for row in data(client, "freshness")}
    commits = found["archive", "commits"]
    assert (commits["as_of"], commits["days_full"], commits["days_none"]) == ("2026-01-03", 2, 1)
    assert commits["days_part"] is None and found["rpc", "transactions"]["enabled"] is False


def test_every_published_table_is_described_and_read_without_naming_it_here(client):
    assert [row["table_name"] for row in data(client, "tables")] == sorted(CONTRACTS)
    for name, contract in CONTRACTS.items():
        columns = data(client, f"tables/{name}")
        assert {row["name"]: row["type"] for row in columns} == {
            column: kind.removesuffix("?") for column, kind in contract["columns"].items()
        }
        for row in data(client, f"tables/{name}/rows", limit=1):
            assert list(row) == list(contract["columns"])


def test_rows_are_selected_by_the_value_of_any_column(client):
    rows = data(client, "tables/timeseries_metrics_by_project_v1/rows", sample_date="2026-01-02", amount="1")
    assert [row["project_id"] for row in rows] == ["p-ant"]
    assert data(client, "tables/sources_v1/rows", enabled="false")[0]["source"] == "EVM"
    assert data(client, "tables/projects_v1/rows", project_name="' or 1=1 --") == []


def test_pages_follow_each_other_to_the_end_within_one_release(client, serving):
    path, seen = "/api/v1/artifacts?limit=2", []
    while path:
        body = client.get(f"http://test{path}").json()
        seen.append([row["artifact_id"] for row in body["data"]])
        path = body["next"]
        assert path is None or f"release={serving.bundle.release_id}" in path
    assert seen == [["a-1", "a-2"], ["a-3", "a-4"], ["a-5"]]
    assert "give `release` too" in refused(client, "artifacts", after=1)["detail"]


def test_a_release_of_before_is_read_by_its_id(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    old = publish_rows(settings, {"projects_v1": [{"project_id": "a", "project_name": "a"}]}).release_id
    new = publish_rows(settings, {"projects_v1": [{"project_id": "b", "project_name": "b"}]}).release_id
    client = TestClient(create_app(Serving(settings), UNLIMITED), base_url="http://test/api/v1/")
    assert [row["project_id"] for row in data(client, "projects", release=old)] == ["a"]
    assert [row["project_id"] for row in data(client, "projects")] == ["b"]
    assert [(row["release_id"], row["is_served"]) for row in data(client, "releases")] == [(new, True), (old, False)]
    assert data(client, f"releases/{old}")["run_id"] == "hand"
    assert refused(client, "projects", release="19990101t000000000000z")["allowed"] == [new, old]


def test_older_releases_are_not_built_one_after_the_other_without_end(tmp_path, monkeypatch):
    from consumer import serving as module

    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    first, second, third, _ = (publish_rows(settings, {}).release_id for _ in range(4))
    client = TestClient(create_app(Serving(settings), UNLIMITED), base_url="http://test/api/v1/")
    for release_id in (first, second, first):
        assert data(client, "tables", release=release_id)
    answer = client.get("tables", params={"release": third})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "60"
    monkeypatch.setattr(module, "PINNED_S", 0)
    assert data(client, "tables", release=third)
    kept = {folder.name for folder in (tmp_path / "bundles").glob("[!.]*/")}
    assert {second, third} < kept and first not in kept


@pytest.mark.parametrize(
    "path, headers",
    [("projects.csv", {}), ("projects", {"Accept": "text/csv"}), ("projects", {"Accept": "text/csv;q=0.9, */*;q=0.1"})],
)
def test_csv_is_had_by_extension_or_accept_and_runs_in_no_spreadsheet(client, path, headers):
    answer = client.get(path, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv") and "Accept" in answer.headers["vary"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["project_name"] for row in rows] == ["ant", "bee", "'" + FORMULA]
    assert rows[0]["websites"] == '["https://a.example","\\"x\\""]' and rows[0]["description"] == ""


def test_every_cell_that_a_spreadsheet_would_run_is_text():
    import pyarrow as pa

    from consumer.rest.formats import as_csv

    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "plain", "a=1", None, ""]
    batch = pa.record_batch({"cell": pa.array(cells), "number": pa.array([-1.5] * len(cells))})
    text = b"".join(as_csv(iter([batch]), batch.schema)).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [row[0] for row in rows] == [*(f"'{cell}" for cell in cells[:6]), "plain", "a=1", "", ""]
    assert rows[0][1] == "-1.5"


def test_parquet_keeps_the_types_and_names_the_release(client, serving):
    answer = client.get("tables/timeseries_metrics_by_project_v1/rows.parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    assert table.column("amount").to_pylist() == [2.0, 1.0, 4.0]
    assert str(table.schema.field("sample_date").type) == "date32[day]"
    assert table.schema.metadata[b"openimpact.release"].decode() == serving.bundle.release_id


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_head_tells_no_other_length_than_get(client, ending):
    path = f"tables/projects_v1/rows.{ending}"
    head, got = client.head(path), client.get(path)
    assert head.status_code == 200 and not head.content and got.content
    assert head.headers.get("content-length") == (str(len(got.content)) if ending == "json" else None)


@pytest.mark.parametrize("ending", ["", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "path",
    [
        *("tables", "tables/projects_v1", "tables/releases_v1/rows", "releases", "freshness", "collections/insects"),
        *("projects/ant", "metrics/GITHUB_commits_daily", "artifacts/Ants/Hill"),
    ],
)
def test_everything_has_every_form(client, path, ending):
    answer = client.get(path + ending)
    assert answer.status_code == 200 and answer.content
    assert client.head(path + ending).headers["content-type"] == answer.headers["content-type"]


@pytest.mark.parametrize(
    "path, told",
    [
        ("projects?colection=x", "did you mean collection?"),
        ("projects?limit=0", "limit=0 is not a whole number from 1 to 10000"),
        ("projects?limit=1e3", "is not a whole number"),
        ("projects?limit=1&limit=2", "given twice"),
        ("projects?collection=", "text of 1 to 300 characters"),
        ("projects?release=", "no release ''"),
        ("projects?release=a&release=b", "given twice"),
        ("rankings", "'metric' is missing"),
        ("rankings?metric=commits&kind=user", "one of project, collection, artifact"),
        ("timeseries?project=ant&metric=commits&window=hourly", "window=hourly is not one of daily"),
        ("timeseries?project=ant&metric=GITHUB_commits_daily&from=2026-02-30", "a day as YYYY-MM-DD"),
        ("tables/sources_v1/rows?enabled=maybe", "enabled=maybe is not true or false"),
        ("tables/secret/rows", "no table 'secret'"),
        ("search?q=%00", "text of 1 to"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_with_what_is_right(client, path, told):
    assert told in refused(client, path)["detail"]


def test_a_key_that_is_for_sql_only_does_not_read(client, serving):
    from consumer.keys import Keys

    key = Keys(serving.settings.home).add("ada", scopes=["sql"])
    try:
        answer = client.get("projects", headers={"Authorization": f"Bearer {key}"}, params={"limit": 7})
        assert answer.status_code == 403 and "needs the scope read" in answer.json()["detail"]
    finally:
        Keys(serving.settings.home).path.unlink()


def test_the_limits_are_told_with_what_was_spent(client):
    before = client.get("limits").json()["spent_today"]["rows"]
    data(client, "projects", limit=2)
    body = client.get("limits").json()
    assert body["spent_today"]["rows"] == before + 2 and body["tier"] == "anonymous"
    assert body["tiers"]["anonymous"] == {
        "requests_a_minute": 1_000_000,
        "rows_a_day": None,
        "sql_seconds_a_day": None,
    }


def test_the_openapi_document_knows_every_route_and_every_column(client):
    document = client.get("openapi.json").json()
    listed = {path.partition("{")[0] for path in client.get("").json()["paths"]}
    for path in document["paths"]:
        assert any(f"/api/v1{path}".startswith(start) for start in listed)
    for name, contract in CONTRACTS.items():
        content = document["paths"][f"/tables/{name}/rows"]["get"]["responses"]["200"]["content"]
        row = content["application/json"]["schema"]["properties"]["data"]["items"]
        assert list(row["properties"]) == list(contract["columns"])
