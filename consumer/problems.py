"""Errors as answers: RFC 9457 problem documents whose `detail` is a sentence for the person who asked."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

GRAPHQL_PATHS = ("/api/v1/graphql", "/v1/graphql")


class Problem(HTTPException):
    """An answer that is an error; `members` are added to the document as they are.

    Raise it anywhere below the middlewares; a protocol with an error form of its own catches it and reads
    `status_code`, `detail` and `headers`.
    """

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **members) -> None:
        super().__init__(status, detail, headers)
        self.members = members


def problem(request: Request, error: HTTPException) -> JSONResponse:
    """The problem document of an error; `instance` names the request, `error` repeats the sentence for pyoso.

    Clients of GraphQL read no such document: they get the sentence in `errors`.
    """
    detail = error.detail
    if type(error) is HTTPException and error.status_code == 404:
        detail = f"There is nothing at {request.url.path}. /api/v1 lists what there is."
    elif type(error) is HTTPException and error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "GET").split(", ")))
        detail = f"{request.method} is not possible here; possible is {allowed}."
    headers = {"Cache-Control": "no-store", **(error.headers or {})}
    if request.url.path in GRAPHQL_PATHS:
        return JSONResponse({"errors": [{"message": detail}]}, error.status_code, headers)
    body = {
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": detail,
        "instance": f"urn:uuid:{request.state.request_id}",
        "error": detail,
        **getattr(error, "members", {}),
    }
    return JSONResponse(body, error.status_code, headers, media_type="application/problem+json")
