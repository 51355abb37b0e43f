"""Errors as pages for browsers on the site; every other address and asker gets the problem document."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from consumer.problems import problem
from consumer.site.pages import page

PROGRAMS = (
    "/api/",
    "/v1/",
    "/graphql",
    "/iceberg/",
    "/healthz",
    "/static/",
    "/badges/",
    "/charts/",
    "/og/",
    "/svg",
    "/oembed",
)
TITLES = {
    400: "This cannot be asked so",
    404: "There is no such page",
    405: "This cannot be done here",
    429: "Too many requests",
    500: "This failed here",
    503: "Nothing to show yet",
}


def error_page(request: Request, error: HTTPException) -> Response:
    """What is wrong, where and what to do; names that are alike become links where the error names candidates."""
    if request.url.path.startswith(PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return problem(request, error)
    members = getattr(error, "members", {})
    detail = error.detail
    if type(error) is HTTPException and error.status_code == 404:
        detail = f"Nothing is at {request.url.path[:200]}."
    return page(
        request,
        "error.html",
        error.status_code,
        {"Cache-Control": "no-store", "Vary": "Accept", **(error.headers or {})},
        title=TITLES.get(error.status_code, HTTPStatus(error.status_code).phrase),
        detail=detail,
        suggestions=[_suggested(one) for one in members.get("candidates", members.get("allowed", []))[:20]],
        request_id=request.state.request_id,
    )


def _suggested(one: object) -> dict:
    """A name, and the address of its page where the error knew it."""
    return one if isinstance(one, dict) and "address" in one else {"name": _said(one), "address": None}


def _said(one: object) -> str:
    return " ".join(str(value) for value in one.values() if value) if isinstance(one, dict) else str(one)
