"""What must hold of a day of GitHub's API before it is committed."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from include.quality.staged import failures as staged_failures

ITEM = ("repo_id", "number", "object_id", "state", "created_at")


def failures(folder: Path, day: date) -> list[str]:
    """Failed expectations, one phrase each; empty if all hold."""
    import great_expectations.expectations as gxe

    start = datetime.combine(day, time(), UTC)
    last = start + timedelta(days=1) - timedelta(microseconds=1)

    def not_null(*columns):
        return [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in columns]

    def of_the_day(column, first=start):
        return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=first, max_value=last)

    def positive(*columns):
        return [gxe.ExpectColumnValuesToBeBetween(column=c, min_value=0) for c in columns]

    def one_of(column, *values):
        return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))

    return staged_failures(
        folder,
        {
            "repositories": (
                ("repo_id", "node_id", "repo_name"),
                [
                    *not_null("repo_id", "node_id"),
                    gxe.ExpectColumnValuesToMatchRegex(column="repo_name", regex=r"^[\w.-]+/[\w.-]+$"),
                ],
            ),
            "commits": (
                ("sha", "committed_at", "author_email", "additions", "deletions"),
                [
                    gxe.ExpectColumnValuesToMatchRegex(column="sha", regex=r"^[0-9a-f]{40,64}$"),
                    of_the_day("committed_at", start - timedelta(days=14)),
                    # a clear e-mail must never be stored
                    gxe.ExpectColumnValuesToMatchRegex(column="author_email", regex=r"^(?:[0-9a-f]{40}(?:@.*)?|)$"),
                    *positive("additions", "deletions"),
                ],
            ),
            "pull_requests": (
                (*ITEM, "additions", "deletions"),
                [*not_null(*ITEM), one_of("state", "OPEN", "CLOSED", "MERGED"), *positive("additions", "deletions")],
            ),
            "issues": (ITEM, [*not_null(*ITEM), one_of("state", "OPEN", "CLOSED")]),
            "item_events": (
                ("node_id", "event", "created_at"),
                [*not_null("node_id"), one_of("event", "closed", "reopened"), of_the_day("created_at")],
            ),
            "comments": (("comment_id", "created_at"), [*not_null("comment_id"), of_the_day("created_at")]),
            "reviews": (("review_id", "submitted_at"), [*not_null("review_id"), of_the_day("submitted_at")]),
            "review_comments": (("comment_id", "created_at"), not_null("comment_id", "created_at")),
            "releases": (("release_id", "published_at"), [*not_null("release_id"), of_the_day("published_at")]),
            "forks": (("fork_id", "created_at"), [*not_null("fork_id"), of_the_day("created_at")]),
            "stars": (("star_count",), [*not_null("star_count"), *positive("star_count")]),
            "coverage": (
                ("status",),
                [
                    one_of("status", "complete", "damaged", "missing", "known_missing"),
                    gxe.ExpectTableRowCountToBeBetween(min_value=1),
                ],
            ),
        },
    )
