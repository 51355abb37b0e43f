"""What must hold of the euro reference rates before they are committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe

    return staged_failures(
        folder,
        {
            "rates": (
                ("currency", "rate_on", "rate"),
                [
                    *[gxe.ExpectColumnValuesToNotBeNull(column=c) for c in ("currency", "rate_on", "rate")],
                    gxe.ExpectColumnValuesToMatchRegex(column="currency", regex=r"^[A-Z]{3}$"),
                    gxe.ExpectColumnValuesToBeBetween(column="rate_on", min_value=date(1999, 1, 4), max_value=day),
                    # without the dollar no donation can be converted
                    gxe.ExpectColumnDistinctValuesToContainSet(column="currency", value_set=["USD"]),
                ],
            ),
            "coverage": (
                ("part", "status"),
                [gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["complete"])],
            ),
        },
    )
