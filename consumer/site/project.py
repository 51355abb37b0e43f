"""The page of a project: what it is, six numbers, then code, community, packages, chain and funding."""

from datetime import date
from urllib.parse import quote
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.charts import Series, chart, sparkline
from consumer.series import changes, series
from consumer.site import numbers, words
from consumer.site.finding import address, entity, moved
from consumer.site.pages import page
from consumer.widgets.asked import shape

SHOWN_DAYS = 730
LISTED = 12  # artifacts of a kind; the rest is counted
ABSENT = {
    "code": ("GITHUB", "No repository is listed"),
    "packages": ("NPM", "No npm package is listed"),
    "chain": (None, "No contract or address is listed"),
    "funding": ("OPEN_COLLECTIVE", "No Open Collective account is listed"),
}
KINDS = {
    "REPOSITORY": "Repositories",
    "PACKAGE": "Packages",
    "CONTRACT": "Contracts",
    "ADDRESS": "Addresses",
    "COLLECTIVE": "Funding accounts",
}
_ARTIFACTS = """
    select artifacts.*
    from oso.artifacts_by_project_v1 as owned
    inner join oso.artifacts_v1 as artifacts using (artifact_id)
    where owned.project_id = ? and artifacts.artifact_type <> 'USER'
    order by status = 'dead', artifacts.artifact_source, artifacts.artifact_namespace, artifacts.artifact_name"""
_COLLECTIONS: WeakKeyDictionary[Bundle, dict[str, list[dict]]] = WeakKeyDictionary()


def routes() -> list[Route]:
    """The route of all projects; whatever names one leads to it."""
    return [Route("/projects/{name:path}", _project)]


def _project(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    project = entity(bundle, "project", request.path_params["name"])
    here = address(bundle, "project", project)
    if redirect := moved(request, here):
        return redirect
    key = project["project_id"]
    newest = numbers.newest(bundle, "project", key)
    artifacts = bundle.rows(_ARTIFACTS, [key])
    sections, sparks = drawn(bundle, "project", key, newest)
    absent = [
        said
        for name, (source, said) in ABSENT.items()
        if not any(_belongs(artifact, name, source) for artifact in artifacts)
    ]
    return page(
        request,
        "project.html",
        about=project["description"] or f"{project['display_name']} in numbers of code, packages, chains and funding.",
        kind="project",
        entity=project,
        name=project["project_name"],
        here=here,
        card=f"project/{quote(project['project_name'], safe='')}",
        feed=f"{here}/feed.atom",
        websites=[site for site in project["websites"] or [] if words.link(site)],
        collections=_collections(bundle).get(key, []),
        artifacts=_by_kind(bundle, artifacts),
        strip=[(name, row, sparks.get(row["metric_id"]) if row else None) for name, row in numbers.strip(newest)],
        sections=sections,
        windows=numbers.WINDOWS,
        absent=absent,
        count=len(newest),
    )


def drawn(bundle: Bundle, kind: str, key: str, newest: dict[str, dict]) -> tuple[list[dict], dict[str, str]]:
    """The sections of a page that have a number, each with its charts and rows; and the sparklines by metric id."""
    metrics = numbers.metric_by_name(bundle)
    shown = [row for _, row in numbers.strip(newest) if row and row["amount"] is not None]
    last = max((row["sample_date"] for row in newest.values()), default=date.min)
    asked: dict[str, date | None] = {}
    for names in numbers.SECTIONS.values():
        asked |= {metrics[name]["metric_id"]: numbers.back(last, SHOWN_DAYS) for name in names[1] if name in metrics}
    # of all time the release has no series: its sparkline would be another number's
    asked |= {
        row["metric_id"]: numbers.back(row["sample_date"], numbers.SPARK_DAYS)
        for row in shown
        if row["window"] != "over_all_time"
    }
    points = series(bundle, kind, [key], asked)[key]
    sections = []
    for section, (title, charts, sources, names) in numbers.SECTIONS.items():
        rows = [(source, numbers.table(bundle, newest, names, source)) for source in sources]
        rows = [(source, found) for source, found in rows if found]
        if not rows:
            continue
        figures = []
        for name in charts:
            metric = metrics.get(name)
            if metric and points[metric["metric_id"]] and (as_of := numbers.as_of(newest, metric)):
                figures.append(figure(bundle, metric, points[metric["metric_id"]]) | {"as_of": as_of})
        sections.append({"id": section, "title": title, "tables": rows, "charts": figures})
    sparks = {
        row["metric_id"]: sparkline(points[row["metric_id"]], row["unit"])
        for row in shown
        if row["metric_id"] in points
    }
    return sections, sparks


def figure(bundle: Bundle, metric: dict, points: list) -> dict:
    """A chart of one metric, with its title and the points for the table behind it."""
    title = f"{metric['display_name']} {words.each(metric['window'])}"
    one, notes = Series(metric["display_name"], points), changes(bundle, metric)
    svg = chart([one], unit=metric["unit"], kind=shape(metric), title=title, notes=notes)
    return {"metric": metric, "title": title, "svg": svg, "points": points}


def _collections(bundle: Bundle) -> dict[str, list[dict]]:
    """The collections of each project by its id, read once a release: name to show and address."""
    if bundle not in _COLLECTIONS:
        found: dict[str, list[dict]] = {}
        for row in bundle.rows("""
            select project_id, collections.*
            from oso.projects_by_collection_v1 as members
            inner join oso.collections_v1 as collections using (collection_id)
            order by collections.display_name"""):
            one = {"display_name": row["display_name"], "address": address(bundle, "collection", row)}
            found.setdefault(row["project_id"], []).append(one)
        _COLLECTIONS[bundle] = found
    return _COLLECTIONS[bundle]


def _belongs(artifact: dict, section: str, source: str | None) -> bool:
    return (
        artifact["artifact_type"] in ("CONTRACT", "ADDRESS")
        if source is None
        else artifact["artifact_source"] == source
    )


def _by_kind(bundle: Bundle, artifacts: list[dict]) -> list[dict]:
    found = []
    for kind, title in KINDS.items():
        rows = [row for row in artifacts if row["artifact_type"] == kind]
        if rows:
            listed = [row | {"address": address(bundle, "artifact", row)} for row in rows[:LISTED]]
            found.append({"title": title, "rows": listed, "more": len(rows) - len(listed)})
    return found
