"""What holds for every answer: errors are problem documents, caching by release, headers, bounds."""

import gzip
import uuid

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.rendered import MAX_ENTRY_BYTES
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.releases import publish_rows

ASKED = []


def text(request):
    ASKED.append(request.url.path)
    return PlainTextResponse("word " * 1000)


def broken(request):
    raise RuntimeError("secret /home/someone/file")


async def echo(request):
    return PlainTextResponse(str(len(await request.body())))


def long(request):
    ASKED.append(request.url.path)
    return StreamingResponse((b"x" * 65536 for _ in range(40)), media_type="application/octet-stream")


ROUTES = [
    Route("/text", text),
    Route("/broken", broken),
    Route("/echo", echo, methods=["POST"]),
    Route("/long", long),
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_rows(settings, {"projects_v1": [{"project_id": "a", "project_name": "a"}]})
    return Serving(settings)


@pytest.fixture
def client(serving):
    app = create_app(serving, {"anonymous": Tier(10_000, None, None)})
    app.router.routes += ROUTES
    ASKED.clear()
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    "method, path, status, told",
    [
        ("GET", "/nothing", 404, "There is nothing at /nothing"),
        ("POST", "/text", 405, "POST is not possible here; possible is GET"),
        ("GET", "/broken", 500, "failed here, not on your side"),
        ("GET", "/text?release=20990101t000000000000z", 404, "no release '20990101t000000000000z' here"),
    ],
)
def test_an_error_is_a_problem_document_that_says_what_to_do(client, method, path, status, told):
    answer = client.request(method, path)
    assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and told in body["detail"] and body["error"] == body["detail"]
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"


def test_every_answer_has_an_id_and_security_headers_and_may_be_read_by_any_page(client):
    answer = client.get("/text", headers={"Origin": "https://example.org", "Cookie": "a=b"})
    assert uuid.UUID(answer.headers["x-request-id"])
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    preflight = client.options("/echo", headers=asked | {"Access-Control-Request-Headers": "authorization"})
    assert preflight.status_code == 200 and "authorization" in preflight.headers["access-control-allow-headers"]


def test_an_answer_is_rendered_once_a_release_and_not_sent_to_who_has_it(client, serving):
    first = client.get("/text", headers={"Accept-Encoding": "identity"})
    again = client.get("/text", headers={"Accept-Encoding": "identity"})
    assert ASKED == ["/text"] and again.text == first.text
    etag = first.headers["etag"]
    assert etag.startswith(f'"{serving.bundle.release_id}-') and "max-age=300" in first.headers["cache-control"]
    had = client.get("/text", headers={"If-None-Match": f'"other", W/{etag}', "Accept-Encoding": "identity"})
    assert had.status_code == 304 and had.content == b"" and had.headers["etag"] == etag
    packed = client.get("/text", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.headers["etag"] == f"W/{etag}"
    assert packed.text == first.text and "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) == len(gzip.compress(first.content, 6))


def test_a_long_answer_is_passed_on_and_not_kept(client):
    for _ in range(2):
        answer = client.get("/long", headers={"Accept-Encoding": "identity"})
        assert len(answer.content) == 40 * 65536 > MAX_ENTRY_BYTES
    assert ASKED == ["/long", "/long"]
    had = client.get("/long", headers={"If-None-Match": answer.headers["etag"], "Accept-Encoding": "identity"})
    assert had.status_code == 304 and had.content == b""


def test_a_new_release_drops_what_was_rendered(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    old = publish_rows(settings, {}).release_id
    serving = Serving(settings)
    app = create_app(serving)
    app.router.routes += ROUTES
    ASKED.clear()
    client = TestClient(app)
    etag = client.get("/text").headers["etag"]
    new = publish_rows(settings, {}).release_id
    serving.refresh()
    answer = client.get("/text", headers={"If-None-Match": etag})
    assert answer.status_code == 200 and new in answer.headers["etag"] and len(ASKED) == 2
    pinned = client.get(f"/text?release={old}", headers={"If-None-Match": etag})
    assert pinned.status_code == 304 and old in pinned.headers["etag"]
    body = client.get("/text?release=nonsense").json()
    assert body["allowed"] == [new, old]


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read(client):
    assert client.post("/echo", content=b"x" * 262_144).text == "262144"
    announced = client.post("/echo", content=b"x" * 262_145)
    unannounced = client.post("/echo", content=(b"x" * 65_536 for _ in range(5)))
    for answer in (announced, unannounced):
        assert answer.status_code == 413 and "larger than 256 KiB" in answer.json()["detail"]


def test_before_the_first_release_it_says_so_and_then_serves_it(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    serving = Serving(settings)
    client = TestClient(create_app(serving))
    assert client.get("/healthz").json() == {"release": None, "published_at": None, "following": True}
    early = client.get("/api/v1/projects")
    assert early.status_code == 503 and early.headers["retry-after"] == "30"
    assert "Nothing was released yet" in early.json()["detail"]
    assert not serving.refresh()
    published = publish_rows(settings, {"projects_v1": [{"project_id": "a", "project_name": "a"}]}).release_id
    assert serving.refresh() and client.get("/healthz").json()["release"] == published
    assert client.get("/api/v1/projects").status_code == 200
