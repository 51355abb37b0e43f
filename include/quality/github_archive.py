"""What must hold of a day of events before it is committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    return staged_failures(
        folder,
        {
            "events": (
                ("id", "type", "repo_id", "repo_name", "created_at", "hour", "public"),
                [
                    *not_null("id", "type", "repo_id", "repo_name", "created_at"),
                    gxe.ExpectColumnValuesToBeBetween(column="hour", min_value=0, max_value=24),
                    gxe.ExpectColumnValuesToBeInSet(column="public", value_set=[True]),
                ],
            ),
            "push_commits": (
                ("event_id", "position", "author_email"),
                [
                    *not_null("event_id", "position"),
                    # a clear e-mail must never be stored
                    gxe.ExpectColumnValuesToMatchRegex(column="author_email", regex=r"^(?:[0-9a-f]{40}(?:@.*)?|)$"),
                ],
            ),
            "type_counts": (
                ("hour", "type", "event_count"),
                [
                    *not_null("type"),
                    gxe.ExpectColumnValuesToBeBetween(column="hour", min_value=0, max_value=23),
                    gxe.ExpectColumnValuesToBeBetween(column="event_count", min_value=1),
                ],
            ),
            "coverage": (
                ("part", "status", "expected"),
                [
                    gxe.ExpectTableRowCountToEqual(value=25),
                    gxe.ExpectColumnValuesToBeInSet(
                        column="status", value_set=["complete", "damaged", "missing", "known_missing"]
                    ),
                ],
            ),
        },
    )
