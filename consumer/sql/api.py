"""SQL over HTTP: one POST for everybody, and the two protocols of pyoso, whose clients work unchanged.

POST /api/v1/sql            {"query", "format"?, "parameters"?} -> the rows; format "minimal" is pyoso's to 0.6
POST /api/v1/async-sql      {"query"} -> {"id", "status", "url"}, pyoso's from 0.8
GET  /api/v1/async-sql?id=  the same again; GET of `url` gives the rows to whoever has it
"""

from typing import Any

import orjson
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from consumer.limits import address_of
from consumer.problems import Problem
from consumer.sql.queries import KEEP_S, Queries
from consumer.sql.workers import Limits

LIMITS = {
    "anonymous": Limits(seconds=10, rows=100_000, bytes=32_000_000),
    "keyed": Limits(seconds=30, rows=1_000_000, bytes=256_000_000),
    "internal": Limits(seconds=60, rows=5_000_000, bytes=1_000_000_000),
}
AT_ONCE = 8  # queries of one caller under way, so that nobody fills all places
HOLD_S = 2.0  # an asynchronous query is answered at once if it takes no longer; every poll costs a client a second
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "minimal": "application/x-ndjson",
    "lines": "application/x-ndjson",
}


def routes(queries: Queries) -> list[Route]:
    """The routes of SQL over HTTP."""

    async def sql(request: Request) -> Response:
        """The rows of one query over the release, in the format asked for."""
        body = await _body(request)
        format = _format(request, body)
        facts = await queries.wait(_start(request, body, format), KEEP_S, request.is_disconnected)
        _raise_failed(facts)
        file = queries.folder / facts["token"]
        headers = _headers(facts) | {"Content-Disposition": f'inline; filename="result.{format}"'}
        return FileResponse(file, media_type=MEDIA[format], headers=headers, background=BackgroundTask(file.unlink))

    async def start(request: Request) -> Response:
        """Starts a query; its rows are at `url` when it is completed."""
        return _status(request, await queries.wait(_start(request, await _body(request), "lines"), HOLD_S))

    async def poll(request: Request) -> Response:
        """What became of a query."""
        facts = await queries.wait(request.query_params.get("id", ""), HOLD_S)
        if facts is None:
            raise Problem(404, "There is no query of this id; results are kept for 15 minutes.")
        if facts["owner"] != owner_of(request):
            raise Problem(403, "This query is another caller's.")
        return _status(request, facts)

    async def rows(request: Request) -> Response:
        """The rows of a completed query."""
        file = queries.file(request.path_params["token"])
        if file is None:
            raise Problem(404, "There is no such result; results are kept for 15 minutes. Run the query again.")
        return FileResponse(file, media_type=MEDIA["lines"], headers={"Cache-Control": "private, no-store"})

    def _start(request: Request, body: dict, format: str) -> str:
        sql, parameters = body.get("query"), body.get("parameters")
        if not isinstance(sql, str) or not isinstance(parameters, list | dict | None):
            raise Problem(400, 'Send {"query": "SELECT ..."}; "parameters" is a list or an object.')
        return start_for(request, queries, sql, format, parameters)

    return [
        Route("/api/v1/sql", sql, methods=["POST"]),
        Route("/api/v1/async-sql", start, methods=["POST"]),
        Route("/api/v1/async-sql", poll, methods=["GET"]),
        Route("/api/v1/async-sql/results/{token}", rows, methods=["GET"], name="sql_rows"),
    ]


def start_for(request: Request, queries: Queries, sql: str, format: str, parameters=None, default=(None, None)) -> str:
    """Starts a query within the limits of who asks, and on their account; returns its id.

    Raises:
        Problem: they may not run SQL, or no more today.
    """
    caller = request.state.caller
    caller.check("sql")
    owner, limits = owner_of(request), LIMITS[caller.tier]
    who = caller.key_id or address_of(request.scope)
    if caller.tier != "internal" and queries.running(who) >= AT_ONCE:
        raise Problem(429, f"You have {AT_ONCE} queries under way; wait for one to end.", headers={"Retry-After": "5"})
    user = caller.key_id if caller.tier == "keyed" else caller.tier
    return queries.start(request.state.bundle, owner, sql, format, limits, parameters, default, caller.spend, who, user)


def owner_of(request: Request) -> str:
    """Whose queries this caller may look after."""
    return request.state.caller.key_id or "anonymous"


def headers_of(facts: dict) -> dict[str, str]:
    """The headers that name the query and the release it read, which may be older than the current one."""
    return facts["release"] | {"OpenImpact-Query-Id": facts["id"], "Cache-Control": "private, no-store"}


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Problem(415, "Send JSON, with Content-Type: application/json.")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Problem(400, 'The body is not a JSON object. Send {"query": "SELECT ..."}.')
    return body


def _format(request: Request, body: dict) -> str:
    asked = body.get("format") or request.query_params.get("format")
    if asked:
        if not isinstance(asked, str) or asked not in MEDIA:
            raise Problem(400, f"There is no format {str(asked)[:40]!r}; choose json, csv, arrow or parquet.")
        return asked
    accepted = request.headers.get("accept", "")
    return next((name for name, media in MEDIA.items() if media.split(";")[0] in accepted), "json")


def _headers(facts: dict) -> dict[str, str]:
    return headers_of(facts) | {"OpenImpact-Rows": str(facts["rows"])}


def _status(request: Request, facts: dict) -> Response:
    _raise_failed(facts)
    told = {"id": facts["id"], "status": facts["status"], "url": None, "release": facts["release"]}
    if facts["status"] != "completed":
        return JSONResponse(told, 202, headers_of(facts))
    told["url"] = str(request.url_for("sql_rows", token=facts["token"]))
    return JSONResponse(told, 200, _headers(facts))


def _raise_failed(facts: dict) -> None:
    if facts["status"] == "failed":
        headers = facts["release"] | ({"Retry-After": "5"} if facts["code"] == 503 else {})
        raise Problem(facts["code"], facts["error"], headers=headers, code=facts["name"], query_id=facts["id"])
