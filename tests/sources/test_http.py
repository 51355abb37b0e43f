"""The HTTP client against a real local server: retries, waits, secrets, files."""

import gzip
import http.server
import logging
import threading
from datetime import UTC, datetime

import pytest

from include.errors import BadCredentials, ContractBroken, FixNeeded, RateLimited, Unavailable
from include.http import HttpClient, parse_retry_after, safe_url
from include.sources.base import parse_connection
from tests.sources.standins import DAY, event, text, write_hours
from tests.sources.test_github_archive import fetch


class Server:
    """Answers each path with the next of its replies: (status, headers, body); the last one stays."""

    def __init__(self):
        self.replies, self.asked, self.agents, self.bodies, self.headers = {}, [], [], [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.headers.append(self.headers)
                outer.agents.append((self.headers["User-Agent"], self.headers.get("Authorization")))
                replies = outer.replies.get(self.path.partition("?")[0], [(404, {}, b"")])
                status, headers, body = replies.pop(0) if len(replies) > 1 else replies[0]
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


def get(client, url):
    with client.open(url) as body:
        return None if body is None else body.read()


def test_a_server_that_recovers_is_asked_again_and_waits_grow(server):
    waits = []
    server.replies["/x"] = [(503, {}, b""), (500, {}, b""), (200, {}, b"fine")]
    assert get(HttpClient(sleep=waits.append), f"{server.url}/x") == b"fine"
    assert waits == [0.5, 1.0]
    assert all("openimpact" in agent for agent, _ in server.agents)


def test_a_429_waits_as_told_in_seconds_with_a_fraction(server):
    waits = []
    server.replies["/x"] = [(429, {"Retry-After": "23.417"}, b""), (200, {}, b"fine")]
    assert get(HttpClient(sleep=waits.append), f"{server.url}/x") == b"fine"
    assert waits == [23.417]


def test_a_long_429_fails_at_once_and_says_when_it_opens(server):
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    server.replies["/x"] = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(RateLimited, match="it opens again at 13:00:00 UTC") as caught:
        get(HttpClient(clock=lambda: now), f"{server.url}/x")
    assert caught.value.retry_at == datetime(2026, 11, 1, 13, tzinfo=UTC) and len(server.asked) == 1


def test_retry_after_may_be_a_date():
    now = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
    assert parse_retry_after({"Retry-After": "Sun, 01 Nov 2026 12:00:30 GMT"}, now) == 30.0
    assert parse_retry_after({"Retry-After": "soon"}, now) is None
    assert parse_retry_after({}, now) is None


@pytest.mark.parametrize(
    ("status", "error"), [(503, Unavailable), (401, BadCredentials), (403, BadCredentials), (418, ContractBroken)]
)
def test_a_refusal_is_the_error_that_says_whether_to_retry(server, status, error):
    server.replies["/x"] = [(status, {}, b"")]
    with pytest.raises(error, match=f"{status}"):
        get(HttpClient(sleep=lambda s: None), f"{server.url}/x")
    assert len(server.asked) == (4 if error is Unavailable else 1)


def test_no_answer_is_unavailable(server):
    server.server.server_close()
    with pytest.raises(Unavailable, match="no answer"):
        get(HttpClient(sleep=lambda s: None, attempts=2), f"{server.url}/x")


def test_what_is_not_there_is_none(server, tmp_path):
    assert get(HttpClient(), f"{server.url}/x") is None
    assert get(HttpClient(), f"file://{tmp_path}/x") is None


def test_a_body_that_ends_early_is_an_error_not_an_end(server):
    server.replies["/x"] = [(200, {"Content-Length": "100"}, b"short")]
    with pytest.raises(EOFError, match="broke off"):
        get(HttpClient(), f"{server.url}/x")


def test_secrets_reach_the_server_and_nothing_else(server, caplog):
    caplog.set_level(logging.DEBUG, logger="openimpact")
    server.replies["/x"] = [(503, {}, b"")]
    client = HttpClient(None, "s3cret", sleep=lambda s: None)
    with pytest.raises(Unavailable) as caught:
        get(client, f"{server.url}/x?token=abc")
    assert server.agents[0][1] == "Bearer s3cret"
    shown = caplog.text + str(caught.value) + repr(client)
    assert "s3cret" not in shown and "abc" not in shown
    assert safe_url("https://u:p@h/x?q=1#f") == "https://h/x"


SECRETS = [
    ({"login": "me", "password": "s3cret"}, {}, "Authorization"),
    ({"password": "s3cret"}, {}, "Authorization"),
    ({}, {"Authorization": "Bearer s3cret"}, "Authorization"),
    ({}, {"Personal-Token": "s3cret"}, "Personal-Token"),
    ({}, {"X-New-Key": "s3cret"}, "X-New-Key"),
]


@pytest.mark.parametrize(("login", "sent", "name"), SECRETS)
@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.parametrize("body", [None, {"q": 1}])
def test_a_secret_follows_a_redirect_on_its_host_and_to_no_other(server, login, sent, name, status, body):
    other = Server()
    other.replies["/z"] = [(200, {}, b"2")]
    server.replies["/x"] = [(status, {"Location": "/y"}, b"")]
    server.replies["/y"] = [(200, {}, b"1")]
    by_name = server.url.replace("127.0.0.1", "localhost")
    server.replies["/port"] = [(status, {"Location": f"{other.url}/z"}, b"")]
    server.replies["/name"] = [(status, {"Location": f"{by_name}/y"}, b"")]
    client = HttpClient(**login)
    found = {path: client.json(f"{server.url}/{path}", headers=sent, body=body).value for path in ("x", "port", "name")}
    assert found == {"x": 1, "port": 2, "name": 1}
    told = [(path, name in headers) for path, headers in zip(server.asked, server.headers, strict=True)]
    assert told == [("/x", True), ("/y", True), ("/port", True), ("/name", True), ("/y", False)]
    assert name not in other.headers[0] and "s3cret" not in str(other.headers[0])
    assert "openimpact" in other.headers[0]["User-Agent"]
    other.server.shutdown()
    other.server.server_close()


def test_mirrors_over_http_one_down_one_late_give_the_day(server, tmp_path):
    folder = write_hours(tmp_path, DAY, {})
    for file in folder.iterdir():
        server.replies[f"/a/{file.name}"] = [(503, {}, b"")]
        server.replies[f"/b/{file.name}"] = [(429, {"Retry-After": "0"}, b""), (200, {}, file.read_bytes())]
    server.replies["/a/2025-09-01-6.json.gz"] = [(200, {}, gzip.compress(text(event(1))))]
    landed = fetch(f"{server.url}/a", f"{server.url}/b")
    assert [i for (i,) in landed.events("id")] == ["1"]
    assert {c.status for c in landed.coverage.values()} == {"complete"}
    assert "/a/2025-09-01-06.json.gz" not in server.asked  # hours are not padded


def test_an_hour_that_one_mirror_lacks_while_the_other_is_down_is_not_called_missing(server, tmp_path):
    folder = write_hours(tmp_path, DAY, {6: None})
    server.replies["/b/2025-09-01-6.json.gz"] = [(503, {}, b"")]
    with pytest.raises(Unavailable, match="503"):
        fetch(folder, f"{server.url}/b")


# connections


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("", ("https://public.example",)),
        ("http://h:81/archive", ("http://h:81/archive",)),
        ("http://a:1/x, http://b:2/y/", ("http://a:1/x", "http://b:2/y")),
        ("https://a,b/path", ("https://a/path", "https://b/path")),
        ("file:///data/archive", ("file:///data/archive",)),
        ("http://https%3A%2F%2Fdata.example.org/", ("https://data.example.org",)),
        ("http://data.example.org/https", ("https://data.example.org",)),
        ('{"conn_type": "http", "host": "a,b", "port": 81, "schema": "https"}', ("https://a:81", "https://b:81")),
        ('{"conn_type": "http", "host": "https://a/x,https://b/y"}', ("https://a/x", "https://b/y")),
    ],
)
def test_a_connection_is_read_in_every_form_airflow_knows(value, urls):
    found = parse_connection({"AIRFLOW_CONN_X": value}, "x", ("https://public.example",))
    assert found.urls == urls


def test_a_password_is_taken_out_of_the_address_and_never_shown():
    found = parse_connection({"AIRFLOW_CONN_X": "https://me:p%40ss@h/x"}, "x", ())
    assert (found.urls, found.login, found.password) == (("https://h/x",), "me", "p@ss")
    assert "p@ss" not in repr(found)


def test_a_connection_of_another_kind_is_refused_with_a_sentence():
    with pytest.raises(FixNeeded, match="AIRFLOW_CONN_X must be http"):
        parse_connection({"AIRFLOW_CONN_X": "ftp://h/x"}, "x", ())


def test_a_json_answer_is_parsed_and_a_body_is_posted(server):
    server.replies["/x"] = [(200, {"X-Left": "7"}, b'{"a": [1]}')]
    answer = HttpClient().json(f"{server.url}/x")
    assert (answer.status, answer.value, answer.headers["x-left"]) == (200, {"a": [1]}, "7")
    assert HttpClient().json(f"{server.url}/x", body={"q": 1}).value == {"a": [1]}
    assert server.bodies == [b'{"q":1}']


def test_a_cut_answer_or_a_page_is_asked_for_again(server):
    waits = []
    server.replies["/x"] = [
        (200, {}, b"<html>sorry</html>"),
        (200, {"Content-Length": "99"}, b'{"a'),
        (200, {}, b"[2]"),
    ]
    assert HttpClient(sleep=waits.append).json(f"{server.url}/x").value == [2]
    assert waits == [0.5, 1.0]
    server.replies["/y"] = [(200, {}, b"[" * 100_000)]
    with pytest.raises(Unavailable, match=r"cannot be used \(no JSON\), 4 times"):
        HttpClient(sleep=waits.append).json(f"{server.url}/y")


def test_an_answer_without_end_is_not_read_whole(server, monkeypatch):
    monkeypatch.setattr("include.http.LONGEST_ANSWER", 1 << 20)
    server.replies["/x"] = [(200, {}, b"[" + b"1," * (1 << 20) + b"1]")]
    with pytest.raises(Unavailable, match="longer than 1 MiB"):
        HttpClient(sleep=lambda _: None).json(f"{server.url}/x")


def test_a_status_that_is_an_answer(server):
    server.replies["/x"] = [(404, {}, b'{"error": "gone"}')]
    server.replies["/y"] = [(404, {}, b"gone")]
    answers = [HttpClient().json(f"{server.url}/{path}", accept=(404,)) for path in "xy"]
    assert [(a.status, a.value) for a in answers] == [(404, {"error": "gone"}), (404, None)]


def test_requests_are_spaced(server):
    waits, now = [], [100.0]
    server.replies["/x"] = [(200, {}, b"1")]

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    client = HttpClient(sleep=sleep, monotonic=lambda: now[0])
    for _ in range(3):
        client.json(f"{server.url}/x", per_minute=30)
    assert waits == [2.0, 2.0]


def test_repeated_requests_are_spaced_as_well(server):
    waits, now = [], [100.0]
    server.replies["/x"] = [(503, {}, b""), (200, {}, b"<html>"), (200, {}, b"1")]

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    client = HttpClient(sleep=sleep, monotonic=lambda: now[0])
    assert client.json(f"{server.url}/x", per_minute=30).value == 1
    assert waits == [0.5, 1.5, 0.5, 1.5]  # half a second after each failure, and the rest of two seconds
