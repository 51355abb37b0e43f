"""The release of the pages, with series of two projects and the stars of two repositories added."""

from datetime import date
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.releases import publish_rows
from tests.site.pages.world import ALPHA, BETA, GAMMA, LAST, ROWS, amount, metric

HELD, GIVEN = "GITHUB_stars_total_daily", "GITHUB_stars_daily"
HOSTILE = "<script>alert(1)</script>\"'&潮水"
ADDED = {
    "projects_v1": [
        {"project_id": "h" * 32, "project_name": "hostile", "display_name": HOSTILE, "description": HOSTILE}
    ],
    "metrics_v1": [metric("stars", "GITHUB", "daily", "N", "count", ["stars"])],
    "key_metrics_by_project_v1": [
        {"project_id": "h" * 32}
        | amount("GITHUB_commits_over_30_day_period", 3.0, "partial", sample_date=date(2026, 10, 1)),
        {"project_id": GAMMA} | amount("GITHUB_commits_over_30_day_period", 42.0, "partial"),
    ],
    "timeseries_metrics_by_project_v1": [
        {"project_id": BETA} | amount("GITHUB_commits_weekly", value, sample_date=day)
        for day, value in ((date(2026, 9, 28), 10.0), (date(2026, 10, 26), 4.0))
    ]
    + [
        {"project_id": ALPHA} | amount("GITHUB_commits_over_30_day_period", value, sample_date=date(2026, 10, day))
        for day, value in ((29, 10.0), (30, 20.0), (31, 15.0))
    ],
    "timeseries_metrics_by_artifact_v1": [
        {"artifact_id": "a1"} | amount(HELD, value, sample_date=date(2026, 10, day))
        for day, value in ((30, 118.0), (31, 120.0))
    ]
    + [
        {"artifact_id": key}
        | amount(HELD, 1.0)
        | {"metric_id": GIVEN, "metric": "stars", "amount": value, "sample_date": day, "quality": quality}
        for key, day, value, quality in (
            ("a1", date(2026, 10, 28), 2.0, "ok"),
            ("a1", date(2026, 10, 30), 3.0, "ok"),
            ("a3", date(2026, 10, 29), 1.0, "ok"),
            ("a3", date(2026, 10, 31), 4.0, "partial"),
        )
    ],
    "coverage_v1": [
        {
            "source": "GITHUB",
            "provider": "archive",
            "family": "stars",
            "status": status,
            "from_day": first,
            "to_day": last,
        }
        for status, first, last in (
            ("full", date(2026, 10, 1), date(2026, 10, 30)),
            ("part", date(2026, 10, 31), date(2026, 10, 31)),
            ("full", LAST, LAST),
        )
    ],
}


@pytest.fixture(scope="session")
def widgets(tmp_path_factory):
    """The release, a client that follows no redirect, and the settings."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("widgets"))})
    release = publish_rows(settings, {name: ROWS.get(name, []) + ADDED.get(name, []) for name in {**ROWS, **ADDED}})
    serving = Serving(settings)
    app = create_app(serving, {"anonymous": Tier(10_000_000, None, None)})
    with TestClient(app, follow_redirects=False) as client:
        yield SimpleNamespace(release=release, client=client, settings=settings)
