"""The first page: search, who leads and who moved in a few metrics that say something."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.rest.entities import known
from consumer.site.finding import address
from consumer.site.pages import page

LEADERS = (
    "GITHUB_active_developers_over_30_day_period",
    "GITHUB_merged_pull_requests_over_30_day_period",
    "NPM_downloads_over_30_day_period",
    "EVM_active_addresses_over_30_day_period",
    "OPEN_COLLECTIVE_funding_received_over_180_day_period",
    "GITHUB_new_contributors_over_90_day_period",
)
SHOWN = 5
LEAST_BEFORE = 5  # below it a change in percent says nothing
_TOP = f"""
    select numbers.*, projects.project_name, projects.display_name
    from (
        select
            metric_id, project_id, amount, previous_amount, unit, sample_date, quality, coverage,
            row_number() over (partition by metric_id order by amount desc, project_id) as place
        from oso.key_metrics_by_project_v1
        where list_contains(?, metric_id) and isfinite(amount) and amount > 0
    ) as numbers
    inner join oso.projects_v1 as projects using (project_id)
    where place <= {SHOWN}
    order by metric_id, place"""
_MOVED = f"""
    select numbers.*, projects.project_name, projects.display_name
    from oso.key_metrics_by_project_v1 as numbers
    inner join oso.projects_v1 as projects using (project_id)
    where list_contains(?, metric_id) and isfinite(amount) and previous_amount >= {LEAST_BEFORE}
        and amount <> previous_amount
    order by abs(ln((amount + 1) / (previous_amount + 1))) desc, project_name
    limit 10"""


def routes() -> list[Route]:
    """The first page's route."""
    return [Route("/", _home)]


def _home(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    names = {row["metric_name"]: row for row in known(bundle).metrics.values()}
    metrics = {names[name]["metric_id"]: names[name] for name in LEADERS if name in names}
    top = [row | {"address": address(bundle, "project", row)} for row in bundle.rows(_TOP, [[*metrics]])]
    moved = [row | {"address": address(bundle, "project", row)} for row in bundle.rows(_MOVED, [[*metrics]])]
    counts = {name: bundle.tables[f"{name}_v1"].rows for name in ("projects", "collections", "artifacts")}
    return page(
        request,
        "home.html",
        about="Open source projects in numbers of code, packages, chains and funding, and how far to trust each.",
        counts=counts | {"metrics": len({(row["metric_source"], row["metric"]) for row in names.values()})},
        leaders=[(metric, [row for row in top if row["metric_id"] == key]) for key, metric in metrics.items()],
        moved=[(metrics[row["metric_id"]], row) for row in moved],
    )
