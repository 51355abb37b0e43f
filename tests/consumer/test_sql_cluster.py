"""With the address of a consumer Trino, SQL passes the gate here and is answered there.

What stands for the cluster is another server of ours, which speaks Trino's wire over the same release. tests/cluster
asks a real one.
"""

import io
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pyarrow as pa
import pytest
import trino
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.keys import Keys
from consumer.serving import Serving
from consumer.sql import QueryError
from consumer.sql.cluster import Cluster, column_of
from consumer.sql.dialect import to_trino
from consumer.sql.gate import gate
from consumer.sql.workers import Limits, Order

VALUES = """
    SELECT
        project_id, amount, amount IS NULL AS none, DATE '2026-01-31' AS day, DECIMAL '1.50' AS d, ARRAY[1, NULL] AS l,
        TIMESTAMP '2026-01-31 10:00:00 UTC' AS at, MAP(ARRAY['a'], ARRAY[1.5e0]) AS m, X'00FF' AS b,
        CAST(ROW(1, 'x') AS ROW(n bigint, s varchar)) AS r, cast(1 AS tinyint) AS t, 'ä\u2028' AS u
    FROM key_metrics_by_project_v1
    ORDER BY project_id"""
ENDLESS = """
    SELECT count(*)
    FROM UNNEST(sequence(1, 90000)) AS a(x), UNNEST(sequence(1, 90000)) AS b(y)
    WHERE x * y % 7 = 3"""
ROWS = Limits(seconds=20, rows=1000, bytes=1_000_000)


@pytest.fixture(scope="module")
def client(sql_release, sql_url):
    """A server whose SQL is answered by the one at `sql_url`."""
    serving = Serving(replace(sql_release[0], consumer_trino=sql_url))
    with TestClient(create_app(serving)) as client:
        yield client


@pytest.fixture(scope="module")
def direct(sql_url):
    """Asks the stand-in of the cluster itself, as (names and types, rows)."""

    def ask(sql):
        with trino.dbapi.connect(sql_url, user="me", catalog="consumer", schema="oso") as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [column[:2] for column in cursor.description], cursor.fetchall()

    return ask


def ask(client, sql, **body):
    return client.post("/api/v1/sql", json={"query": sql} | body)


def run(cluster, sql, limits=ROWS, format="json", cancelled=None):
    out = io.BytesIO()
    told = cluster.run(sql, "anonymous", Order("", sql, format, limits), out, cancelled or threading.Event())
    return told, out.getvalue()


def test_the_answer_is_that_of_the_cluster_in_each_form(client, sql_url, direct):
    import httpx

    for format in ("json", "csv", "minimal", "lines"):
        here = ask(client, VALUES, format=format)
        there = httpx.post(f"{sql_url}/api/v1/sql", json={"query": VALUES, "format": format}, timeout=60)
        assert here.status_code == 200, here.text
        assert here.content == there.content
    arrow = pa.ipc.open_stream(ask(client, VALUES, format="arrow").content).read_all()
    assert arrow.column("amount").to_pylist() == [7.0, None, float("inf")]
    assert arrow.schema.field("at").type == pa.timestamp("us", "UTC")
    assert str(arrow.schema.field("d").type) == "decimal128(3, 2)"


def test_trinos_wire_gives_the_same_columns_and_rows(sql_release, sql_url, direct):
    from tests.consumer.in_thread import served

    with served(replace(sql_release[0], consumer_trino=sql_url)) as address:
        with trino.dbapi.connect(address, user="me", catalog="consumer", schema="oso") as connection:
            cursor = connection.cursor()
            cursor.execute(VALUES)
            found = [column[:2] for column in cursor.description], cursor.fetchall()
    assert found == direct(VALUES)


def test_a_statement_is_sent_over_the_tables_of_the_release_that_the_request_reads(sql_release):
    release = sql_release[1].release_id
    sql = "WITH a AS (SELECT oso.projects_v1.project_id FROM oso.projects_v1 WHERE project_name = ?) SELECT a.* FROM a"
    sent = to_trino(gate(sql, {"projects_v1"}, release, ["it's"]), release)
    assert sent == (
        f'WITH a AS (SELECT projects_v1.project_id FROM "consumer"."oso_{release}"."projects_v1" '
        "WHERE project_name = 'it''s') SELECT a.* FROM a"
    )


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("DROP TABLE projects_v1", "NOT_SUPPORTED"),
        ("SELECT * FROM lake.raw.secret", "TABLE_NOT_FOUND"),
        ("SELECT nope FROM projects_v1", "GENERIC_USER_ERROR"),
        ("SELECT x FROM UNNEST(sequence(1, 100001)) AS t(x)", "EXCEEDED_OUTPUT_LIMIT"),
    ],
)
def test_what_is_wrong_is_told_whether_the_gate_finds_it_or_the_cluster(client, sql, name):
    answer = ask(client, sql)
    assert (answer.status_code, answer.json()["code"]) == (400, name)


def test_an_answer_that_is_too_large_or_too_slow_or_unwanted_is_ended(sql_release, sql_url):
    cluster = Cluster(replace(sql_release[0], consumer_trino=sql_url))
    many = "SELECT x, cast(uuid() AS varchar) AS a FROM UNNEST(sequence(1, 900)) AS t(x)"
    with pytest.raises(QueryError, match="more than 10 rows"):
        run(cluster, many, Limits(seconds=20, rows=10, bytes=1_000_000))
    for format in ("json", "parquet"):
        with pytest.raises(QueryError, match="over 0 MB"):
            run(cluster, many, Limits(seconds=20, rows=1000, bytes=10_000), format)
    with pytest.raises(QueryError, match=r"more than 0\.3 seconds") as late:
        run(cluster, ENDLESS, Limits(seconds=0.3, rows=10, bytes=1000))
    assert late.value.name == "EXCEEDED_TIME_LIMIT"
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(QueryError) as left:
        run(cluster, ENDLESS, cancelled=cancelled)
    assert left.value.name == "USER_CANCELED"


def test_a_cluster_that_is_away_is_told_and_all_else_is_served(sql_release):
    away = Serving(replace(sql_release[0], consumer_trino="http://127.0.0.1:9"))
    with TestClient(create_app(away)) as client:
        answer = ask(client, "SELECT 1")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        assert answer.json()["detail"].startswith("The cluster that answers SQL cannot be reached now.")
        assert "127.0.0.1" not in answer.text
        assert client.get("/api/v1/projects/able").status_code == 200
        assert ["projects_v1"] in ask(client, "SHOW TABLES").json()["data"]


@pytest.fixture
def full(tmp_path):
    """A cluster with no place left, which keeps the headers that it was sent; its address and they."""
    sent = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(dict(self.headers))
            error = {"errorName": "QUERY_QUEUE_FULL", "errorType": "INSUFFICIENT_RESOURCES", "message": "full"}
            body = json.dumps({"id": "q", "infoUri": "", "stats": {"state": "FAILED"}, "error": error}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_): ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_tier_or_the_key_of_who_asks_is_the_user(sql_release, full, tmp_path):
    private = rsa.generate_private_key(65537, 2048)
    key_file = tmp_path / "jwt.key"
    key_file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    address, sent = full
    settings = replace(sql_release[0], consumer_trino=address, consumer_trino_key=key_file)
    token = Cluster(settings).token("anonymous")
    assert jwt.decode(token, private.public_key(), ["RS256"], options={"require": ["exp"]})["sub"] == "anonymous"
    keys = Keys(settings.home)
    asked = {"keyed": keys.add("a", tier="keyed"), "internal": keys.add("b", tier="internal"), "anonymous": None}
    try:
        with TestClient(create_app(Serving(settings))) as client:
            for key in asked.values():
                headers = {"Authorization": f"Bearer {key}"} if key else {}
                refused = client.post("/api/v1/sql", json={"query": "SELECT 1"}, headers=headers)
                assert refused.status_code == 503 and "Too many queries" in refused.json()["detail"]
    finally:
        keys.path.unlink()
    users = [headers["X-Trino-User"] for headers in sent]
    assert users == [asked["keyed"].split("_")[1], "internal", "anonymous"]


@pytest.mark.parametrize(
    ("kind", "arrow", "told"),
    [
        ("varchar(3)", pa.string(), "varchar(3)"),
        ("timestamp(3) with time zone", pa.timestamp("us", "UTC"), "timestamp(6) with time zone"),
        ("row(bigint, timestamp(0) with time zone)", None, "row(bigint, timestamp(6) with time zone)"),
        ("array(map(varchar, decimal(5, 2)))", pa.list_(pa.map_(pa.string(), pa.decimal128(5, 2))), None),
    ],
)
def test_types_of_trino_are_known(kind, arrow, told):
    column = column_of("c", kind)
    if arrow is None:
        arrow = pa.struct([("field0", pa.int64()), ("field1", pa.timestamp("us", "UTC"))])
    assert (column.arrow, column.type) == (arrow, told or kind)


def test_a_type_that_no_client_reads_is_refused():
    with pytest.raises(QueryError, match="is of type interval day to second, which is not served"):
        column_of("c", "interval day to second")
