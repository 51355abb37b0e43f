"""Trino's own protocol, for the clients and tools that speak it: POST /v1/statement, then GET nextUri until it is gone.

Rows lie in the file of the query; the token of a page is where it begins there, so that a page asked twice is the same.
What a client sends beside the SQL (session properties, roles, tags) is dropped: it could lift limits.
"""

import re
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consumer.problems import Problem
from consumer.sql.api import headers_of, start_for
from consumer.sql.formats import split_types
from consumer.sql.queries import Queries

HOLD_S = 0.8  # a client asks again after 30 seconds of silence, and its query would run twice
PAGE_BYTES = 1 << 20
CODES = {  # of the errors that a client may tell apart: number, kind
    "SYNTAX_ERROR": (1, "USER_ERROR"),
    "USER_CANCELED": (3, "USER_ERROR"),
    "FUNCTION_NOT_FOUND": (6, "USER_ERROR"),
    "NOT_SUPPORTED": (13, "USER_ERROR"),
    "INVALID_PARAMETER_USAGE": (34, "USER_ERROR"),
    "PERMISSION_DENIED": (4, "USER_ERROR"),
    "SCHEMA_NOT_FOUND": (45, "USER_ERROR"),
    "TABLE_NOT_FOUND": (46, "USER_ERROR"),
    "COLUMN_NOT_FOUND": (47, "USER_ERROR"),
    "GENERIC_USER_ERROR": (0, "USER_ERROR"),
    "GENERIC_INTERNAL_ERROR": (65536, "INTERNAL_ERROR"),
    "SERVER_RESTARTED": (65549, "INTERNAL_ERROR"),
    "NO_NODES_AVAILABLE": (65566, "INSUFFICIENT_RESOURCES"),
    "EXCEEDED_TIME_LIMIT": (131075, "INSUFFICIENT_RESOURCES"),
    "EXCEEDED_LOCAL_MEMORY_LIMIT": (131079, "INSUFFICIENT_RESOURCES"),
    "EXCEEDED_OUTPUT_LIMIT": (131081, "INSUFFICIENT_RESOURCES"),
}


def routes(queries: Queries) -> list[Route]:
    """The routes of Trino's protocol."""

    async def statement(request: Request) -> Response:
        """Starts a statement; the first page of its answer."""
        sql = (await request.body()).decode(errors="replace")
        default = (request.headers.get("x-trino-catalog"), request.headers.get("x-trino-schema"))
        try:
            query = start_for(request, queries, sql, "trino", default=default)
        except Problem as refused:  # 429 would make the client wait until tomorrow
            told = {"error": refused.detail, "name": "PERMISSION_DENIED", "status": "failed", "release": {}}
            return _page(request, told | {"id": "refused"}, 0)
        return _page(request, await queries.wait(query, HOLD_S), 0)

    async def page(request: Request) -> Response:
        """A page of an answer, or, where there is none yet, the address to ask again; DELETE cancels."""
        facts = await queries.wait(request.path_params["query"], HOLD_S)
        if facts is None or facts["token"] != request.path_params["token"]:
            raise Problem(404, "There is no such query; results are kept for 15 minutes.")
        if request.method == "DELETE":
            queries.cancel(facts["id"])
            return Response(status_code=204)
        return _page(request, facts, request.path_params["begin"])

    def _page(request: Request, facts: dict, begin: int) -> Response:
        answer: dict[str, Any] = {"id": facts["id"], "infoUri": str(request.base_url), "warnings": []}
        following = None
        if facts["status"] == "running":
            following = begin
        elif facts["status"] == "failed":
            answer["error"] = _error(facts)
        else:
            answer["columns"] = [_column(*column) for column in facts["columns"]]
            data, following = _rows(queries.folder / facts["token"], begin)
            if data:
                answer["data"] = orjson.Fragment(b"[" + data + b"]")
        if following is not None:
            where = {"query": facts["id"], "token": facts["token"], "begin": following}
            answer["nextUri"] = str(request.url_for("trino_page", **where))
        answer["stats"] = _stats(facts, following)
        return Response(orjson.dumps(answer), media_type="application/json", headers=headers_of(facts))

    path = "/v1/statement/executing/{query}/{token}/{begin:int}"
    return [
        Route("/v1/statement", statement, methods=["POST"]),
        Route(path, page, methods=["GET", "DELETE"], name="trino_page"),
        Route("/v1/info", _info),
    ]


async def _info(request: Request) -> Response:
    """What clients ask of a coordinator."""
    return JSONResponse({"nodeVersion": {"version": "OpenImpact"}, "coordinator": True, "starting": False})


def _rows(file: Path, begin: int) -> tuple[bytes, int | None]:
    """The rows from byte `begin` on, parted by commas, and where the next page begins, if there is one."""
    with file.open("rb") as rows:
        size = rows.seek(0, 2)
        rows.seek(min(begin, size))
        block = rows.read(PAGE_BYTES)
        if begin + len(block) < size and not block.endswith(b"\n"):
            block += rows.readline()  # the rest of the last row
        following = begin + len(block)
    return block.rstrip(b"\n").replace(b"\n", b","), following if following < size else None


def _error(facts: dict) -> dict:
    code, kind = CODES.get(facts["name"], (0, "USER_ERROR"))
    return {
        "message": facts["error"],
        "errorCode": code,
        "errorName": facts["name"],
        "errorType": kind,
        "failureInfo": {"type": facts["name"], "message": facts["error"], "suppressed": [], "stack": []},
    }


def _stats(facts: dict, following: int | None) -> dict:
    state = {"running": "RUNNING", "failed": "FAILED"}.get(facts["status"], "FINISHED")
    numbers = (
        "nodes", "totalSplits", "queuedSplits", "runningSplits", "completedSplits", "cpuTimeMillis", "wallTimeMillis",
        "queuedTimeMillis", "elapsedTimeMillis", "processedRows", "processedBytes", "peakMemoryBytes", "spilledBytes",
    )  # fmt: skip
    return dict.fromkeys(numbers, 0) | {"state": state, "queued": False, "scheduled": True}


def _column(name: str, kind: str) -> dict:
    return {"name": name, "type": kind, "typeSignature": signature(kind)}


def signature(kind: str) -> dict:
    """The tree that the wire has beside the name of a type: "array(varchar)" and what it is made of."""
    outer = re.fullmatch(r"(array|map|row)\((.*)\)", kind, re.DOTALL)
    if outer and outer[1] == "row":
        fields = [part.partition(" ") for part in split_types(outer[2])]
        arguments = [
            {"kind": "NAMED_TYPE", "value": {"fieldName": {"name": name}, "typeSignature": signature(inner)}}
            for name, _, inner in fields
        ]
        return {"rawType": "row", "arguments": arguments}
    if outer:
        arguments = [{"kind": "TYPE", "value": signature(part)} for part in split_types(outer[2])]
        return {"rawType": outer[1], "arguments": arguments}
    if kind == "varchar":  # clients want the length of each, and this is that of one without
        return {"rawType": "varchar", "arguments": [{"kind": "LONG", "value": 2147483647}]}
    sized = re.fullmatch(r"([\w ]+)\(([\d, ]+)\)([\w ]*)", kind)
    if sized:
        numbers = [{"kind": "LONG", "value": int(number)} for number in sized[2].split(",")]
        return {"rawType": sized[1] + sized[3], "arguments": numbers}
    return {"rawType": kind, "arguments": []}
