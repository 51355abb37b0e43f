"""Search: one exact hit leads to its page, else what is called alike."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.endpoint import MAX_TEXT
from consumer.rest.entities import search
from consumer.site.finding import address
from consumer.site.pages import page

SHOWN = 30


def routes() -> list[Route]:
    """The route of the search."""
    return [Route("/search", _search)]


def _search(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    text = request.query_params.get("q", "").strip()
    if len(text) > MAX_TEXT or "\x00" in text:
        raise Problem(400, f"A search has 1 to {MAX_TEXT} characters.", parameter="q")
    found = bundle.rows(*search(text, None, SHOWN)) if text else []
    for row in found:
        row["address"] = _address(bundle, row)
    exact = [row for row in found if row["score"] == 1]
    projects = [row for row in exact if row["kind"] == "project"]
    if len(exact) == 1 or len(projects) == 1:
        return RedirectResponse((projects or exact)[0]["address"], 302, {"Cache-Control": "public, max-age=300"})
    return page(request, "search.html", text=text, found=found, shown=SHOWN)


def _address(bundle: Bundle, row: dict) -> str:
    if row["kind"] == "metric":
        return f"/metrics/{row['name']}"
    # the name that was found is the full one
    parts = {"id": row["id"], "source": row["source"], "namespace": "", "name": row["name"]}
    return address(bundle, row["kind"], {f"{row['kind']}_{part}": value for part, value in parts.items()})
