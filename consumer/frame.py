"""What surrounds every request: an id, security headers, an answer even where the code fails, a bound on bodies, a
release."""

import logging
import uuid
from collections.abc import Callable
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from consumer.problems import Problem, problem
from consumer.serving import Serving
from include.errors import FixNeeded, OpenImpactError

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024
SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"strict-origin-when-cross-origin",
    b"content-security-policy": b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"cross-origin",
}


class Frame:
    """Names the request (`request.state.request_id`, X-Request-ID) and adds the security headers a route left out.

    What fails below is answered by `told`; the traceback goes to the log under the request's id.
    """

    def __init__(self, app, told: Callable[[Request, HTTPException], Response] = problem) -> None:
        self.app, self.told = app, told

    async def __call__(self, scope, receive, send) -> None:
        """Frames an HTTP request; lets everything else through."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = uuid.uuid4()
        scope.setdefault("state", {})["request_id"] = str(request_id)
        started = False

        async def framed(message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = message["headers"]
                names = {name.lower() for name, _ in given}
                added = [(name, value) for name, value in SECURITY_HEADERS.items() if name not in names]
                message = {**message, "headers": [*given, *added, (b"x-request-id", str(request_id).encode())]}
            await send(message)

        try:
            await self.app(scope, receive, framed)
        except Exception as error:
            if not isinstance(error, HTTPException):
                log.exception("Request %s failed", request_id)
                error = Problem(500, "This failed here, not on your side; the operators find it by the instance below.")
            if started:
                raise
            await self.told(Request(scope), error)(scope, receive, framed)


class BodyLimit:
    """Refuses a body over MAX_BODY bytes: by its announced length without reading any of it, else where it passes."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        """Counts the body as it is read."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > MAX_BODY:
            raise _too_large()
        received = 0

        async def counted():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise _too_large()
            return message

        await self.app(scope, counted, send)


class OneBundle:
    """Gives each request one bundle, `request.state.bundle`, for all of its answer: the current, or ?release=<id>.

    The answer names it: OpenImpact-Release, OpenImpact-Published-At, and OpenImpact-As-Of by source.
    """

    def __init__(self, app, serving: Serving) -> None:
        self.app, self.serving = app, serving
        self._one_build = anyio.CapacityLimiter(1)

    async def __call__(self, scope, receive, send) -> None:
        """Adds the bundle to the scope of HTTP requests."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if not self.serving.bundle:
            if scope["path"] == "/healthz":
                return await self.app(scope, receive, send)
            detail = "Nothing was released yet. As soon as the pipeline publishes its first release it is served here."
            if self.serving.error:
                detail = "No release can be opened now; the server's log says why. It is tried again by itself."
            raise Problem(503, detail, headers={"Retry-After": "30"})
        query = scope["query_string"]
        asked = (
            parse_qs(query.decode("latin-1"), keep_blank_values=True).get("release") if b"release" in query else None
        )
        if asked and len(asked) > 1:
            raise Problem(400, "The parameter 'release' is given twice; give it once.", parameter="release")
        bundle = await self._pinned(asked[0]) if asked else self.serving.bundle
        scope.setdefault("state", {})["bundle"] = bundle
        told = [(name.lower().encode(), value.encode()) for name, value in bundle.headers.items()]

        async def named(message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}  # a result can be of a release before
                added = [(name, value) for name, value in told if name not in names]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, named)

    async def _pinned(self, release_id: str):
        bundle = self.serving.opened(release_id)
        if bundle:
            return bundle
        try:
            return await anyio.to_thread.run_sync(self.serving.pin, release_id, limiter=self._one_build)
        except FixNeeded:
            known = [row["release_id"] for row in await anyio.to_thread.run_sync(self.serving.releases)]
            raise Problem(404, f"There is no release {release_id[:40]!r} here.", allowed=known) from None
        except OpenImpactError as error:
            log.warning("Release %r cannot be opened: %s", release_id, error)
            detail = (
                "This older release cannot be opened now; ask again later, or without ?release= for the current one."
            )
            raise Problem(503, detail, headers={"Retry-After": "60"}) from None


def _too_large() -> Problem:
    detail = f"The body is larger than {MAX_BODY // 1024} KiB. Send less."
    return Problem(413, detail, headers={"Connection": "close"})
