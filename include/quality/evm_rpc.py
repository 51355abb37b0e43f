"""What must hold of a day of chain transactions before it is committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures

HASH, ADDRESS, DECIMAL = r"^0x[0-9a-f]{64}$", r"^0x[0-9a-f]{40}$", r"^(?:0|[1-9][0-9]*)$"


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    def matching(regex, *columns):
        return [gxe.ExpectColumnValuesToMatchRegex(column=c, regex=regex) for c in columns]

    return staged_failures(
        folder,
        {
            "blocks": (
                ("network", "number", "hash", "parent_hash", "timestamp", "transaction_count"),
                [
                    *not_null("network", "number", "hash", "parent_hash", "timestamp", "transaction_count"),
                    *matching(HASH, "hash", "parent_hash"),
                ],
            ),
            "transactions": (
                ("network", "hash", "from_address", "to_address", "value", "receipt_status", "fee", "is_system"),
                [
                    *not_null("network", "hash", "from_address", "is_system"),
                    *matching(HASH, "hash"),
                    *matching(ADDRESS, "from_address", "to_address"),
                    *matching(DECIMAL, "value", "fee"),
                    gxe.ExpectColumnValuesToBeInSet(column="receipt_status", value_set=[0, 1]),
                ],
            ),
            "user_operations": (
                ("transaction_hash", "user_operation_hash", "sender", "actual_gas_cost"),
                [
                    *matching(HASH, "transaction_hash", "user_operation_hash"),
                    *matching(ADDRESS, "sender"),
                    *matching(DECIMAL, "actual_gas_cost"),
                ],
            ),
            "coverage": (
                ("stream", "status", "expected", "observed"),
                [
                    gxe.ExpectColumnValuesToBeInSet(
                        column="status", value_set=["complete", "damaged", "known_missing"]
                    ),
                    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                        column_A="expected",
                        column_B="observed",
                        or_equal=True,
                        ignore_row_if="either_value_is_missing",
                        row_condition=Column("stream") == "blocks",
                    ),
                ],
            ),
        },
    )
