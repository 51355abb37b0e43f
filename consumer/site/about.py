"""What OpenImpact is and by which rules its numbers come about, as far as the release itself tells."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.site.pages import page

_METRICS = """
    select metric_source as source, count(distinct metric) as metrics, count(*) as windows
    from oso.metrics_v1
    group by 1
    order by 1"""
_WINDOWS = """
    select "window", count(*) as metrics
    from oso.metrics_v1
    group by 1
    order by starts_with("window", 'over_'), "window" = 'over_all_time', count(*) desc, 1"""
_HOLES = """
    select source, provider, reason, status, min(from_day) as from_day, max(to_day) as to_day,
        count(distinct family) as families
    from oso.coverage_v1
    where artifact_id is null and status <> 'full' and reason is not null
    group by source, provider, reason, status
    order by source, provider, from_day, reason
    limit 50"""
_QUALITIES = """
    select quality, count(*) as numbers from oso.key_metrics_by_project_v1 group by 1 order by 1"""
_ISSUES = "select issue, count(*) as found from oso.mapping_issues_v1 group by 1 order by 2 desc, 1"
_DIFFERS = "select count(distinct (metric_source, metric)) as metrics from oso.metrics_v1 where differs is not null"
_BLIND = """
    select source, status, count(*) as families from oso.sources_v1 where status in ('off', 'failing')
    group by 1, 2 order by 1, 2"""


def routes() -> list[Route]:
    """The routes of both pages."""
    return [Route("/about", _about), Route("/methods", _methods)]


def _about(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    about = "The open observatory of open source impact: what it is, and how to run, cite and correct it."
    return page(request, "about.html", about=about, issues=bundle.rows(_ISSUES))


def _methods(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    (differs,) = bundle.rows(_DIFFERS)
    return page(
        request,
        "methods.html",
        about="How the numbers come about: quality, coverage, windows, bots, and what is not measured.",
        metrics=bundle.rows(_METRICS),
        windows=bundle.rows(_WINDOWS),
        qualities=bundle.rows(_QUALITIES),
        holes=bundle.rows(_HOLES),
        blind=bundle.rows(_BLIND),
        differs=differs["metrics"],
    )
