"""What must hold of a day from BigQuery before it is committed."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

from include.quality.staged import failures as staged_failures


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    def of_that_day(column):
        start = datetime.combine(day, time())
        return gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=f"{start}+00:00", max_value=f"{start + timedelta(days=1)}+00:00", strict_max=True
        )

    address = r"^0x[0-9a-f]{40}$"
    return staged_failures(
        folder,
        {
            "github_events": (
                ("id", "type", "repo_id", "repo_name", "created_at", "hour", "public"),
                [
                    *not_null("id", "type", "repo_id", "repo_name", "created_at"),
                    gxe.ExpectColumnValuesToBeBetween(column="hour", min_value=0, max_value=23),
                    gxe.ExpectColumnValuesToBeInSet(column="public", value_set=[True]),
                ],
            ),
            "github_push_commits": (
                ("event_id", "position", "author_email"),
                [
                    *not_null("event_id", "position"),
                    # a clear e-mail must never be stored
                    gxe.ExpectColumnValuesToMatchRegex(column="author_email", regex=r"^(?:[0-9a-f]{40}(?:@.*)?|)$"),
                ],
            ),
            "github_type_counts": (
                ("hour", "type", "event_count"),
                [
                    *not_null("type"),
                    gxe.ExpectColumnValuesToBeBetween(column="hour", min_value=0, max_value=23),
                    gxe.ExpectColumnValuesToBeBetween(column="event_count", min_value=1),
                ],
            ),
            "transactions": (
                ("network", "transaction_hash", "block_timestamp", "from_address", "to_address", "receipt_status")
                + ("receipt_gas_used", "value"),
                [
                    *not_null("network", "block_timestamp", "receipt_gas_used"),
                    gxe.ExpectColumnValuesToMatchRegex(column="transaction_hash", regex=r"^0x[0-9a-f]{64}$"),
                    gxe.ExpectColumnValuesToMatchRegex(column="from_address", regex=address),
                    gxe.ExpectColumnValuesToMatchRegex(column="to_address", regex=address),
                    gxe.ExpectColumnValuesToMatchRegex(column="value", regex=r"^\d{1,78}$"),
                    gxe.ExpectColumnValuesToBeInSet(column="receipt_status", value_set=[0, 1]),
                    gxe.ExpectColumnValuesToBeBetween(column="receipt_gas_used", min_value=0),
                    of_that_day("block_timestamp"),
                ],
            ),
            "dependents": (
                ("kind", "name", "dependent_name", "snapshot_at"),
                [*not_null("name", "dependent_name"), of_that_day("snapshot_at")],
            ),
            "pypi_downloads": (
                ("project", "download_count", "mirror_count"),
                [
                    *not_null("project"),
                    gxe.ExpectColumnValuesToBeBetween(column="download_count", min_value=1),
                    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                        column_A="download_count", column_B="mirror_count", or_equal=True
                    ),
                ],
            ),
            "coverage": (
                ("part", "status"),
                [
                    *not_null("part"),
                    gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["complete", "damaged", "missing"]),
                ],
            ),
        },
    )
