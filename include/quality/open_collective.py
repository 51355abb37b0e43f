"""What must hold of a day of ledger rows before it is committed."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

from include.quality.staged import failures as staged_failures


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe
    import pandas as pd
    from great_expectations.expectations.row_conditions import Column

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    given = ("id", "amount_cents", "amount_currency", "account_id", "account_slug", "listed_slug")
    kinds = ["github_repo", "github_owner", "website"]
    start = pd.Timestamp(datetime.combine(day, time()), tz="UTC")
    return staged_failures(
        folder,
        {
            "transactions": (
                (*given, "type", "created_at"),
                [
                    *not_null(*given),
                    gxe.ExpectColumnValuesToBeInSet(column="type", value_set=["CREDIT", "DEBIT"]),
                    gxe.ExpectColumnValuesToBeBetween(
                        column="created_at", min_value=start, max_value=start + timedelta(days=1), strict_max=True
                    ),
                    gxe.ExpectColumnValuesToBeBetween(
                        column="amount_cents", max_value=0, row_condition=Column("type") == "DEBIT"
                    ),
                    gxe.ExpectColumnValuesToMatchRegex(column="amount_currency", regex=r"^[A-Z0-9]{2,10}$"),
                ],
            ),
            "accounts": (
                ("id", "slug", "type", "listed_slug"),
                not_null("id", "slug", "type", "listed_slug"),
            ),
            "matches": (
                ("account_id", "slug", "project_name", "kind", "evidence"),
                [
                    *not_null("account_id", "slug", "project_name"),
                    gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=kinds),
                    gxe.ExpectColumnValuesToBeInSet(column="evidence", value_set=["matched"]),
                ],
            ),
            "coverage": (
                ("stream", "part", "status"),
                [
                    gxe.ExpectTableRowCountToBeBetween(min_value=1),
                    gxe.ExpectColumnValuesToBeInSet(column="stream", value_set=["accounts", "transactions", "matches"]),
                    gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["complete", "damaged", "missing"]),
                ],
            ),
        },
    )
