"""What must hold of a snapshot of npm packages before it is committed."""

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
            "packages": (
                ("package", "status", "version_count", "_payload"),
                [
                    *not_null("package", "version_count", "_payload"),
                    gxe.ExpectColumnValuesToBeInSet(
                        column="status", value_set=["live", "unpublished", "security_holding"]
                    ),
                    # a clear e-mail of a maintainer must never be stored
                    gxe.ExpectColumnValuesToNotMatchRegex(column="_payload", regex=r'"email"\s*:'),
                ],
            ),
            "versions": (
                ("package", "version", "is_prerelease", "is_removed"),
                [
                    *not_null("package", "version", "is_prerelease", "is_removed"),
                    gxe.ExpectColumnValuesToMatchRegex(column="version", regex=r"^\d+\.\d+\.\d+"),
                ],
            ),
            "coverage": (
                ("part", "status"),
                [
                    *not_null("part"),
                    gxe.ExpectColumnValuesToBeInSet(
                        column="status", value_set=["complete", "damaged", "known_missing"]
                    ),
                ],
            ),
        },
    )
