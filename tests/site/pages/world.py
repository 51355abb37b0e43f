"""A small release for the pages, worked out by hand."""

from datetime import UTC, date, datetime

from tests.consumer.releases import publish_rows

LAST = date(2026, 11, 1)  # a Sunday
PROJECTS = {
    "alpha": ("p" * 32, "Alpha"),
    "beta": ("q" * 32, "Beta & Söhne"),
    "gamma": ("r" * 32, "Gamma"),
}
TWINS = ("a" * 32, "b" * 32)
METRICS = (
    ("commits", "GITHUB", "over_30_day_period", "N", "count", ["commits"]),
    ("commits", "GITHUB", "weekly", "N", "count", ["commits"]),
    ("active_developers", "GITHUB", "over_30_day_period", "N", "count", ["commits"]),
    ("time_to_merge_median", "GITHUB", "over_30_day_period", "R", "seconds", ["pulls_closed"]),
    ("time_to_merge_median", "GITHUB", "weekly", "R", "seconds", ["pulls_closed"]),
    ("stars_total", "GITHUB", "daily", "K", "count", ["repo_stats"]),
    ("downloads", "NPM", "over_30_day_period", "N", "count", ["downloads"]),
    ("funding_received", "OPEN_COLLECTIVE", "over_180_day_period", "S", "USD", ["ledger"]),
)


def metric(name: str, source: str, window: str, row_class: str, unit: str, families: list[str]) -> dict:
    """A row of metrics_v1."""
    full = f"{source}_{name}_{window}"
    return {
        "metric_id": full,
        "metric": name,
        "metric_source": source,
        "window": window,
        "metric_name": full,
        "display_name": name.replace("_", " ").capitalize(),
        "definition": f"What {name} means",
        "unit": unit,
        "amount_type": "integer",
        "row_class": row_class,
        "families": families,
        "levels": ["artifact", "project", "collection"],
        "sql": f"select {name} from events",
        "owner": "code",
    }


def amount(name: str, value: float | None, quality: str = "ok", coverage: float = 1.0, **more) -> dict:
    """A newest number, of a full metric name."""
    source, rest = next(
        (s, name.removeprefix(f"{s}_")) for s in ("GITHUB", "NPM", "OPEN_COLLECTIVE") if name.startswith(s)
    )
    window = next(w for w in ("over_30_day_period", "over_180_day_period", "weekly", "daily") if rest.endswith(w))
    units = {f"{source}_{metric}_{window}": unit for metric, source, window, _, unit, _ in METRICS}
    return {
        "metric_id": name,
        "metric": rest.removesuffix(f"_{window}"),
        "metric_source": source,
        "window": window,
        "sample_date": LAST,
        "amount": value,
        "unit": units[name],
        "quality": quality,
        "coverage": coverage,
        **more,
    }


def project(name: str) -> dict:
    """The columns that name a project."""
    key, shown = PROJECTS[name]
    return {"project_id": key, "project_source": "OSS_DIRECTORY", "project_name": name, "display_name": shown}


def artifact(key: str, source: str, kind: str, namespace: str, name: str, **more) -> dict:
    """A row of artifacts_v1."""
    return {
        "artifact_id": key,
        "artifact_source": source,
        "artifact_type": kind,
        "artifact_namespace": namespace,
        "artifact_name": name,
        "status": "live",
        **more,
    }


ALPHA, BETA, GAMMA = (key for key, _ in PROJECTS.values())
ARTIFACTS = [
    artifact("a1", "GITHUB", "REPOSITORY", "org", "alpha", url="https://github.com/org/alpha"),
    artifact("a2", "NPM", "PACKAGE", "", "@org/alpha-kit", url="javascript:alert(1)"),
    artifact("a3", "GITHUB", "REPOSITORY", "org", "shared", url="https://github.com/org/shared"),
    artifact("a4", "NPM", "PACKAGE", "", "gone", status="dead", died_on=date(2026, 1, 2)),
]
OWNED = (("a1", "alpha"), ("a2", "alpha"), ("a3", "alpha"), ("a3", "beta"), ("a4", "gamma"))
ROWS = {
    "projects_v1": [
        project("alpha") | {"description": "The first.", "websites": ["https://alpha.example/", "javascript:alert(1)"]},
        project("beta"),
        project("gamma"),
        *({"project_id": key, "project_name": "twin", "display_name": "Twin"} for key in TWINS),
    ],
    "collections_v1": [
        {"collection_id": "c" * 32, "collection_name": "both", "display_name": "Both"},
        {"collection_id": "d" * 32, "collection_name": "hollow", "display_name": "Hollow"},
    ],
    "projects_by_collection_v1": [
        {"project_id": PROJECTS[name][0], "project_name": name, "collection_id": "c" * 32, "collection_name": "both"}
        for name in ("alpha", "beta", "gamma")
    ],
    "artifacts_v1": ARTIFACTS,
    "artifacts_by_project_v1": [
        {"artifact_id": key, "project_id": PROJECTS[name][0], "project_name": name} for key, name in OWNED
    ],
    "mapping_issues_v1": [
        {
            "project_id": GAMMA,
            "project_name": "gamma",
            "kind": "github_repo",
            "identity": "org/old-gamma",
            "issue": "renamed",
            "url": "https://github.com/org/old-gamma",
        }
    ],
    "metrics_v1": [metric(*one) for one in METRICS],
    "key_metrics_by_project_v1": [
        {"project_id": key} | number
        for key, numbers in (
            (
                ALPHA,
                (
                    amount("GITHUB_commits_over_30_day_period", 1234567.0, previous_amount=1000000.0),
                    amount("GITHUB_active_developers_over_30_day_period", 7.0, "partial", 0.25),
                    amount("GITHUB_time_to_merge_median_over_30_day_period", None),
                    amount("GITHUB_stars_total_daily", None, "unknown", 0.0),
                    amount("NPM_downloads_over_30_day_period", 0.0),
                ),
            ),
            (
                BETA,
                (
                    amount("GITHUB_commits_over_30_day_period", 12.0, previous_amount=0.0),
                    amount("GITHUB_active_developers_over_30_day_period", None, "unknown", 0.0),
                    amount("OPEN_COLLECTIVE_funding_received_over_180_day_period", -12.5),
                ),
            ),
            (GAMMA, (amount("GITHUB_active_developers_over_30_day_period", 9.0),)),
        )
        for number in numbers
    ],
    "timeseries_metrics_by_project_v1": [
        {"project_id": ALPHA} | amount("GITHUB_commits_weekly", value, quality, sample_date=day)
        for day, value, quality in (
            (date(2026, 9, 28), 5.0, "ok"),
            (date(2026, 10, 19), 3.0, "partial"),
            (date(2026, 10, 26), 8.0, "ok"),
        )
    ]
    + [
        {"project_id": ALPHA} | amount("GITHUB_time_to_merge_median_weekly", value, sample_date=day)
        for day, value in ((date(2026, 9, 28), 3600.0), (date(2026, 10, 26), 7200.0))
    ],
    "key_metrics_by_artifact_v1": [{"artifact_id": "a1"} | amount("GITHUB_commits_over_30_day_period", 8.0)],
    "timeseries_metrics_by_artifact_v1": [
        {"artifact_id": "a1"} | amount("GITHUB_commits_weekly", 8.0, sample_date=date(2026, 10, 26))
    ],
    "coverage_v1": [
        {
            "source": "GITHUB",
            "provider": "archive",
            "family": family,
            "status": status,
            "from_day": first,
            "to_day": last,
            "reason": "pushes carry no commits since 2026-10-12" if (family, status) == ("commits", "none") else None,
        }
        for family in ("commits", "pulls_closed")
        for status, first, last in (
            ("full", date(2026, 9, 1), date(2026, 10, 11)),
            ("none", date(2026, 10, 12), date(2026, 10, 18)),
            ("full", date(2026, 10, 19), LAST),
        )
    ],
    "sources_v1": [
        {
            "source": "GITHUB",
            "provider": "archive",
            "family": "commits",
            "enabled": True,
            "first_day": date(2026, 9, 1),
            "as_of": LAST,
            "status": "ok",
            "docs_url": "https://www.gharchive.org/",
            "licence": "CC-BY-4.0",
            "last_success_at": datetime(2026, 11, 2, tzinfo=UTC),
        }
    ],
    "models_v1": [
        {"model_name": "key_metrics_by_project_v1", "layer": "exports", "depends_on": ["met_key"], "tests": 2},
        {"model_name": "met_key", "layer": "metrics", "depends_on": ["stg_events"], "tests": 3},
    ],
}


def publish_pages(settings):
    """Publishes it."""
    return publish_rows(settings, ROWS)
