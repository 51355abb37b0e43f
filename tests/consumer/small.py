"""A small release by hand: two projects with three repositories, numbers known, unknown and absent."""

from datetime import date

FORMULA = "=HYPERLINK(evil)"
OCTO = {"project_source": "OSS_DIRECTORY", "project_namespace": "oso"}
METRICS = [
    ("m-day", "commits", "GITHUB", "daily"),
    ("m-30", "commits", "GITHUB", "over_30_day_period"),
    ("m-npm", "downloads", "NPM", "over_30_day_period"),
]
NAMES = {"p-ant": "ant", "p-bee": "bee", "p-odd": FORMULA}


def _number(entity, metric, amount, quality="ok", previous=None):
    metric_id, name, source, window = next(row for row in METRICS if row[0] == metric)
    return entity | {
        "metric_id": metric_id,
        "metric": name,
        "metric_source": source,
        "window": window,
        "sample_date": date(2026, 1, 3),
        "amount": amount,
        "previous_amount": previous,
        "unit": "count",
        "quality": quality,
        "coverage": {"ok": 1.0, "partial": 0.5, "unknown": 0.0}[quality],
    }


def _artifact(identity, source, namespace, name):
    return {
        "artifact_id": identity,
        "artifact_source_id": identity,
        "artifact_source": source,
        "artifact_namespace": namespace,
        "artifact_name": name,
    }


ARTIFACTS = [
    _artifact("a-1", "GITHUB", "Ants", "Hill"),
    _artifact("a-2", "NPM", "", "@ants/hill"),
    _artifact("a-3", "NPM", "", "hill"),
    _artifact("a-4", "MAINNET", "", "0xabc0000000000000000000000000000000000001"),
    _artifact("a-5", "OPTIMISM", "", "0xabc0000000000000000000000000000000000001"),
]
PROJECTS = {key: OCTO | {"project_id": key, "project_name": name} for key, name in NAMES.items()}
COLLECTION = {"collection_id": "c-1", "collection_source": "OSS_DIRECTORY", "collection_name": "insects"}

ROWS = {
    "projects_v1": [
        row | {"display_name": row["project_name"].title(), "websites": ["https://a.example", '"x"']}
        for row in PROJECTS.values()
    ],
    "collections_v1": [COLLECTION | {"collection_namespace": "oso", "display_name": "Insects"}],
    "projects_by_collection_v1": [PROJECTS[key] | COLLECTION for key in ("p-ant", "p-bee")],
    "artifacts_v1": [row | {"artifact_type": "THING", "status": "live"} for row in ARTIFACTS],
    "artifacts_by_project_v1": [row | PROJECTS["p-ant"] for row in ARTIFACTS[:2]],
    "metrics_v1": [
        {
            "metric_id": identity,
            "metric": name,
            "metric_source": source,
            "window": window,
            "metric_name": f"{source}_{name}_{window}",
            "display_name": name.title(),
            "definition": "What is counted.",
            "unit": "count",
            "row_class": "N",
            "levels": ["artifact", "project", "collection"],
            "sql": "select 1",
        }
        for identity, name, source, window in METRICS
    ],
    "key_metrics_by_project_v1": [
        _number({"project_id": "p-ant"}, "m-30", 7.0, "partial", 9.0),
        _number({"project_id": "p-ant"}, "m-npm", None, "unknown"),
        _number({"project_id": "p-bee"}, "m-30", 12.0),
        _number({"project_id": "p-odd"}, "m-30", None, "unknown"),
    ],
    "timeseries_metrics_by_project_v1": [
        {k: v for k, v in _number({"project_id": "p-ant"}, "m-day", amount).items() if k != "previous_amount"}
        | {"sample_date": date(2026, 1, day)}
        for day, amount in ((3, 4.0), (1, 2.0), (2, 1.0))
    ],
    "sources_v1": [
        {"source": "GITHUB", "provider": "archive", "family": "commits", "enabled": True, "as_of": date(2026, 1, 3)},
        {"source": "GITHUB", "provider": "api", "family": "commits", "enabled": True, "as_of": date(2025, 12, 1)},
        {"source": "GITHUB", "provider": "archive", "family": "stars", "enabled": True, "as_of": date(2026, 1, 2)},
        {"source": "NPM", "provider": "npm", "family": "downloads", "enabled": True, "as_of": None},
        {"source": "EVM", "provider": "rpc", "family": "transactions", "enabled": False, "as_of": None},
    ],
    "coverage_v1": [
        {
            "source": "GITHUB",
            "provider": "archive",
            "family": "commits",
            "from_day": date(2026, 1, first),
            "to_day": date(2026, 1, last),
            "status": status,
        }
        for first, last, status in ((1, 1, "none"), (2, 3, "full"))
    ],
}
