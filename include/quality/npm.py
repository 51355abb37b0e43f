"""What must hold of a day of npm downloads before it is committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    known = Column("is_hole") == False  # noqa: E712
    return staged_failures(
        folder,
        {
            "downloads": (
                ("package", "day", "downloads", "is_hole"),
                [
                    *not_null("package", "day", "is_hole"),
                    gxe.ExpectColumnValuesToBeInSet(column="day", value_set=[day]),
                    gxe.ExpectColumnValuesToBeBetween(column="downloads", min_value=0),
                    gxe.ExpectColumnValuesToNotBeNull(column="downloads", row_condition=known),
                ],
            ),
            "days": (
                ("day", "downloads", "is_hole"),
                [
                    *not_null("day", "is_hole"),
                    gxe.ExpectTableRowCountToEqual(value=1),
                    gxe.ExpectColumnValuesToBeInSet(column="day", value_set=[day]),
                    gxe.ExpectColumnValuesToBeBetween(column="downloads", min_value=1, row_condition=known),
                ],
            ),
            "coverage": (
                ("part", "status"),
                [
                    *not_null("part"),
                    gxe.ExpectColumnValuesToBeInSet(
                        column="status", value_set=["complete", "damaged", "missing", "known_missing", "late"]
                    ),
                ],
            ),
        },
    )
