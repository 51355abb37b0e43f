"""A small release whose answers are worked out by hand, and ways to ask it by GraphQL."""

from datetime import UTC, date, datetime

from tests.consumer.releases import publish_rows

BEYOND_DOUBLE = 2**53 + 1
PROJECTS = {"alpha": "p1", "beta": "p2", "gamma": "p3"}
NAMES = {key: name for name, key in PROJECTS.items()}


def project(key: str) -> dict:
    """The columns that name a project."""
    name = NAMES[key]
    return {
        "project_id": key,
        "project_source": "OSS_DIRECTORY",
        "project_namespace": "oso",
        "project_name": name,
        "display_name": name.title(),
    }


def artifact(key: str) -> dict:
    """The columns that name an artifact."""
    return {
        "artifact_id": key,
        "artifact_source": "GITHUB",
        "artifact_namespace": "org",
        "artifact_name": f"repo-{key}",
    }


def amount(metric: str, project_id: str, value: float | None, **more) -> dict:
    """A key metric of a project."""
    return {
        "metric_id": f"m-{metric}",
        "metric": metric,
        "metric_source": "GITHUB",
        "window": "over_all_time",
        "project_id": project_id,
        "sample_date": date(2026, 11, 1),
        "amount": value,
        "unit": metric,
        "quality": "ok",
        "coverage": 1.0,
        "computed_at": datetime(2026, 11, 2, 3, 4, 5, 678000, tzinfo=UTC),
        **more,
    }


def day(number: int, value: float) -> dict:
    """A point of alpha's series of commits."""
    return amount("commits", "p1", value, sample_date=date(2026, 11, number))


ROWS = {
    "projects_v1": [project(key) | {"description": "The first." if key == "p1" else None} for key in NAMES],
    "collections_v1": [{"collection_id": key, "collection_name": name} for key, name in (("c1", "one"), ("c2", "two"))],
    "projects_by_collection_v1": [
        project_in | {"collection_id": collection, "collection_name": name}
        for collection, name, keys in (("c1", "one", ("p1", "p2")), ("c2", "two", ("p1",)))
        for project_in in ({k: v for k, v in project(key).items() if k != "display_name"} for key in keys)
    ],
    "artifacts_v1": [artifact(key) for key in ("a1", "a2", "a3", "a4")],
    "artifacts_by_project_v1": [
        artifact(key) | {k: v for k, v in project(owner).items() if k != "display_name"}
        for key, owner in (("a1", "p1"), ("a2", "p1"), ("a3", "p2"), ("a4", "p3"))
    ],
    "code_metrics_by_project_v1": [
        project("p1") | {"event_source": "GITHUB", "star_count": 10, "fork_count": BEYOND_DOUBLE, "quality": "ok"},
        project("p2") | {"event_source": "GITHUB", "star_count": 30, "fork_count": 3, "quality": "partial"},
        project("p3") | {"event_source": "GITHUB", "star_count": None, "quality": "unknown"},
    ],
    "metrics_v1": [
        {
            "metric_id": f"m-{name}",
            "metric": name,
            "metric_name": f"GITHUB_{name}_over_all_time",
            "definition": name,
            "sql": "a" * 300,
        }
        for name in ("commits", "stars")
    ],
    "metrics_v0": [{"metric_id": f"m-{name}", "metric_name": f"GITHUB_{name}"} for name in ("commits", "stars")],
    "key_metrics_by_project_v1": [
        amount("commits", "p1", 5.0),
        amount("commits", "p2", 7.5),
        amount("commits", "p3", None, quality="unknown", coverage=0.0),
        amount("stars", "p1", 10.0),
        amount("stars", "p2", float("nan")),
        amount("stars", "p3", float("inf")),
    ],
    "timeseries_metrics_by_project_v1": [day(1, 1.0), day(2, 0.0), day(3, 4.0)],
    "timeseries_metrics_by_project_v0": [
        {k: row[k] for k in ("metric_id", "project_id", "sample_date", "amount", "unit")}
        for row in (day(1, 1.0), day(2, 0.0), day(3, 4.0))
    ],
    "onchain_metrics_by_project_v1": [
        project("p1") | {"event_source": "BASE", "transaction_count": 4, "gas_fees_sum": 0.5},
        project("p1") | {"event_source": "OPTIMISM", "transaction_count": 6, "gas_fees_sum": 0.25},
    ],
    "timeseries_events_by_artifact_v0": [
        {"time": datetime(2026, 11, 1, tzinfo=UTC), "to_artifact_id": "a1", "event_type": "STAR", "amount": 1.0}
    ],
}


def publish_world(settings):
    """Publishes it."""
    return publish_rows(settings, ROWS)
