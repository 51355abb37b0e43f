"""From what stands in an address to the entity that is meant, and back to the one address that its page has."""

from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.entities import find, known, plain

OWNERS = """
    select distinct projects.*
    from oso.artifacts_by_project_v1 as owned
    inner join oso.projects_v1 as projects using (project_id)
    where owned.artifact_id = ?
    order by projects.project_name"""
RENAMED = """
    select distinct projects.*
    from oso.mapping_issues_v1 as issues
    inner join oso.projects_v1 as projects using (project_id)
    where issues.issue = 'renamed' and (lower(issues.identity) = lower(?) or lower(issues.url) = lower(?))"""


def address(bundle: Bundle, kind: str, row: dict) -> str:
    """The address of an entity's page: by its name, or by its id where others have the name."""
    if kind == "artifact":
        full = "/".join(part for part in (row["artifact_namespace"], row["artifact_name"]) if part)
        return f"/artifacts/{quote(row['artifact_source'].lower(), safe='')}/{quote(full)}"
    name = row[f"{kind}_name"]
    alone = len(known(bundle).ids.get((kind, name.lower()), ())) == 1
    return f"/{kind}s/{quote(name if alone else row[f'{kind}_id'], safe='')}"


def entity(bundle: Bundle, kind: str, text: str, source: str | None = None) -> dict:
    """The row that `text` names, as in the API; a project also by a repository, package or account that it owns.

    Raises:
        Problem: 404 or 400 with the alike or possible ones, each with the address of its page.
    """
    ids = known(bundle).ids.get((kind, text.lower()), ())
    if len(ids) == 1:
        return bundle.cards.card(kind, *ids)[kind]
    try:
        return find(bundle, kind, text, source)
    except Problem as error:
        if kind == "project" and error.status_code == 404 and (owner := _owner(bundle, text)):
            return owner
        raise Problem(
            error.status_code,
            f"There is no {kind} {text[:100]!r} in this release." if error.status_code == 404 else error.detail,
            candidates=[_candidate(bundle, kind, one) for one in error.members.get("candidates", [])],
        ) from None


def moved(request: Request, to: str) -> RedirectResponse | None:
    """The redirect to an entity's one address if the request came by another spelling; the query stays."""
    if request.scope["path"] == unquote(to):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(to + query, 301, headers={"Cache-Control": "public, max-age=300"})


def _owner(bundle: Bundle, text: str) -> dict | None:
    try:
        owners = bundle.rows(OWNERS, [find(bundle, "artifact", text)["artifact_id"]])
    except Problem:
        owners = bundle.rows(RENAMED, [plain(text), text])
    if len(owners) > 1:
        raise Problem(
            400,
            f"{text[:100]!r} belongs to several projects.",
            candidates=[{"name": row["display_name"], "address": address(bundle, "project", row)} for row in owners],
        )
    return owners[0] if owners else None


def _candidate(bundle: Bundle, kind: str, one: str | dict) -> dict:
    if isinstance(one, dict):  # several that are called so: each by its id
        name = " ".join(str(value) for value in one.values() if value)
        identity = one[f"{kind}_id"]
        return {"name": name, "address": f"/{kind}s/{identity}" if kind != "artifact" else None}
    if kind == "artifact":
        return {"name": one, "address": f"/search?q={quote(one, safe='')}"}
    return {"name": one, "address": f"/{kind}s/{quote(one, safe='')}"}
