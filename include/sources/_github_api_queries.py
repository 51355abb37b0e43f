"""What is asked of GitHub's GraphQL API; a test checks every query against GitHub's schema.

A fragment's `%` is the number of the entity in its batch; `{after}` the place of a page's cursor.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from include.sources._github_api_client import Pages, Query

# Bot under `commit.author.user` is refused: it is a User. Elsewhere the number needs one fragment a type.
ACTOR = (
    "{ __typename login ... on User { databaseId } ... on Bot { databaseId } "
    "... on Organization { databaseId } ... on Mannequin { databaseId } }"
)
OWNER = "{ __typename login ... on User { databaseId } ... on Organization { databaseId } }"
PAGE = "pageInfo { hasNextPage endCursor }"
NEWEST = "orderBy: {field: UPDATED_AT, direction: DESC}"
NAMED = "id databaseId nameWithOwner isFork isArchived isPrivate createdAt pushedAt updatedAt defaultBranchRef { name }"
# an issue, a comment or a review does not touch the repository's own updatedAt
PROBE = (
    f"{NAMED} issues(first: 1, {NEWEST}) {{ nodes {{ updatedAt }} }} "
    f"pullRequests(first: 1, {NEWEST}) {{ nodes {{ updatedAt }} }}"
)
SNAPSHOT = (
    f"{NAMED} description homepageUrl isDisabled isEmpty isTemplate isMirror archivedAt stargazerCount forkCount "
    "watchers { totalCount } issues(states: [OPEN]) { totalCount } pullRequests(states: [OPEN]) { totalCount } "
    "licenseInfo { name spdxId } primaryLanguage { name } parent { databaseId nameWithOwner } "
    f"owner {OWNER} repositoryTopics(first: 20) {{ nodes {{ topic {{ name }} }} }}"
)


def by_name(selection: str) -> Query:
    """Repositories by owner and name; GitHub follows renames and transfers."""
    return Query("repository(owner: $a%, name: $b%)", selection, ("String!", "String!"))


def by_id(selection: str) -> Query:
    """Repositories by node id."""
    return Query("node(id: $a%)", f"... on Repository {{ {selection} }}", ("ID!",))


def owned(*, is_first: bool) -> Query:
    """A page of the node ids of an account's own public repositories, forks and archived ones included.

    Without `ownerAffiliations` GitHub adds repositories where the account only collaborates.
    """
    after = "" if is_first else ", after: $b%"
    return Query(
        "repositoryOwner(login: $a%)",
        f"login repositories(first: 100{after}, ownerAffiliations: [OWNER], visibility: PUBLIC, "
        f"orderBy: {{field: CREATED_AT, direction: ASC}}) {{ {PAGE} nodes {{ id }} }}",
        ("String!",) if is_first else ("String!", "String!"),
    )


def older(key: str, limit: datetime) -> Callable[[Any], bool]:
    """Whether a node's time is before a limit; false where it cannot be read, so that paging goes on."""
    text = f"{limit:%Y-%m-%dT%H:%M:%SZ}"

    def is_past(node: Any) -> bool:
        value = node.get(key) if isinstance(node, dict) else None
        return isinstance(value, str) and value < text  # GitHub writes every time in this form

    return is_past


def repository_pages(start: datetime, commits_from: datetime, releases_from: datetime) -> tuple[Pages, ...]:
    """What a repository tells of the day from `start` on; uses $until, the last second whose commits are wanted.

    The history is asked without `since`: git stops at the first older commit and loses those behind it.
    """
    return (
        Pages(
            "commits",
            "defaultBranchRef { target { ... on Commit { history(first: 100{after}, until: $until) "
            f"{{ {PAGE} nodes {{ oid committedDate authoredDate additions deletions changedFilesIfAvailable "
            "author { name email user { databaseId login } } committer { name user { databaseId login } } } } } } }",
            ("defaultBranchRef", "target", "history"),
            older("committedDate", commits_from),
            may_be_null=True,
        ),
        Pages(
            "pull_requests",
            f"pullRequests(first: 50{{after}}, {NEWEST}) {{ {PAGE} nodes {{ id fullDatabaseId number state isDraft "
            f"createdAt updatedAt closedAt mergedAt merged additions deletions changedFiles baseRefName "
            f"author {ACTOR} mergedBy {ACTOR} }} }}",
            ("pullRequests",),
            older("updatedAt", start),
        ),
        Pages(
            "issues",
            f"issues(first: 50{{after}}, {NEWEST}) {{ {PAGE} nodes {{ id fullDatabaseId number state stateReason "
            f"createdAt updatedAt closedAt author {ACTOR} }} }}",
            ("issues",),
            older("updatedAt", start),
        ),
        Pages(
            "releases",
            "releases(first: 20{after}, orderBy: {field: CREATED_AT, direction: DESC}) "
            f"{{ {PAGE} nodes {{ databaseId tagName isDraft isPrerelease createdAt publishedAt "
            "author { databaseId login } } }",
            ("releases",),
            older("createdAt", releases_from),
        ),
        Pages(
            "forks",
            "forks(first: 50{after}, orderBy: {field: CREATED_AT, direction: DESC}) "
            f"{{ {PAGE} nodes {{ databaseId nameWithOwner createdAt owner {OWNER} }} }}",
            ("forks",),
            older("createdAt", start),
        ),
    )


def _talk(start: datetime) -> tuple[Pages, ...]:
    """Closings, reopenings and comments of an issue or pull request; uses $since."""
    return (
        Pages(
            "item_events",
            "timelineItems(first: 50{after}, since: $since, itemTypes: [CLOSED_EVENT, REOPENED_EVENT]) "
            f"{{ {PAGE} nodes {{ __typename ... on ClosedEvent {{ id createdAt actor {ACTOR} }} "
            f"... on ReopenedEvent {{ id createdAt actor {ACTOR} }} }} }}",
            ("timelineItems",),
        ),
        Pages(
            "comments",
            f"comments(first: 50{{after}}, {NEWEST}) "
            f"{{ {PAGE} nodes {{ fullDatabaseId createdAt updatedAt author {ACTOR} }} }}",
            ("comments",),
            older("updatedAt", start),
        ),
    )


def issue_pages(start: datetime) -> tuple[Pages, ...]:
    """What an issue tells of the day."""
    return _talk(start)


def pull_request_pages(start: datetime) -> tuple[Pages, ...]:
    """What a pull request tells of the day; its reviews have no order that could end the paging."""
    reviews = Pages(
        "reviews",
        f"reviews(first: 50{{after}}) {{ {PAGE} nodes {{ id fullDatabaseId state submittedAt author {ACTOR} }} }}",
        ("reviews",),
    )
    return (*_talk(start), reviews)


def review_pages() -> tuple[Pages, ...]:
    """The comments of a review; a reply is a review of its own."""
    return (
        Pages(
            "review_comments",
            f"comments(first: 50{{after}}) "
            f"{{ {PAGE} nodes {{ fullDatabaseId createdAt publishedAt author {ACTOR} }} }}",
            ("comments",),
        ),
    )
