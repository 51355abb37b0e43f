"""GraphQL over HTTP: /api/v1/graphql in OSO's style, /v1/graphql in that of Hasura v2, an explorer at /graphql."""

import threading
from pathlib import Path
from weakref import WeakKeyDictionary

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.graphql.execute import Endpoint, Request
from consumer.graphql.schema import HASURA, OSO, Style

PATHS = {"/api/v1/graphql": OSO, "/v1/graphql": HASURA}
EXPLORER = Path(__file__).parent / "explorer"
AT_ONCE = 8
JSON, GRAPHQL = "application/json", "application/graphql-response+json"
NOT_KEPT = {"Cache-Control": "no-store"}
_endpoints: WeakKeyDictionary[Bundle, dict[str, Endpoint]] = WeakKeyDictionary()
_building = threading.Lock()


def routes() -> list[Route]:
    """The routes of both endpoints and of the explorer."""
    limiter = CapacityLimiter(AT_ONCE)

    def serve(style: Style):
        async def graphql(http: HttpRequest) -> Response:
            return await _serve(http, style, limiter)

        return graphql

    return [
        *(Route(path, serve(style), methods=["GET", "POST"]) for path, style in PATHS.items()),
        Route("/graphql", _explorer),
        Route("/graphql/{file}", _explorer),
    ]


async def _explorer(http: HttpRequest) -> Response:
    file = EXPLORER / http.path_params.get("file", "index.html")
    if file.name not in ("index.html", "explorer.js", "explorer.css"):
        return Response("There is no such file; the explorer is at /graphql.\n", 404, media_type="text/plain")
    return FileResponse(file)


async def _serve(http: HttpRequest, style: Style, limiter: CapacityLimiter) -> Response:
    media_type = GRAPHQL if GRAPHQL in http.headers.get("accept", "") else JSON
    bundle: Bundle = http.state.bundle
    caller = http.state.caller
    headers = {"Vary": "Accept"}  # without Cache-Control the answer to a GET is kept and gets its ETag
    try:
        caller.check("read")
        request = _from_url(http) if http.method != "POST" else await _from_body(http)
    except HTTPException as error:
        body = orjson.dumps({"errors": [{"message": error.detail}]})
        return Response(body, error.status_code, headers | NOT_KEPT | (error.headers or {}), media_type)
    found = await to_thread.run_sync(lambda: _endpoint(bundle, style).answer(bundle, request), limiter=limiter)
    caller.spend(rows=found.rows, seconds=found.seconds)
    if found.errors or not request.safe:
        headers |= NOT_KEPT
    status = 405 if found.not_by_get else 200 if found.ran or media_type == JSON else 400
    if status == 405:
        headers["Allow"] = "POST"
    return Response(found.body, status, headers, media_type)


def _endpoint(bundle: Bundle, style: Style) -> Endpoint:
    key = style.scalars
    with _building:
        known = _endpoints.setdefault(bundle, {})
        if key not in known:
            known[key] = Endpoint(bundle, style)
        return known[key]


def _from_url(http: HttpRequest) -> Request:
    given = http.query_params
    parameters = {name: given.get(name) for name in ("query", "operationName")}
    for name in ("variables", "extensions"):
        parameters[name] = _json(given[name].encode(), f"The parameter {name}") if given.get(name) else None
    return _request(parameters, safe=True)


async def _from_body(http: HttpRequest) -> Request:
    content_type, _, rest = http.headers.get("content-type", "").lower().partition(";")
    charset = rest.partition("charset=")[2].strip(' "') or "utf-8"
    if content_type.strip() != JSON or charset not in ("utf-8", "utf8"):
        raise HTTPException(415, "Send the request as application/json in UTF-8; no other content type is read.")
    parameters = _json(await http.body(), "The body")
    if not isinstance(parameters, dict):
        raise HTTPException(
            400, "The body is no JSON object with a query; a list of requests is not run, send each alone."
        )
    return _request(parameters, safe=False)


def _request(given: dict, *, safe: bool) -> Request:
    for name, type_, called in (
        ("query", str, "a text"),
        ("operationName", str, "a text"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if given.get(name) is not None and not isinstance(given[name], type_):
            raise HTTPException(400, f"{name} is not {called}.")
    extensions = given.get("extensions") or {}
    if given.get("query") is None and "persistedQuery" not in extensions:
        raise HTTPException(
            400, 'There is no query: send {"query": "{ … }"}, by GET ?query=…; the explorer is at /graphql.'
        )
    return Request(given.get("query"), given.get("variables") or {}, given.get("operationName"), extensions, safe)


def _json(text: bytes, what: str):
    try:
        return orjson.loads(text)
    except ValueError:
        raise HTTPException(400, f"{what} is not JSON.") from None
