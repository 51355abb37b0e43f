"""The page about the API: questions that run as they stand, what one may ask, where the explorers and the docs are."""

import json
import shlex
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.limits import TIERS
from consumer.site.pages import page

_NAMES = """
    select project_name, metric_name
    from oso.key_metrics_by_project_v1
    inner join oso.projects_v1 using (project_id)
    inner join (select metric_id, metric_name from oso.metrics_v1) as metrics using (metric_id)
    where amount is not null
    order by metric_name <> 'GITHUB_commits_over_30_day_period', amount desc, project_name
    limit 1"""


@dataclass(frozen=True)
class Example:
    """A question that runs as it stands: a path with its query and, where it is sent by POST, a JSON body."""

    about: str
    path: str
    body: dict | None = None

    @property
    def curl(self) -> str:
        """The command; SITE holds the address of the server."""
        sent = ""
        if self.body is not None:
            sent = f" \\\n  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(self.body))}"
        return f'curl -s "$SITE"{shlex.quote(self.path)}{sent}'

    @property
    def explorer(self) -> str | None:
        """The address of the same question in the GraphQL explorer; None where it is no GraphQL."""
        return f"/graphql#query={quote(self.body['query'])}" if self.path.endswith("/graphql") else None


def routes() -> list[Route]:
    """The page's route."""
    return [Route("/api", _api)]


def examples(bundle: Bundle) -> dict[str, list[Example]]:
    """By protocol, questions on a project and a metric of the release; none where it has no number."""
    found = bundle.rows(_NAMES)
    if not found:
        return {}
    project, metric = found[0]["project_name"], found[0]["metric_name"]
    name, text = quote(project, safe=""), project.replace("'", "''")
    return {
        "REST": [
            Example("A project and its newest numbers", f"/api/v1/projects/{name}"),
            Example("One series as CSV", f"/api/v1/timeseries.csv?project={name}&metric={metric}"),
            Example("The ten projects with most", f"/api/v1/rankings?metric={metric}&limit=10"),
            Example("How far every source reaches", "/api/v1/freshness"),
        ],
        "GraphQL": [
            Example(
                "Projects by name",
                "/api/v1/graphql",
                {"query": "{ oso_projectsV1(limit: 5, order_by: [{projectName: Asc}]) { projectName displayName } }"},
            ),
            Example(
                "The newest numbers with their quality",
                "/api/v1/graphql",
                {"query": "{ oso_keyMetricsByProjectV1(limit: 5) { metric window amount unit quality sampleDate } }"},
            ),
        ],
        "SQL": [
            Example(
                "Numbers of one project",
                "/api/v1/sql",
                {
                    "query": "SELECT metric, amount, unit, quality, sample_date FROM key_metrics_by_project_v1 "
                    f"JOIN projects_v1 USING (project_id) WHERE project_name = '{text}' ORDER BY metric LIMIT 10",
                    "format": "csv",
                },
            ),
        ],
    }


def _api(request: Request) -> Response:
    return page(
        request,
        "api.html",
        about="REST, GraphQL, SQL and Iceberg over the same releases, without a key.",
        examples=examples(request.state.bundle),
        tiers=TIERS,
    )
