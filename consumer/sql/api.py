"""SQL over HTTP: one POST for everybody, and the two protocols of pyoso, whose clients work unchanged.

POST /api/v1/sql            {"query", "format"?, "parameters"?} -> the rows; format "minimal" is pyoso's to 0.6
POST /api/v1/async-sql      {"query"} -> {"id", "status", "url"}, pyoso's from 0.8
GET  /api/v1/async-sql?id=  the same again; GET of `url` gives the rows to whoever has it
"""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from consumer.sql.queries import Queries
from consumer.sql.workers import Limits

LIMITS = {
    "anonymous": Limits(seconds=10, rows=100_000, bytes=32_000_000),
    "keyed": Limits(seconds=30, rows=1_000_000, bytes=256_000_000),
    "internal": Limits(seconds=60, rows=5_000_000, bytes=1_000_000_000),
}
HOLD_S = 2.0  # an asynchronous query is answered at once if it takes no longer; every poll costs a client a second
MAX_BODY = 1_000_000
MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "minimal": "application/x-ndjson",
    "lines": "application/x-ndjson",
}


class Refused(Exception):
    """A request that is answered by a sentence and a status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def routes(queries: Queries) -> list[Route]:
    """The routes of SQL over HTTP."""

    async def sql(request: Request) -> Response:
        body = await _body(request)
        format = _format(request, body)
        query = _start(request, body, format)
        facts = await queries.wait(query, 3600, request.is_disconnected)
        _raise_failed(facts)
        file = queries.folder / facts["token"]
        headers = _headers(facts) | {"Content-Disposition": f'inline; filename="result.{format}"'}
        return FileResponse(file, media_type=MEDIA[format], headers=headers, background=BackgroundTask(file.unlink))

    async def start(request: Request) -> Response:
        return _status(request, await queries.wait(_start(request, await _body(request), "lines"), HOLD_S))

    async def poll(request: Request) -> Response:
        facts = await queries.wait(request.query_params.get("id", ""), HOLD_S)
        if facts is None:
            raise Refused(404, "There is no query of this id; results are kept for 15 minutes.")
        if facts["owner"] != owner_of(request):
            raise Refused(403, "This query is another caller's.")
        return _status(request, facts)

    async def rows(request: Request) -> Response:
        file = queries.file(request.path_params["token"])
        if file is None:
            raise Refused(404, "There is no such result; results are kept for 15 minutes. Run the query again.")
        return FileResponse(file, media_type=MEDIA["lines"], headers={"Cache-Control": "private, no-store"})

    def _start(request: Request, body: dict, format: str) -> str:
        sql, parameters = body.get("query"), body.get("parameters")
        if not isinstance(sql, str) or not isinstance(parameters, list | dict | None):
            raise Refused(400, 'Send {"query": "SELECT ..."}; "parameters" is a list or an object.')
        return queries.start(request.state.bundle, owner_of(request), sql, format, limits_of(request), parameters)

    return [
        Route("/api/v1/sql", _sentences(sql), methods=["POST"]),
        Route("/api/v1/async-sql", _sentences(start), methods=["POST"]),
        Route("/api/v1/async-sql", _sentences(poll), methods=["GET"]),
        Route("/api/v1/async-sql/results/{token}", _sentences(rows), methods=["GET"], name="sql_rows"),
    ]


def owner_of(request: Request) -> str:
    """Who a query belongs to.

    Raises:
        Refused: the key of the request may not run SQL.
    """
    caller = getattr(request.state, "caller", None)
    if caller is None or caller.key_id is None:
        return "anonymous"
    if caller.tier != "internal" and "sql" not in caller.scopes:
        raise Refused(403, 'This key may not run SQL: it lacks the scope "sql". Use one that has it.')
    return f"key {caller.key_id}"


def limits_of(request: Request) -> Limits:
    """What a query of this caller may take."""
    return LIMITS[getattr(getattr(request.state, "caller", None), "tier", "anonymous")]


def error(status: int, sentence: str, name: str | None = None, query: str | None = None) -> JSONResponse:
    """The answer to a request that failed: `error` is a sentence for a person."""
    told = {"error": sentence, "code": name or HTTPStatus(status).name, "status": status}
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if status == 503 else {})
    return JSONResponse(told | ({"query_id": query} if query else {}), status, headers)


class Failed(Refused):
    """A query that failed; `facts` are those of the query."""

    def __init__(self, facts: dict) -> None:
        super().__init__(facts["code"], facts["error"])
        self.facts = facts


def _sentences(endpoint):
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Failed as failed:
            return error(failed.status, str(failed), failed.facts["name"], failed.facts["id"])
        except Refused as refused:
            return error(refused.status, str(refused))

    return answer


async def read(request: Request, most: int = MAX_BODY) -> bytes:
    """The body of a request.

    Raises:
        Refused: it is longer than `most` bytes.
    """
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > most:
            raise Refused(413, f"The body of the request is over {most:,} bytes. Send less.")
    return body


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send JSON, with Content-Type: application/json.")
    try:
        body = orjson.loads(await read(request))
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, 'The body is not a JSON object. Send {"query": "SELECT ..."}.')
    return body


def _format(request: Request, body: dict) -> str:
    asked = body.get("format") or request.query_params.get("format")
    if asked:
        if asked not in MEDIA:
            raise Refused(400, f"There is no format {str(asked)[:40]!r}; choose json, csv, arrow or parquet.")
        return asked
    accepted = request.headers.get("accept", "")
    return next((name for name, media in MEDIA.items() if media.split(";")[0] in accepted), "json")


def _headers(facts: dict) -> dict[str, str]:
    return {
        "Release-Id": facts["release_id"],
        "As-Of": facts["published_at"],
        "Query-Id": facts["id"],
        "Row-Count": str(facts["rows"]),
        "Cache-Control": "private, no-store",
    }


def _status(request: Request, facts: dict) -> Response:
    _raise_failed(facts)
    done = facts["status"] == "completed"
    told = {"id": facts["id"], "status": facts["status"], "url": None}
    told |= {"release_id": facts["release_id"], "as_of": facts["published_at"]}
    if done:
        told["url"] = str(request.url_for("sql_rows", token=facts["token"]))
    return JSONResponse(told, 200 if done else 202, _headers(facts) if done else {"Cache-Control": "no-store"})


def _raise_failed(facts: dict) -> None:
    if facts["status"] == "failed":
        raise Failed(facts)
