"""What must hold of a snapshot of repositories before it is committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures

STATES = ("live", "renamed", "transferred", "gone", "blocked", "private", "unread")
COUNTS = ("star_count", "fork_count", "watcher_count", "open_issue_count", "open_pull_request_count")


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    return staged_failures(
        folder,
        {
            "repositories": (
                ("repo_id", "node_id", "repo_name", "owner_login", "created_at", "updated_at", *COUNTS),
                [
                    *not_null("repo_id", "node_id", "repo_name", "owner_login", "created_at", "updated_at"),
                    gxe.ExpectColumnValuesToMatchRegex(column="repo_name", regex=r"^[\w.-]+/[\w.-]+$"),
                    *[gxe.ExpectColumnValuesToBeBetween(column=c, min_value=0) for c in COUNTS],
                    *[gxe.ExpectColumnValuesToNotBeNull(column=c, mostly=0.95) for c in COUNTS],
                ],
            ),
            "names": (
                ("kind", "name", "state"),
                [
                    *not_null("name"),
                    gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=["github_repo", "github_owner"]),
                    gxe.ExpectColumnValuesToBeInSet(column="state", value_set=list(STATES)),
                ],
            ),
            "coverage": (
                ("status",),
                [gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["complete", "damaged", "known_missing"])],
            ),
        },
    )
