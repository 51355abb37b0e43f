"""The newest numbers of an entity, and the part of a page that they belong to."""

from datetime import date, timedelta

from consumer.bundle import Bundle
from consumer.cards import KEY_METRIC
from consumer.cards import KINDS as CARDS
from consumer.rest.entities import known

WINDOWS = ("over_30_day_period", "over_90_day_period", "over_180_day_period", "over_all_time")
STRIP = (  # the first that is known stands for the rest
    ("Active developers", ("GITHUB_active_developers_over_30_day_period",)),
    ("Commits", ("GITHUB_commits_over_30_day_period",)),
    ("Stars", ("GITHUB_stars_total_daily", "GITHUB_stars_over_all_time")),
    ("Downloads", ("NPM_downloads_over_30_day_period",)),
    ("Funding received", ("OPEN_COLLECTIVE_funding_received_over_180_day_period",)),
    ("Active addresses", ("EVM_active_addresses_over_30_day_period",)),
)
SPARK_DAYS = 90
SECTIONS = {
    "code": (
        "Code",
        ("GITHUB_commits_weekly", "GITHUB_merged_pull_requests_weekly"),
        ("GITHUB",),
        (
            "active_developers",
            "commits",
            "opened_pull_requests",
            "merged_pull_requests",
            "pull_request_reviews",
            "time_to_merge_median",
            "opened_issues",
            "closed_issues",
            "releases",
            "repositories",
            "bot_activity_share",
        ),
    ),
    "community": (
        "Community",
        ("GITHUB_contributors_monthly", "GITHUB_stars_weekly"),
        ("GITHUB",),
        (
            "contributors",
            "new_contributors",
            "returning_contributors",
            "full_time_developers",
            "contributor_absence_factor",
            "contributor_retention_rate",
            "time_to_first_response_median",
            "reviewers",
            "comments",
            "stars",
            "forks",
        ),
    ),
    "packages": (
        "Packages",
        ("NPM_downloads_weekly",),
        ("NPM", "DEPS_DEV"),
        ("downloads", "dependents", "package_releases", "packages", "days_between_releases_median"),
    ),
    "chain": (
        "Chain",
        ("EVM_transactions_weekly", "EVM_active_addresses_weekly"),
        ("EVM",),
        (
            "transactions",
            "active_addresses",
            "new_addresses",
            "active_contracts",
            "contract_invocations",
            "failed_transaction_share",
            "gas_fees",
        ),
    ),
    "funding": (
        "Funding",
        ("OPEN_COLLECTIVE_funding_received_monthly",),
        ("OPEN_COLLECTIVE",),
        ("funding_received", "funding_spent", "funding_net", "backers", "new_backers"),
    ),
}


def newest(bundle: Bundle, kind: str, entity_id: str) -> dict[str, dict]:
    """The newest numbers of an entity by the full names of their metrics, as the API has them."""
    if kind in CARDS:
        rows = bundle.cards.card(kind, entity_id)["data"]
        for row in rows:
            row["sample_date"] = date.fromisoformat(row["sample_date"])
    else:
        rows = bundle.rows(f"select {KEY_METRIC} from oso.key_metrics_by_{kind}_v1 where {kind}_id = ?", [entity_id])
    return {row["metric_name"]: row for row in rows}


def strip(numbers: dict[str, dict]) -> list[tuple[str, dict | None]]:
    """The six numbers of the head of a page, each with its name; None where the release has no such metric of it."""
    found = []
    for name, metrics in STRIP:
        rows = [numbers[metric] for metric in metrics if metric in numbers]
        found.append((name, next((row for row in rows if row["amount"] is not None), rows[0] if rows else None)))
    return found


def table(bundle: Bundle, numbers: dict[str, dict], metrics: tuple[str, ...], source: str) -> list[dict]:
    """A row for each metric of a source: its cells by window (None where there is none), and what quality they have."""
    definitions = known(bundle).metrics
    rows = []
    for metric in metrics:
        cells = [numbers.get(f"{source}_{metric}_{window}") for window in WINDOWS]
        if not any(cells) and (snapshot := numbers.get(f"{source}_{metric}_daily")):
            cells = [None, None, None, snapshot]
        present = [cell for cell in cells if cell]
        if present:
            rows.append(
                {
                    "cells": cells,
                    "metric": present[-1],
                    "name": definitions[present[-1]["metric_id"]]["display_name"],
                    "quality": sorted({cell["quality"] for cell in present}),
                    "as_of": max(cell["sample_date"] for cell in present),
                }
            )
    return rows


def as_of(numbers: dict[str, dict], metric: dict) -> date | None:
    """The last day that a metric of an entity, in whatever window, is of; None where the entity has no such number."""
    same = (metric["metric_source"], metric["metric"])
    days = [row["sample_date"] for row in numbers.values() if (row["metric_source"], row["metric"]) == same]
    return max(days, default=None)


def metric_by_name(bundle: Bundle) -> dict[str, dict]:
    """The metrics of a release by full name."""
    return {row["metric_name"]: row for row in known(bundle).metrics.values()}


def back(day: date, days: int) -> date:
    """The day so many days before."""
    return day - timedelta(min(days, (day - date.min).days))


def is_key(metric: dict, kind: str) -> bool:
    """Whether entities of a kind have a newest number of this metric: of rolling and all time, and counts of a day."""
    return kind in metric["levels"] and (metric["window"].startswith("over_") or metric["row_class"] == "K")
