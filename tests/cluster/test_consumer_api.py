"""The API on the cluster: a reader of the catalog and of the bucket, who can write neither."""

from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.bundle import Bundle, build_bundle
from consumer.serving import Serving
from include.lake.catalog import open_catalog
from include.settings import load_settings
from tests.cluster.servers import DATABASE, HOST, READER, Cluster
from tests.consumer.releases import publish_rows
from tests.consumer.test_sql_functions import GOLDEN, ROWS, SOME, statement_of


@pytest.fixture(scope="module")
def stores(tools):
    """A PostgreSQL and an S3 of their own, whose releases no other test changes."""
    with Cluster(tools) as running:
        running.start_database()
        running.start_storage()
        yield running


@pytest.fixture
def reader(stores, tmp_path):
    """What the service `consumer-api` is told."""
    uri = f"postgresql+psycopg2://{READER}:{stores.keys[READER]}@{HOST}:{stores.pg_port}/{DATABASE}"
    return load_settings(
        {"OPENIMPACT_HOME": str(tmp_path / "api"), "OPENIMPACT_CATALOG_URI": uri, **stores.storage_env("reader")}
    )


def test_a_reader_of_the_catalog_and_of_the_bucket_serves_its_releases(stores, reader, tmp_path):
    owner = load_settings(stores.settings_env("duckdb") | {"OPENIMPACT_HOME": str(tmp_path / "pipeline")})
    serving = Serving(reader)
    assert serving.bundle is None
    rows = [{"project_id": name, "project_name": name, "display_name": name} for name in ("a", "b")]
    published = publish_rows(owner, {"projects_v1": rows})
    assert serving.refresh()
    client = TestClient(create_app(serving))
    assert client.get("/healthz").json()["release"] == published.release_id
    assert [row["project_name"] for row in client.get("/api/v1/projects").json()["data"]] == ["a", "b"]
    listed = client.get("/iceberg/v1/namespaces/oso/tables").json()["identifiers"]
    assert {"namespace": ["oso"], "name": "projects_v1"} in listed
    assert Bundle(build_bundle(reader, published.release_id)).tables.keys() == serving.bundle.tables.keys()


def test_it_can_write_neither(stores, reader):
    catalog = open_catalog(reader, "consumer")
    with pytest.raises(Exception, match="permission denied"):
        catalog.create_namespace("mine")
    target = f"{reader.warehouse_of('consumer')}/mine"
    with pytest.raises(OSError, match="(?i)denied"):
        with catalog._load_file_io(location=target).new_output(target).create() as out:
            out.write(b"x")


@pytest.fixture(scope="module")
def asking_both(cluster, tmp_path_factory):
    """Two that ask an API over three projects: SQL of the one is answered by Trino, of the other by DuckDB."""
    home = tmp_path_factory.mktemp("api")
    uri = f"postgresql+psycopg2://{READER}:{cluster.keys[READER]}@{HOST}:{cluster.pg_port}/{DATABASE}"
    env = {"OPENIMPACT_CATALOG_URI": uri, **cluster.storage_env("reader")}
    trino = {
        "OPENIMPACT_CONSUMER_TRINO": f"https://{HOST}:{cluster.consumer_https_port}",
        "OPENIMPACT_CONSUMER_TRINO_KEY_FILE": str(cluster.secrets / "jwt.key"),
        "OPENIMPACT_CONSUMER_TRINO_CA_FILE": str(cluster.secrets / "tls.crt"),
    }
    owner = load_settings(cluster.settings_env("duckdb") | {"OPENIMPACT_HOME": str(home / "pipeline")})
    rows = [{"project_id": name, "project_name": name, "display_name": name} for name in ("a", "b", "ä")]
    publish_rows(owner, {"projects_v1": rows})
    with ExitStack() as stack:

        def client(name, more):
            settings = load_settings(env | more | {"OPENIMPACT_HOME": str(home / name)})
            one = stack.enter_context(TestClient(create_app(Serving(settings))))
            return lambda sql, **body: one.post("/api/v1/sql", json={"query": sql} | body)

        yield client("api", trino), client("embedded", {})


@pytest.fixture(scope="module")
def asking(asking_both):
    """Asks an API whose SQL the consumer's Trino answers, over three projects."""
    return asking_both[0]


def test_sql_of_readers_is_answered_by_the_consumers_trino(asking):
    answer = asking("SELECT version(), project_name FROM projects_v1 WHERE project_id = ?", parameters=["ä"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == [["476", "ä"]]
    release = answer.headers["openimpact-release"]
    assert ["projects_v1"] in asking("SHOW TABLES").json()["data"]
    path = asking(f'SELECT count(*) FROM "oso_{release}".projects_v1, consumer.oso.projects_v1 AS b')
    assert path.json()["data"] == [[9]]


def test_every_function_answers_on_the_cluster_as_in_the_embedded_profile(asking_both):
    over = [call for call in GOLDEN if "OVER" in call]
    whole = [call for call in GOLDEN if call not in over and statement_of(call).endswith(ROWS)]
    plain = [call for call in GOLDEN if call not in over + whole]
    differ = {}
    for calls, end in ((plain, ""), (whole, ROWS), (over, f"{ROWS} ORDER BY x")):
        for first in range(0, len(calls), 25):
            some = calls[first : first + 25]
            answers = [ask(f"SELECT {', '.join(some)} {end}") for ask in asking_both]
            assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
            columns = (zip(*answer.json()["data"], strict=True) for answer in answers)
            for call, trino, duckdb in zip(some, *columns, strict=True):
                if GOLDEN[call] is SOME or call == "version()":
                    same = None not in (*trino, *duckdb)
                else:
                    same = trino == (pytest.approx(duckdb) if isinstance(duckdb[0], float) else duckdb)
                if not same:
                    differ[call] = trino, duckdb
    assert differ == {"round(1.256, 2)": (("1.260",), ("1.26",))}  # a decimal keeps its digits there


def test_errors_limits_and_leaving_are_the_same_on_the_cluster(asking):
    wrong = asking("SELECT nope FROM projects_v1")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "COLUMN_NOT_FOUND")
    assert wrong.json()["detail"] == "Column 'nope' cannot be resolved"
    assert asking("SELECT * FROM lake.raw.x").json()["code"] == "TABLE_NOT_FOUND"
    assert asking("SELECT 1 / 0").json()["code"] == "DIVISION_BY_ZERO"
    many = asking("SELECT a FROM UNNEST(sequence(1, 10000)) AS t(a), UNNEST(sequence(1, 11)) AS u(b)")
    assert many.json()["code"] == "EXCEEDED_OUTPUT_LIMIT"
    endless = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 10000)) AS b(y)"
    endless += ", UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y * z % 7 = 3"
    # more than run at once for one name: each is ended on the cluster, for else the last would find no place
    late = [asking(endless).json()["code"] for _ in range(5)]
    assert late == ["EXCEEDED_TIME_LIMIT"] * 5
    assert asking("SELECT 1").json()["data"] == [[1]]
