"""The page of an artifact: a repository, package, contract, address or account."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.site import numbers
from consumer.site.finding import OWNERS, address, entity, moved
from consumer.site.pages import page
from consumer.site.project import drawn

REPOSITORY = "select * from oso.repositories_v0 where artifact_id = ? limit 1"


def routes() -> list[Route]:
    """The route of all artifacts."""
    return [Route("/artifacts/{source}/{name:path}", _artifact)]


def _artifact(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    source, name = request.path_params["source"], request.path_params["name"]
    if len(source) > 60:
        raise Problem(404, "There is no such source.")
    artifact = entity(bundle, "artifact", name, source)
    here = address(bundle, "artifact", artifact)
    if redirect := moved(request, here):
        return redirect
    key = artifact["artifact_id"]
    newest = numbers.newest(bundle, "artifact", key)
    sections, sparks = drawn(bundle, "artifact", key, newest)
    full = "/".join(part for part in (artifact["artifact_namespace"], artifact["artifact_name"]) if part)
    return page(
        request,
        "artifact.html",
        about=f"{full} in numbers.",
        entity=artifact,
        name=full,
        here=here,
        repository=next(iter(bundle.rows(REPOSITORY, [key])), None),
        owners=[row | {"address": address(bundle, "project", row)} for row in bundle.rows(OWNERS, [key])],
        strip=[(name, row, sparks.get(row["metric_id"])) for name, row in numbers.strip(newest) if row is not None],
        sections=sections,
        windows=numbers.WINDOWS,
    )
