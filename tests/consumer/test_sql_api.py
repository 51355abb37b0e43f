"""SQL over HTTP, asked by the clients that people have."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consumer.keys import CACHED_S, Keys
from consumer.sql import api
from include.settings import load_settings
from tests.conftest import missing
from tests.consumer.in_thread import served
from tests.consumer.releases import publish_rows

NAMES = ["ä\u2028\u0085b", "=1+1", "c"]
SERIES = "FROM key_metrics_by_project_v1 ORDER BY project_id"


@pytest.fixture
def url(sql_url):
    return sql_url


@pytest.fixture
def release(sql_release):
    return sql_release


def ask(url, sql, **body):
    return httpx.post(f"{url}/api/v1/sql", json={"query": sql} | body, timeout=30)


def await_completed(url, status, **headers):
    while status["status"] == "running":
        status = httpx.get(f"{url}/api/v1/async-sql?id={status['id']}", headers=headers, timeout=30).json()
    return status


def test_an_answer_says_which_release_as_of_when_and_of_which_query(url, release):
    answer = ask(url, f"SELECT project_id, amount {SERIES}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json() == {"columns": ["project_id", "amount"], "data": [["a", 7.0], ["b", None], ["c", None]]}
    assert answer.headers["openimpact-release"] == release[1].release_id
    assert answer.headers["openimpact-published-at"] == release[1].published_at.isoformat()
    assert len(answer.headers["openimpact-query-id"]) == 22 and answer.headers["openimpact-rows"] == "3"
    assert pd.DataFrame(**answer.json()).shape == (3, 2)


@pytest.mark.parametrize("format", ["json", "csv", "arrow", "parquet"])
def test_a_format_is_chosen_by_name_or_by_accept(url, format):
    sql = (
        "SELECT project_id, display_name, 1.5 AS d, DATE '2026-01-31' AS day, ARRAY[1] AS l FROM projects_v1 ORDER BY 1"
    )
    named = ask(url, sql, format=format)
    assert named.status_code == 200, named.text
    accepted = httpx.post(
        f"{url}/api/v1/sql", json={"query": sql}, headers={"Accept": named.headers["content-type"].split(";")[0]}
    )
    assert accepted.headers["content-type"] == named.headers["content-type"] and accepted.content == named.content
    if format == "json":
        assert named.json()["data"][0] == ["a", NAMES[0], "1.5", "2026-01-31", [1]]
    elif format == "csv":
        found = list(csv.reader(io.StringIO(named.content.decode())))
        assert found[0] == ["project_id", "display_name", "d", "day", "l"]
        assert found[2] == ["b", "'=1+1", "1.5", "2026-01-31", "[1]"]  # no spreadsheet runs it
    else:
        reader = pa.ipc.open_stream if format == "arrow" else pq.ParquetFile
        table = reader(pa.BufferReader(named.content))
        table = table.read_all() if format == "arrow" else table.read()
        assert table.column("display_name").to_pylist() == NAMES
        assert str(table.schema.field("day").type) == "date32[day]"


def test_parameters_are_bound(url):
    asked = ask(url, "SELECT project_id FROM projects_v1 WHERE display_name = ?", parameters=["=1+1"])
    assert asked.json()["data"] == [["b"]]
    asked = ask(
        url, "SELECT count(*) FROM projects_v1 WHERE contains(:ids, project_id)", parameters={"ids": ["a", "c"]}
    )
    assert asked.json()["data"] == [[2]]


@pytest.mark.parametrize(
    ("sql", "code", "sentence"),
    [
        ("SELECT nope FROM projects_v1", "GENERIC_USER_ERROR", 'There is no column "nope".'),
        ("SELECT FROM WHERE", "SYNTAX_ERROR", "Line 1, column "),
        ("SELECT * FROM raw.secret", "TABLE_NOT_FOUND", "There is no table consumer.raw.secret."),
        ("DROP TABLE projects_v1", "NOT_SUPPORTED", "a release is read only"),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR", "One statement at a time"),
        ("SELECT soundex('a')", "NOT_SUPPORTED", "SOUNDEX is not served"),
        ("SELECT DATE_TRUNC(time, MONTH) FROM t", "NOT_SUPPORTED", "Write date_trunc('month', time)."),
        ("SELECT date_trunc('fortnight', current_date)", "NOT_SUPPORTED", "units are day, hour, minute, month"),
        ("SELECT x FROM UNNEST(sequence(1, 100001)) AS t(x)", "EXCEEDED_OUTPUT_LIMIT", "more than 100,000 rows"),
        ("SELECT cast('x' AS bigint)", "GENERIC_USER_ERROR", "Could not convert string 'x' to INT64"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(url, sql, code, sentence):
    answer = ask(url, sql)
    assert answer.status_code == 400
    assert answer.json()["code"] == code and sentence in answer.json()["error"]
    assert "/tmp" not in answer.text and "Traceback" not in answer.text and "duckdb" not in answer.text.lower()


def test_a_result_with_too_many_bytes_is_refused_whole(url):
    answer = ask(url, "SELECT rpad('', 1000, 'x') AS a FROM UNNEST(sequence(1, 50000)) AS t(x)")
    assert answer.status_code == 400 and "over 32 MB" in answer.json()["error"]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "text/plain"}, b'{"query": "SELECT 1"}', 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"query=SELECT 1", 415),
        ({"Content-Type": "application/json"}, b"SELECT 1", 400),
        ({"Content-Type": "application/json"}, b"[]", 400),
        ({"Content-Type": "application/json"}, b'{"query": 1}', 400),
        ({"Content-Type": "application/json"}, b'{"query": "SELECT 1", "format": "xls"}', 400),
        ({"Content-Type": "application/json"}, b'{"query": "' + b" " * 300_000 + b'"}', 413),
        ({"Content-Type": "application/json"}, b'{"query": "SELECT ' + b" " * 100_000 + b'1"}', 400),
    ],
)
def test_a_request_of_another_shape_is_refused(url, headers, content, status):
    answer = httpx.post(f"{url}/api/v1/sql", content=content, headers=headers)
    assert answer.status_code == status and answer.json()["error"].endswith(".")


def test_the_asynchronous_protocol_gives_an_address_that_needs_no_key(url):
    started = httpx.post(f"{url}/api/v1/async-sql", json={"query": f"SELECT project_id, amount {SERIES}"}).json()
    completed = await_completed(url, started)
    assert completed["id"] == started["id"] and completed["status"] == "completed"
    lines = httpx.get(completed["url"]).text.splitlines()
    assert [json.loads(line) for line in lines] == [["project_id", "amount"], ["a", 7.0], ["b", None], ["c", None]]


@pytest.mark.parametrize("path", ["?id=nope", "?id=../../secret", "", "/results/nope", "/results/..%2F..%2Fcatalog.db"])
def test_what_was_not_asked_for_is_not_found(url, path):
    answer = httpx.get(f"{url}/api/v1/async-sql{path}")
    assert answer.status_code == 404 and "secret" not in answer.text


def test_a_slow_query_is_queued_and_polled(url, monkeypatch):
    monkeypatch.setattr(api, "HOLD_S", 0.0)
    slow = "SELECT count(*) FROM UNNEST(sequence(1, 1000)) AS a(x), UNNEST(sequence(1, 100000)) AS b(y) WHERE x * y = 7"
    started = httpx.post(f"{url}/api/v1/async-sql", json={"query": slow})
    assert started.status_code == 202 and started.json()["status"] == "running" and started.json()["url"] is None
    assert httpx.get(await_completed(url, started.json())["url"]).text.splitlines() == ['["_col0"]', "[2]"]


def pyoso_folder(version):
    """Where an unmodified pyoso lies, fetched once."""
    folder = Path.home() / ".cache/openimpact" / f"pyoso-{version}"
    if not (folder / "pyoso").exists():
        new = folder.with_suffix(f".{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", new, f"pyoso=={version}"]
        if subprocess.run(command, capture_output=True).returncode:
            missing(f"pyoso {version} cannot be installed")
        with contextlib.suppress(OSError):  # another process was first
            new.rename(folder)
    return folder


SCRIPT = """
import json, sys
from pyoso import Client, ClientConfig

client = Client("k", ClientConfig(base_url=sys.argv[1]))
for sql in sys.argv[2:]:
    try:
        frame = client.to_pandas(sql)
        print(json.dumps([list(frame.columns), json.loads(frame.to_json(orient="values"))]))
    except Exception as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.mark.parametrize("version", ["0.6.6", "0.8.1", "0.9.1", "0.10.0"])
def test_pyoso_works_unchanged(version, url):
    command = [sys.executable, "-c", SCRIPT, f"{url}/api/v1"]
    asked = [
        "SELECT project_id, display_name FROM projects_v1 ORDER BY 1",
        f"SELECT amount {SERIES}",
        "SELECT 9007199254740993 AS big",
        "SELECT count(*) AS n FROM UNNEST(sequence(1, 50000)) AS t(x)",
        "SELECT nope FROM projects_v1",
        "SELECT 1 AS x WHERE 1 = 0",
    ]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(pyoso_folder(version)), "HOME": str(Path.home())}
    ran = subprocess.run(command + asked, capture_output=True, text=True, env=env)
    assert ran.returncode == 0, ran.stderr
    projects, amounts, big, count, wrong, empty = map(json.loads, ran.stdout.splitlines())
    assert projects == [["project_id", "display_name"], [["a", NAMES[0]], ["b", "=1+1"], ["c", "c"]]]
    assert amounts == [["amount"], [[7.0], [None], [None]]]
    assert big == [["big"], [[9007199254740993]]] and count == [["n"], [[50000]]]
    assert 'There is no column "nope".' in wrong[1]
    assert empty == [["x"], []]


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("two"))})
    first, second = (publish_rows(settings, {"projects_v1": [{"project_id": key}]}).release_id for key in ("b", "a"))
    with served(settings) as url:
        yield url, settings.home, first, second


def test_a_key_runs_sql_within_its_scope_on_its_account_and_for_itself_alone(two_releases):
    url, home, *_ = two_releases
    keys = Keys(home)
    reader, asker, other = keys.add("r", scopes=["read"]), keys.add("a"), keys.add("o")
    time.sleep(CACHED_S)

    def post(path, key):
        bearer = {"Authorization": f"Bearer {key}"}
        asked = {"query": "SELECT project_id FROM projects_v1"}
        return httpx.post(f"{url}{path}", json=asked, headers=bearer, timeout=60)

    refused = post("/api/v1/sql", reader)
    assert refused.status_code == 403 and "needs the scope sql" in refused.json()["error"]
    assert post("/api/v1/sql", "oi_wrong").status_code == 401
    query = post("/api/v1/async-sql", asker).json()
    for key, refused in ((other, True), (asker, False)):
        bearer = {"Authorization": f"Bearer {key}"}
        again = httpx.get(f"{url}/api/v1/async-sql?id={query['id']}", headers=bearer, timeout=30)
        assert (again.status_code == 403) == refused, again.text
    completed = await_completed(url, query, Authorization=f"Bearer {asker}")
    assert httpx.get(completed["url"]).text.splitlines() == ['["project_id"]', '["a"]']
    assert post("/api/v1/sql", asker).json()["data"] == [["a"]]
    basic = httpx.post(f"{url}/v1/statement", content="SELECT 1", auth=("anybody", reader)).json()
    assert basic["error"]["errorName"] == "PERMISSION_DENIED" and "scope sql" in basic["error"]["message"]
    assert "error" not in httpx.post(f"{url}/v1/statement", content="SELECT 1", auth=("anybody", asker)).json()
    identity, used = asker.split("_")[1], {}
    while used.get("/v1/statement") != (1, True):
        time.sleep(0.2)
        used = {route: (rows, seconds > 0) for _, who, route, _, rows, seconds in keys.usage() if who == identity}
    assert used["/api/v1/sql"] == used["/api/v1/async-sql"] == (1, True)


def test_an_older_release_is_asked_by_its_id_and_a_result_names_the_one_it_read(two_releases):
    url, _, first, second = two_releases
    for release, project, pinned in ((second, "a", ""), (first, "b", f"?release={first}")):
        for table in ("projects_v1", "oso.projects_v1", f"oso_{release}.projects_v1"):
            asked = {"query": f"SELECT project_id FROM {table}"}
            answer = httpx.post(f"{url}/api/v1/sql{pinned}", json=asked, timeout=60)
            assert answer.json()["data"] == [[project]]
            assert answer.headers.get_list("openimpact-release") == [release]
    asked = {"query": f"SELECT project_id FROM oso_{first}.projects_v1"}
    refused = httpx.post(f"{url}/api/v1/sql", json=asked, timeout=60)
    assert refused.json()["code"] == "SCHEMA_NOT_FOUND" and f"reads release {second}" in refused.json()["error"]
    old = httpx.post(f"{url}/api/v1/async-sql?release={first}", json={"query": "SELECT 1"}).json()
    again = httpx.get(f"{url}/api/v1/async-sql?id={old['id']}", timeout=30)
    assert again.headers.get_list("openimpact-release") == [first]


def test_one_caller_does_not_fill_all_places(url, monkeypatch):
    monkeypatch.setattr(api, "AT_ONCE", 1)
    monkeypatch.setattr(api, "HOLD_S", 0.0)
    slow = {
        "query": "SELECT count(*) FROM UNNEST(sequence(1, 500)) a(x), UNNEST(sequence(1, 99999)) b(y) WHERE x * y = 7"
    }
    first = httpx.post(f"{url}/api/v1/async-sql", json=slow, timeout=30)
    assert first.status_code == 202
    refused = ask(url, "SELECT 1")
    assert refused.status_code == 429 and "1 queries under way" in refused.json()["error"]
    await_completed(url, first.json())
    assert ask(url, "SELECT 1").status_code == 200
