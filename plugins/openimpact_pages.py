"""The pages of include/pages in Airflow's navigation, and each source's runbook on its DAG."""

import asyncio
from functools import cache
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/openimpact"


@cache
def _app():
    from include.pages import build_app

    return build_app()


async def pages(scope, receive, send) -> None:
    """The ASGI application, imported by the first request: every process of Airflow loads this file."""
    app = await asyncio.to_thread(_app)  # importing it takes seconds, in which the API server answers others
    await app(scope, receive, send)


def _view(name: str, path: str, route: str, **more: str) -> dict[str, str]:
    base = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return {"name": name, "href": f"{base}{PREFIX}/{path}", "url_route": f"openimpact-{route}", **more}


class OpenImpactPages(AirflowPlugin):
    """Read-only pages, open to anybody who reaches the API server: they show open data."""

    name = "openimpact"
    fastapi_apps = [{"app": pages, "url_prefix": PREFIX, "name": "OpenImpact pages"}]
    external_views = [
        _view("Status", "status", "status", destination="nav", category="browse"),
        _view("Lineage", "lineage", "lineage", destination="nav", category="docs"),
        _view("Data docs", "data-docs", "data-docs", destination="nav", category="docs"),
        _view("Runbooks", "runbooks", "runbooks", destination="nav", category="docs"),
        _view("Runbook", "runbooks/{DAG_ID}", "runbook", destination="dag"),
    ]
