"""The pages of metrics: meaning, SQL, where the facts come from, how well they were seen, who has most of it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.entities import known, search
from consumer.site import words
from consumer.site.finding import address
from consumer.site.numbers import is_key
from consumer.site.pages import page

ROW_CLASSES = {
    "N": "A window in which nothing happened has no row; if it was seen it is 0.",
    "S": "A window without any booking has no row; if it was seen it is 0. The sum may be negative.",
    "R": "Only a window with at least one case has a number; without a case there is none, not 0.",
    "K": "A count of a day as the source tells it; a day on which it was not asked has none.",
}
PUBLISHED = ("key_metrics_by_project_v1", "timeseries_metrics_by_project_v1", "metrics_v1")
ORDER = ("GITHUB", "NPM", "DEPS_DEV", "EVM", "OPEN_COLLECTIVE")
_QUALITY = """
    select sample_date, count(*) as n, count(*) filter (where quality = 'ok') as ok, round(avg(coverage), 3) as coverage
    from oso.timeseries_metrics_by_project_v1
    where metric_id = ?
    group by sample_date
    order by sample_date desc
    limit 24"""
_NOW = """
    select quality, count(*) as n
    from oso.key_metrics_by_project_v1
    where metric_id = ?
    group by quality
    order by quality"""
_TOP = """
    select projects.*, numbers.amount, numbers.previous_amount, numbers.unit, numbers.sample_date, numbers.quality,
        numbers.coverage
    from oso.key_metrics_by_project_v1 as numbers
    inner join oso.projects_v1 as projects using (project_id)
    where metric_id = ? and isfinite(amount)
    order by amount desc, project_name
    limit 10"""
_SOURCES = """
    select provider, family, first_day, as_of, status, docs_url, licence
    from oso.sources_v1
    where enabled and ($source in (source, 'EVM')) and list_contains($families, family)
    order by provider, family"""


def routes() -> list[Route]:
    """The routes of all metrics and of one."""
    return [Route("/metrics", _metrics), Route("/metrics/{name:path}", _metric)]


def _metrics(request: Request) -> Response:
    groups: dict[str, dict[str, dict]] = {}
    for row in known(request.state.bundle).metrics.values():
        metric = groups.setdefault(row["metric_source"], {}).setdefault(row["metric"], row | {"windows": []})
        metric["windows"].append(row)
    for metrics in groups.values():
        for metric in metrics.values():
            metric["windows"].sort(key=lambda row: [*words.WINDOWS].index(row["window"]))
            metric["first"] = main_window(metric["windows"])
    ordered = sorted(groups, key=lambda source: (ORDER.index(source) if source in ORDER else len(ORDER), source))
    return page(
        request,
        "metrics.html",
        about="Every metric, what it counts, and in which windows.",
        groups=[
            (source, sorted(groups[source].values(), key=lambda row: row["display_name"].lower())) for source in ordered
        ],
    )


def _metric(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    name = request.path_params["name"]
    metric = find_metric(bundle, name)
    if metric["metric_name"] != name:
        return RedirectResponse(f"/metrics/{metric['metric_name']}", 301, {"Cache-Control": "public, max-age=300"})
    key = metric["metric_id"]
    siblings = [
        row
        for row in known(bundle).metrics.values()
        if (row["metric"], row["metric_source"]) == (metric["metric"], metric["metric_source"])
    ]
    top = bundle.rows(_TOP, [key]) if is_key(metric, "project") else []
    sources = bundle.rows(_SOURCES, {"source": metric["metric_source"], "families": metric["families"]})
    return page(
        request,
        "metric.html",
        about=metric["definition"],
        here=f"/metrics/{metric['metric_name']}",
        metric=metric,
        siblings=sorted(siblings, key=lambda row: [*words.WINDOWS].index(row["window"])),
        rows_said=ROW_CLASSES.get(metric["row_class"], ""),
        sources=sources,
        lineage=_lineage(bundle),
        top=[row | {"address": address(bundle, "project", row)} for row in top],
        now=bundle.rows(_NOW, [key]),
        over_time=bundle.rows(_QUALITY, [key]),
    )


def find_metric(bundle: Bundle, name: str) -> dict:
    """The row of metrics_v1 of a full name, an id, or a name without source and window (then its main window).

    Raises:
        Problem: 404 with metrics that are called alike.
    """
    rows = known(bundle).metrics.values()
    found = [row for row in rows if name.lower() in (row["metric_name"].lower(), row["metric_id"])]
    found = found or [row for row in rows if name.lower() == row["metric"]][:1]
    if not found:
        short = [row for row in rows if name.lower() == f"{row['metric_source']}_{row['metric']}".lower()]
        found = [main_window(short)] if short else []
    if not found:
        alike = bundle.rows(*search(name[:300], "metric", 10))
        raise Problem(
            404,
            f"There is no metric {name[:100]!r} in this release.",
            candidates=[{"name": row["name"], "address": f"/metrics/{row['name']}"} for row in alike],
        )
    if len(found) == 1 and name.lower() == found[0]["metric"]:
        found = [main_window([row for row in rows if row["metric"] == found[0]["metric"]])]
    return bundle.rows("select * from oso.metrics_v1 where metric_id = ?", [found[0]["metric_id"]])[0]


def main_window(rows: list[dict]) -> dict:
    """Of a metric in several windows the one that is shown first: 30 days, else the first that there is."""
    return min(rows, key=lambda row: (row["window"] != "over_30_day_period", row["window"] != "over_all_time"))


def _lineage(bundle: Bundle) -> list[tuple[str, list[dict]]]:
    """The models between the landed facts and the published numbers of projects, by layer, the published first."""
    models = {row["model_name"]: row for row in bundle.rows("select * exclude (sql) from oso.models_v1")}
    found, waiting = {}, [name for name in PUBLISHED if name in models]
    while waiting:
        name = waiting.pop()
        if name in models and name not in found:
            found[name] = models[name]
            waiting += models[name]["depends_on"]
    layers = sorted({row["layer"] for row in found.values()}, key=lambda one: (one != "exports", one != "metrics", one))
    return [(layer, [row for _, row in sorted(found.items()) if row["layer"] == layer]) for layer in layers]
