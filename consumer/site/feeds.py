"""What programs read of the site: a feed per project and collection, the sitemap, robots.txt, security.txt."""

from datetime import UTC, date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.problems import Problem
from consumer.rest.entities import known
from consumer.series import series
from consumer.serving import Serving
from consumer.site import numbers
from consumer.site.finding import address, entity
from consumer.site.metric import main_window
from consumer.site.pages import NAV, TEMPLATES, origin

WEEKS = 12
TOLD = (
    "GITHUB_commits_weekly",
    "GITHUB_merged_pull_requests_weekly",
    "GITHUB_contributors_weekly",
    "GITHUB_stars_weekly",
    "GITHUB_releases_weekly",
    "NPM_downloads_weekly",
    "NPM_package_releases_weekly",
    "EVM_transactions_weekly",
    "OPEN_COLLECTIVE_funding_received_weekly",
)
MOST_ADDRESSES = 50_000  # of a sitemap


def routes(serving: Serving) -> list[Route]:
    """The routes of all of them."""
    return [
        Route("/projects/{name}/feed.atom", lambda request: _feed(request, "project")),
        Route("/collections/{name}/feed.atom", lambda request: _feed(request, "collection")),
        Route("/sitemap.xml", _sitemap),
        Route("/robots.txt", _robots),
        Route("/.well-known/security.txt", lambda request: _security(request, serving.settings.security_contact)),
    ]


def _feed(request: Request, kind: str) -> Response:
    """An entry for each of the last whole weeks, with what was counted in it."""
    bundle: Bundle = request.state.bundle
    found = entity(bundle, kind, request.path_params["name"])
    key = found[f"{kind}_id"]
    newest = numbers.newest(bundle, kind, key)
    last = max((row["sample_date"] for row in newest.values()), default=date.min)
    metrics = numbers.metric_by_name(bundle)
    asked = {metrics[name]["metric_id"]: numbers.back(last, 7 * WEEKS) for name in TOLD if name in metrics}
    weeks: dict[date, list[tuple[dict, object]]] = {}
    for metric_id, points in series(bundle, kind, [key], asked)[key].items():
        for point in points:
            weeks.setdefault(point.day, []).append((known(bundle).metrics[metric_id], point))
    entries = [
        {"week": week, "end": week + timedelta(6), "updated": _evening(week + timedelta(6)), "told": told}
        for week, told in sorted(weeks.items(), reverse=True)
        if week + timedelta(6) <= last
    ]
    return _xml(
        "feed.xml",
        "application/atom+xml",
        entity=found,
        entries=entries,
        here=f"{origin(request)}{address(bundle, kind, found)}",
        published_at=bundle.published_at,
    )


def _sitemap(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    addresses = ["/", *(to for to, _ in NAV), "/about", "/methods", "/api"]
    for kind in ("collection", "project"):
        columns = f"select {kind}_id, {kind}_name from oso.{kind}s_v1 order by {kind}_name limit {MOST_ADDRESSES}"
        addresses += [address(bundle, kind, row) for row in bundle.rows(columns)]
    by_metric: dict[tuple[str, str], list[dict]] = {}
    for row in known(bundle).metrics.values():
        by_metric.setdefault((row["metric_source"], row["metric"]), []).append(row)
    addresses += [f"/metrics/{main_window(rows)['metric_name']}" for rows in by_metric.values()]
    return _xml(
        "sitemap.xml",
        "application/xml",
        addresses=[f"{origin(request)}{to}" for to in addresses[:MOST_ADDRESSES]],
        published_at=bundle.published_at,
    )


async def _robots(request: Request) -> Response:
    text = f"User-agent: *\nDisallow: /api/\nDisallow: /search\n\nSitemap: {origin(request)}/sitemap.xml\n"
    return Response(text, media_type="text/plain")


def _security(request: Request, contact: str | None) -> Response:
    """Where to report a hole (RFC 9116); only the operator can say it."""
    if not contact:
        raise Problem(404, "The operator of this server named no contact for reports of security holes.")
    expires = request.state.bundle.published_at + timedelta(days=365)
    text = f"Contact: {contact}\nExpires: {expires:%Y-%m-%dT%H:%M:%SZ}\nPreferred-Languages: en\n"
    return Response(text, media_type="text/plain")


def _evening(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def _xml(template: str, media_type: str, **values) -> Response:
    return Response(TEMPLATES.get_template(template).render(values), media_type=media_type)
