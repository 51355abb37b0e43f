"""Answers stay in memory until the release changes: each GET is rendered once, and 304 where the asker has it."""

import asyncio
import functools
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders

from consumer.serving import Serving

MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRY_BYTES = 1024 * 1024
ENTRY_BYTES = 2048  # of headers and bookkeeping, beside body and key
CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"


@functools.cache
def build_id() -> str:
    """Names this version of the serving code, so that an upgrade is not answered with 304 for the old look."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Entry:
    """A rendered answer; `route` is the route that gave it."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    route: object


class _Unchanged(Exception):
    """Ends the rendering of an answer that the asker has."""


class Rendered:
    """Keeps every answer of 200 to GET that brings no Cache-Control of its own, and gives it ETag and Cache-Control.

    The ETag is of release, code and form, weak where the body is compressed. Equal requests at one time are one.
    """

    def __init__(self, app, serving: Serving, max_bytes: int = MAX_BYTES) -> None:
        self.app, self.serving, self.max_bytes = app, serving, max_bytes
        self._entries: OrderedDict[tuple, Entry] = OrderedDict()
        self._bytes = 0
        self._flights: dict[tuple, asyncio.Future] = {}
        self._release: str | None = None

    async def __call__(self, scope, receive, send) -> None:
        """Answers from memory or from the application."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or "bundle" not in scope["state"]:
            return await self.app(scope, receive, send)
        if self._release != self.serving.bundle.release_id:
            self._release, self._bytes = self.serving.bundle.release_id, 0
            self._entries.clear()
        asked = Headers(scope=scope)
        key = (
            scope["state"]["bundle"].release_id,
            scope["path"],
            scope["query_string"],
            asked.get("accept", ""),
            f"{scope.get('scheme')}://{asked.get('host', '')}",  # which answers may name
            "gzip" in asked.get("accept-encoding", ""),
        )
        entry = self._entries.get(key)
        if entry is None and key in self._flights:
            entry = await asyncio.shield(self._flights[key])
        if entry is not None:
            if key in self._entries:
                self._entries.move_to_end(key)
            scope["route"] = entry.route
            return await _answer(entry, asked, send)
        flight = asyncio.get_running_loop().create_future()
        if scope["method"] == "GET":
            self._flights.setdefault(key, flight)
        try:
            await self._render(key, asked, flight, scope, receive, send)
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not flight.done():
                flight.set_result(None)

    async def _render(self, key, asked, flight, scope, receive, send) -> None:
        start: dict = {}
        chunks: list[bytes] = []
        size = 0

        async def keep(message) -> None:
            nonlocal start, size
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                if message["status"] == 200 and "cache-control" not in headers:
                    headers["Cache-Control"] = CACHE_CONTROL
                    headers["ETag"] = _etag(key[0], headers)
                    start = {**message, "headers": headers.raw}
                    if _has(asked, headers["ETag"]):
                        await _send_unchanged(headers, send)
                        raise _Unchanged
                else:
                    flight.set_result(None)
                    await send(message)
                return
            if flight.done():
                return await send(message)
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            body, more = b"".join(chunks) if size > MAX_ENTRY_BYTES or not message.get("more_body") else b"", True
            if size > MAX_ENTRY_BYTES:
                flight.set_result(None)
                more = message.get("more_body", False)
            elif not message.get("more_body"):
                entry = Entry(start["headers"], body, scope.get("route"))
                if scope["method"] == "GET":
                    self._put(key, entry)
                flight.set_result(entry)
                more = False
            else:
                return
            await send(start)
            await send({"type": "http.response.body", "body": body, "more_body": more})

        try:
            await self.app(scope, receive, keep)
        except _Unchanged:
            pass

    def _put(self, key: tuple, entry: Entry) -> None:
        if key not in self._entries:
            self._bytes += _size(key, entry)
        self._entries[key] = entry
        while self._bytes > self.max_bytes:
            self._bytes -= _size(*self._entries.popitem(last=False))


def _size(key: tuple, entry: Entry) -> int:
    _, path, query, accept, origin, _ = key
    return len(entry.body) + len(path) + len(query) + len(accept) + len(origin) + ENTRY_BYTES


async def _answer(entry: Entry, asked: Headers, send) -> None:
    headers = Headers(raw=entry.headers)
    if _has(asked, headers["etag"]):
        return await _send_unchanged(headers, send)
    await send({"type": "http.response.start", "status": 200, "headers": entry.headers})
    await send({"type": "http.response.body", "body": entry.body})


async def _send_unchanged(headers: Headers, send) -> None:
    kept = [(name, value) for name, value in headers.raw if name in (b"etag", b"cache-control", b"vary")]
    await send({"type": "http.response.start", "status": 304, "headers": kept})
    await send({"type": "http.response.body", "body": b""})


def _etag(release_id: str, headers: Headers) -> str:
    form = headers.get("content-type", "").partition(";")[0].rpartition("/")[2]
    tag = f'"{release_id}-{build_id()}-{form}"'
    return f"W/{tag}" if "content-encoding" in headers else tag


def _has(asked: Headers, etag: str) -> bool:
    held = [tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")]
    return etag.removeprefix("W/") in held or held == ["*"]
