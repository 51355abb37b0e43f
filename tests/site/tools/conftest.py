"""A release for the pages of tools, its values chosen so that what the pages show can be worked out by hand."""

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from consumer.site import scores
from include.settings import load_settings
from tests.consumer.graphql_world import NAMES, PROJECTS, ROWS
from tests.consumer.releases import publish_rows

WEIGHTS = """\
id: hand
entities: all
window: over_30_day_period
p: 2
transform: none
variants: {adoption: 1, growth: 0.5}
metrics:
  - {source: GITHUB, metric: commits, weight: 2}
  - {source: GITHUB, metric: stars, weight: 1}
max_missing: 0.5
"""
# alpha is first in all; beta half in commits, first in the growth of them, its stars unknown; of gamma only stars
PLACES = {
    "p1": [1.0, 0.0, 1.0, 1.0],
    "p2": [0.5, 1.0, None, None],
    "p3": [None, None, 0.0, 0.25],
}


def _metric(name: str, shown: str, window: str, **more) -> dict:
    return {
        "metric_id": f"m-{name}" + ("" if window == "over_all_time" else f"-{window}"),
        "metric": name,
        "metric_source": "GITHUB",
        "window": window,
        "metric_name": f"GITHUB_{name}_{window}",
        "display_name": shown,
        "definition": f"{shown} by people.",
        "unit": "count",
        "families": [name],
        "levels": ["project", "artifact"],
        "row_class": "N",
        "sql": f"select {name}",
        **more,
    }


def _source(family: str, **more) -> dict:
    return {
        "source": "GITHUB",
        "provider": "archive",
        "family": family,
        "enabled": True,
        "status": "ok",
        "first_day": date(2026, 11, 1),
        "docs_url": "https://example.org",
        "licence": "CC0-1.0",
        **more,
    }


def _seen(family: str, first: int, last: int, status: str, **more) -> dict:
    days = {"from_day": date(2026, 11, first), "to_day": date(2026, 11, last)}
    return {"source": "GITHUB", "provider": "archive", "family": family, "status": status, **days, **more}


def _score(version: str, project_id: str) -> dict:
    terms = [
        ("commits", "adoption", 2.0),
        ("commits", "growth", 1.0),
        ("stars", "adoption", 1.0),
        ("stars", "growth", 0.5),
    ]
    parts = [
        {"metric": metric, "source": "GITHUB", "variant": variant, "x": n, "n": n, "weight": weight}
        for (metric, variant, weight), n in zip(terms, PLACES[project_id], strict=True)
    ]
    published = {"p1": (0.8819171036881969, 0.555, 1), "p2": (0.7071067811865476, 0.445, 2), "p3": (None, None, None)}
    score, share, rank = published[project_id]
    return {
        "vector_id": "hand",
        "vector_version": version,
        "project_id": project_id,
        "window": "over_30_day_period",
        "sample_date": date(2026, 11, 20),
        "score": score,
        "share": share,
        "rank": rank,
        "missing_share": {"p1": 0.0, "p2": 1 / 3, "p3": 2 / 3}[project_id],
        "components": json.dumps(parts),
    }


def rows(version: str) -> dict[str, list[dict]]:
    """The rows of the release by table; `version` is that of the weights file."""
    keys = ROWS["key_metrics_by_project_v1"]
    return ROWS | {
        "metrics_v1": [
            _metric("commits", "Commits", "over_all_time"),
            _metric("stars", "Stars", "over_all_time"),
            _metric("commits", "Commits", "over_30_day_period", levels=["project"]),
            _metric("active_developers", "Active developers", "over_30_day_period", levels=["project"]),
        ],
        "key_metrics_by_project_v1": [row | {"unit": "count"} for row in keys]
        + [
            keys[0]
            | {"metric_id": "m-commits-over_30_day_period", "window": "over_30_day_period", "unit": "count"}
            | {"project_id": PROJECTS[name], "amount": amount, "previous_amount": 2.0, "quality": quality}
            for name, amount, quality in (("alpha", 4.0, "ok"), ("beta", 4.0, "partial"), ("gamma", None, "unknown"))
        ],
        "sources_v1": [
            _source("stars", as_of=date(2026, 11, 19)),
            _source("commits", as_of=date(2026, 11, 10), status="late"),
            _source("reviews", first_day=None, status="failing"),
        ],
        "coverage_v1": [
            _seen("stars", 1, 19, "full"),
            _seen("commits", 1, 8, "full"),
            _seen("commits", 9, 10, "part", reason="2 of 24 hours <missing>"),
            _seen("commits", 11, 12, "none"),
            _seen("reviews", 1, 2, "full", artifact_id="a1"),
            _seen("reviews", 2, 3, "none", artifact_id="a2"),
        ],
        "scores_by_project_v1": [_score(version, key) for key in NAMES],
    }


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """The release served; `text(path)` is the text of a page, and `client` asks anything else."""
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "hand.yml").write_text(WEIGHTS)
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("tools"))})
    version = scores.published(folder)["hand"].version
    publish_rows(settings, rows(version))
    serving = Serving(settings)
    patch = pytest.MonkeyPatch()
    patch.setattr(scores, "FOLDER", Path(folder))
    browser = {"Accept": "text/html"}
    with TestClient(create_app(serving, {"anonymous": Tier(10_000_000, None, None)}), headers=browser) as client:
        yield SimpleNamespace(serving=serving, client=client, settings=settings)
    patch.undo()


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A client of a release whose tables have no rows."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("bare"))})
    publish_rows(settings, {})
    with TestClient(create_app(Serving(settings)), headers={"Accept": "text/html"}) as client:
        yield client
