"""What must hold of a directory snapshot before it is committed."""

from datetime import date
from pathlib import Path

from include.quality.staged import failures as staged_failures

KINDS = (
    *("github_repo", "github_owner", "npm", "crates", "pypi", "go", "open_collective"),
    *("blockchain", "defillama", "website", "other"),
)


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    resolved = Column("status") == "ok"
    return staged_failures(
        folder,
        {
            "projects": (
                ("name", "path", "sha"),
                [*not_null("name", "path", "sha"), gxe.ExpectTableRowCountToBeBetween(min_value=1)],
            ),
            "artifacts": (
                ("project_name", "kind", "identity", "network", "status"),
                [
                    *not_null("project_name", "kind", "identity"),
                    gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=list(KINDS)),
                    gxe.ExpectColumnValuesToBeInSet(column="status", value_set=["ok", "unresolved"]),
                    gxe.ExpectColumnValueLengthsToBeBetween(column="identity", min_value=1, row_condition=resolved),
                    gxe.ExpectColumnValuesToMatchRegex(
                        column="identity",
                        regex=r"^[a-z0-9_-]+/[a-z0-9._-]+$",
                        row_condition=resolved & (Column("kind") == "github_repo"),
                    ),
                    gxe.ExpectColumnValuesToMatchRegex(
                        column="identity",
                        regex=r"^0x[0-9a-f]{40}$",
                        row_condition=resolved & (Column("kind") == "blockchain"),
                    ),
                ],
            ),
            "collections": (("name", "path"), not_null("name", "path")),
            "collection_members": (
                ("collection_name", "project_name"),
                not_null("collection_name", "project_name"),
            ),
        },
    )
