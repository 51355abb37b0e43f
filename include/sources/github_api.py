"""What happened on a day in the registry's repositories, from GitHub's GraphQL API.

Facts that shape this file (checked 2026-11):
- Since 2025-10-07 commits and the outcome of pull requests are in the API only, not in the archive's events.
- An answer describes now: what was deleted since is gone, a pull request of an old day is found by paging back to it.
- A merge brings commits dated weeks earlier: each day also keeps the commits of the two weeks before it.
- Comments and reviews leave the repository's own times as they are, so its newest issue and pull request are asked too.
- GET /repos/{owner}/{repo}/stargazers/history (2026-09-04) counts stars still held, a week an item, newest first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from include.errors import FixNeeded
from include.sources import _github_api_queries as queries
from include.sources._github_api_client import Api, Read, Reply, read_pages, refuse_outage
from include.sources._github_api_parse import (
    Account,
    account,
    email,
    flag,
    git_sha,
    may,
    moment,
    need,
    number,
    object_id,
    text,
)
from include.sources.base import (
    TIMESTAMP,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Window,
    batches,
    column,
    sample_of,
)

OVERLAP = timedelta(days=14)  # age of commits that a merge may bring
DRAFTS = timedelta(days=60)  # age of a release draft that may be published
TOGETHER = 200  # repositories whose rows are held in memory
REPOS, ITEMS, REVIEWS = 15, 40, 100  # entities in one query, below 10 s and 2 points each
STAR_REFUSALS = 5  # refused one after the other, the endpoint is taken to be closed

INT, TEXT, BOOL = pa.int64(), pa.string(), pa.bool_()
REPO = column("repo_id", INT, "GitHub's number of the repository")


def _account(name: str, who: str) -> tuple[pa.Field, pa.Field, pa.Field]:
    return (
        column(f"{name}_id", INT, f"Account that {who}; null if it is gone"),
        column(f"{name}_login", TEXT, "Its login; of bots with [bot]"),
        column(f"{name}_type", TEXT, "User, Bot, Organization or Mannequin"),
    )


REPOSITORIES = Stream(
    name="repositories",
    doc="One row per repository that was asked for the day.",
    key=("repo_id",),
    schema=pa.schema(
        [
            REPO,
            column("node_id", TEXT, "Its id in GraphQL"),
            column("repo_name", TEXT, "owner/name now"),
            column("is_fork", BOOL, "Whether it was forked from another repository"),
            column("is_archived", BOOL, "Whether its owner made it read-only"),
            column("is_listed", BOOL, "The registry lists it by name; else it belongs to a listed owner"),
            column("default_branch", TEXT, "Branch whose commits count; null if empty"),
            column("created_at", TIMESTAMP, "When it was created"),
            column("pushed_at", TIMESTAMP, "Time of the last push"),
            column("updated_at", TIMESTAMP, "Last change of the repository itself"),
            column("has_moved", BOOL, "Something changed on the day or later, so it was read"),
        ]
    ),
)
COMMITS = Stream(
    name="commits",
    doc="One row per commit of the default branch, committed on the day or in the 14 days before it.",
    key=("repo_id", "sha"),
    schema=pa.schema(
        [
            REPO,
            column("sha", TEXT, "Git's hash that names the commit"),
            column("committed_at", TIMESTAMP, "committedDate, when git wrote it"),
            column("authored_at", TIMESTAMP, "authoredDate, when its author wrote it"),
            column("author_name", TEXT, "Name in the commit"),
            column("author_email", TEXT, "sha1(local part)@host, as the archive writes it"),
            column("author_id", INT, "Account of the author; null if the e-mail belongs to none"),
            column("author_login", TEXT, "Login of that account"),
            column("committer_name", TEXT, "Name in git of who wrote it into the history"),
            column("committer_id", INT, "Account of the committer"),
            column("additions", INT, "Lines that it adds"),
            column("deletions", INT, "Lines that it takes away"),
            column("changed_files", INT, "Files changed; null if GitHub does not know"),
        ]
    ),
)
_ITEM = (
    REPO,
    column("number", INT, "Its number in the repository"),
    column("object_id", INT, "GitHub's number of it"),
    column("state", TEXT, "State when it was read"),
    column("created_at", TIMESTAMP, "When it was opened"),
    column("closed_at", TIMESTAMP, "When it was closed last; null if it is open"),
    *_account("author", "opened it"),
)
PULL_REQUESTS = Stream(
    name="pull_requests",
    doc="One row per pull request opened, merged or closed on the day.",
    key=("repo_id", "number"),
    schema=pa.schema(
        [
            *_ITEM,
            column("merged_at", TIMESTAMP, "When it was merged; null if it was not"),
            *_account("merged_by", "merged it"),
            column("is_draft", BOOL, "Whether it is not yet ready for review"),
            column("base_branch", TEXT, "Branch it is for"),
            column("additions", INT, "Lines that it adds"),
            column("deletions", INT, "Lines that it takes away"),
            column("changed_files", INT, "Files that it touches"),
        ]
    ),
)
ISSUES = Stream(
    name="issues",
    doc="One row per issue opened or closed on the day.",
    key=("repo_id", "number"),
    schema=pa.schema([*_ITEM, column("state_reason", TEXT, "COMPLETED, NOT_PLANNED, REOPENED, …")]),
)
ITEM_EVENTS = Stream(
    name="item_events",
    doc="One row per closing and reopening of an issue or pull request on the day.",
    key=("repo_id", "number", "event", "node_id"),
    schema=pa.schema(
        [
            REPO,
            column("number", INT, "Number of the issue or pull request"),
            column("event", TEXT, "closed or reopened"),
            column("node_id", TEXT, "Its id in GraphQL"),
            column("created_at", TIMESTAMP, "When it happened"),
            *_account("actor", "did it"),
            column("is_pull_request", BOOL, "Whether the number is a pull request's, not an issue's"),
            *_account("item_author", "opened the issue or pull request"),
            column("item_merged_at", TIMESTAMP, "When the pull request was merged"),
        ]
    ),
)
_TALK = (column("number", INT, "Number of the issue or pull request"), *_account("author", "wrote it"))
COMMENTS = Stream(
    name="comments",
    doc="One row per comment of the day on an issue or in the talk of a pull request.",
    key=("repo_id", "comment_id"),
    schema=pa.schema(
        [
            REPO,
            column("comment_id", INT, "GitHub's number of the comment"),
            *_TALK,
            column("created_at", TIMESTAMP, "When it was written"),
            column("on_pull_request", BOOL, "Whether its talk is a pull request's, not an issue's"),
            column("item_author_id", INT, "Account that opened the issue or pull request"),
        ]
    ),
)
REVIEWS_STREAM = Stream(
    name="reviews",
    doc="One row per review submitted on the day.",
    key=("repo_id", "review_id"),
    schema=pa.schema(
        [
            REPO,
            column("review_id", INT, "GitHub's number of the review"),
            *_TALK,
            column("state", TEXT, "APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED"),
            column("submitted_at", TIMESTAMP, "When it was submitted"),
            column("item_author_id", INT, "Account that opened the pull request"),
        ]
    ),
)
REVIEW_COMMENTS = Stream(
    name="review_comments",
    doc="One row per comment on a line of a pull request, of the reviews submitted on the day.",
    key=("repo_id", "comment_id"),
    schema=pa.schema(
        [
            REPO,
            column("comment_id", INT, "GitHub's number of the comment"),
            *_TALK,
            column("review_id", INT, "Review that it belongs to"),
            column("created_at", TIMESTAMP, "When it was written, maybe before its review was submitted"),
            column("published_at", TIMESTAMP, "When it could be seen"),
            column("item_author_id", INT, "Account that opened the pull request"),
        ]
    ),
)
RELEASES = Stream(
    name="releases",
    doc="One row per release published on the day.",
    key=("repo_id", "release_id"),
    schema=pa.schema(
        [
            REPO,
            column("release_id", INT, "GitHub's number of the release"),
            column("tag", TEXT, "Git tag that it was made of"),
            column("is_prerelease", BOOL, "Whether it is marked as not yet stable"),
            column("published_at", TIMESTAMP, "When it was published"),
            column("author_id", INT, "Account that made it"),
            column("author_login", TEXT, "Login of that account"),
        ]
    ),
)
FORKS = Stream(
    name="forks",
    doc="One row per public fork made on the day.",
    key=("repo_id", "fork_id"),
    schema=pa.schema(
        [
            REPO,
            column("fork_id", INT, "GitHub's number of the fork"),
            column("fork_name", TEXT, "Its owner/name now"),
            column("created_at", TIMESTAMP, "When it was made"),
            *_account("owner", "owns it"),
        ]
    ),
)
STARS = Stream(
    name="stars",
    doc="One row per repository that moved: the stars of the day that are still held.",
    key=("repo_id",),
    schema=pa.schema([REPO, column("star_count", INT, "Stars given on the day and still held")]),
)
STREAMS = (
    *(REPOSITORIES, COMMITS, PULL_REQUESTS, ISSUES, ITEM_EVENTS, COMMENTS),
    *(REVIEWS_STREAM, REVIEW_COMMENTS, RELEASES, FORKS, STARS),
)


@dataclass(frozen=True)
class Repo:
    """A repository as it is now."""

    id: int
    node_id: str
    name: str
    is_listed: bool
    updated_at: datetime
    has_moved: bool
    row: tuple = field(repr=False)


@dataclass
class _Day:
    """The day that is read, and what of it was found."""

    start: datetime
    end: datetime
    now: datetime
    rows: dict[str, dict[tuple, tuple]] = field(default_factory=lambda: {s.name: {} for s in STREAMS})
    rejected: list[Rejected] = field(default_factory=list)
    problems: dict[tuple[str, int], str] = field(default_factory=dict)  # by stream and repository

    def has(self, at: datetime | None) -> bool:
        """Whether a moment is of the day."""
        return at is not None and self.start <= at < self.end

    def keep(self, stream: Stream, row: tuple) -> None:
        """Keeps a row once; pages that moved while they were read bring some twice."""
        names = stream.schema.names
        self.rows[stream.name][tuple(row[names.index(k)] for k in stream.key)] = row

    def read(self, stream: Stream, repo: Repo, read: Read, take) -> None:
        """Gives every node of a connection to `take`; one that is malformed is rejected alone."""
        for node in read.nodes:
            try:
                take(node)
            except ValueError as error:
                self.rejected.append(Rejected(stream.name, f"{error}"[:300], sample_of(str(node)), str(repo.id)))
                self.problems.setdefault((stream.name, repo.id), f"malformed: {error}"[:300])
        if read.problem:
            self.problems.setdefault((stream.name, repo.id), read.problem)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """Commits, pull requests, issues, talk, releases, forks and stars of one UTC day.

    Raises:
        FixNeeded: the registry lists nothing on GitHub, or the connection holds no token.
        RateLimited: the quota of all tokens is spent down to its reserve.
        Unavailable: more than 5 % of the repositories cannot be read.
    """
    api = Api(context)
    start = datetime.combine(window.start, time(), UTC)
    day = _Day(start, start + timedelta(days=1), context.now)
    repos = yield from _repositories(api, context, day)
    moved = [repo for repo in repos if repo.has_moved]
    yield from batches(REPOSITORIES, (repo.row for repo in repos))
    for repo in repos:
        reason = None if repo.has_moved else f"nothing changed since {window.start}"
        yield Coverage("repositories", str(repo.id), 1, 1, "complete", reason)
    stars = _Stars(api, day)
    failed = 0
    for first in range(0, len(moved), TOGETHER):
        context.progress(first, len(moved), f"{window.start}, {len(moved):,} of {len(repos):,} repositories changed")
        some = moved[first : first + TOGETHER]
        _read(api, some, day)
        stars.read(some)
        failed += sum(all((s, repo.id) in day.problems for s in ("commits", "issues", "forks")) for repo in some)
        refuse_outage(failed, len(moved), "repositories that changed")
        for stream in STREAMS[1:]:
            yield from batches(stream, day.rows[stream.name].values())
            yield from _coverage(stream, some, day)
            day.rows[stream.name] = {}
    yield from day.rejected
    asked = ", ".join(f"{n:,} {resource} requests" for resource, n in api.requests.items())
    context.log.info("github_api: %s, %d points", asked, api.points)
    context.progress(max(1, len(moved)), max(1, len(moved)), f"{window.start}: {asked}, {api.points:,} points")


def _coverage(stream: Stream, repos: Sequence[Repo], day: _Day) -> Iterator[Coverage]:
    counts: dict[int, int] = {}
    for repo_id, *_ in day.rows[stream.name]:
        counts[repo_id] = counts.get(repo_id, 0) + 1
    for repo in repos:
        problem = day.problems.get((stream.name, repo.id))
        status = "complete" if problem is None else "missing" if stream is STARS else "damaged"
        yield Coverage(stream.name, str(repo.id), None, counts.get(repo.id, 0), status, problem)


# -- which repositories there are


def _repositories(api: Api, context: Context, day: _Day) -> Iterator[Item]:
    """Yields coverage of what could not be resolved; returns the repositories, by number, each once."""
    names = sorted({a.identity for a in context.listed if a.kind == "github_repo"})
    owners = sorted({a.identity for a in context.listed if a.kind == "github_owner"})
    if not names and not owners:
        raise FixNeeded(
            "github_api: the registry names no GitHub repository or owner, so there is nothing to ask for. "
            "Land oss_directory first: python -m include land oss_directory"
        )
    context.progress(0, 3, f"asking {len(names):,} names")
    found: dict[int, Repo] = {}
    failed: list[tuple[str, Reply | str]] = []

    def take(asked: str, reply: Reply, *, is_listed: bool) -> None:
        if reply.node is None:
            failed.append((asked, reply))
            return
        try:
            repo = _repo(reply.node, day, is_listed=is_listed, is_damaged=bool(reply.problems))
        except ValueError as error:
            day.rejected.append(Rejected("repositories", f"{error}", sample_of(str(reply.node)), asked))
            failed.append((asked, f"malformed: {error}"))
            return
        if repo is None:
            failed.append((asked, "it is not public"))
        else:
            found.setdefault(repo.id, repo)

    query = queries.by_name(queries.PROBE)
    for place, reply in api.ask(query, [tuple(name.split("/", 1)) for name in names]):
        take(names[place], reply, is_listed=True)
    context.progress(1, 3, f"expanding {len(owners):,} owners")
    nodes, unread = owned_repositories(api, owners)
    failed += [(f"owner {owner}", why) for owner, why in unread]
    known = {repo.node_id for repo in found.values()}
    others = [node for node in dict.fromkeys(nodes) if node not in known]
    context.progress(2, 3, f"asking {len(others):,} repositories of owners")
    for place, reply in api.ask(queries.by_id(queries.PROBE), [(node,) for node in others]):
        take(others[place], reply, is_listed=False)
    lost = 0
    for asked, why in failed:
        absent = why.is_absent if isinstance(why, Reply) else why == "it is not public"
        reason = why if isinstance(why, str) else "; ".join(p.message for p in why.problems) or "not found"
        lost += not absent and not (isinstance(why, Reply) and why.is_denied)
        yield Coverage("repositories", asked, 1, 0, "known_missing" if absent else "damaged", reason[:300])
    refuse_outage(lost, len(names) + len(owners) + len(others), "repositories and owners")
    return [repo for _, repo in sorted(found.items())]


def owned_repositories(api: Api, owners: Sequence[str]) -> tuple[list[str], list[tuple[str, Reply | str]]]:
    """Node ids of the public repositories that the accounts own, and the accounts that could not be read whole."""
    nodes: list[str] = []
    failed: list[tuple[str, Reply | str]] = []
    asked: list[tuple] = [(owner,) for owner in owners]
    seen: set[tuple] = set()  # cursors and pages of owners
    while asked:
        following: list[tuple] = []
        query = queries.owned(is_first=len(asked[0]) == 1)
        for place, reply in api.ask(query, asked, size=20):
            owner = asked[place][0]
            page = reply.node.get("repositories") if reply.node else None
            if reply.problems or not isinstance(page, dict):
                failed.append((owner, reply if reply.node is None else "its repositories cannot be read"))
                continue
            listed, info = page.get("nodes"), page.get("pageInfo")
            ids = [n.get("id") if isinstance(n, dict) else None for n in listed] if isinstance(listed, list) else [None]
            nodes += [i for i in ids if isinstance(i, str)]
            has_more, cursor = (info.get(k) if isinstance(info, dict) else None for k in ("hasNextPage", "endCursor"))
            if not isinstance(has_more, bool) or not all(isinstance(i, str) for i in ids):
                failed.append((owner, "malformed: a page does not tell its repositories or whether more follow"))
            elif has_more and (not isinstance(cursor, str) or {(owner, cursor), (owner, *ids)} & seen):
                failed.append((owner, "the pages repeat"))
            elif has_more:
                seen |= {(owner, cursor), (owner, *ids)}
                following.append((owner, cursor))
        asked = following
    return nodes, failed


def _repo(node: dict, day: _Day, *, is_listed: bool, is_damaged: bool) -> Repo | None:
    """The repository of an answer; None if it is private, as a token of its team sees it."""
    if need(node, "isPrivate", flag):
        return None
    pushed_at, updated_at = may(node, "pushedAt", moment), need(node, "updatedAt", moment)
    created_at, branch = need(node, "createdAt", moment), node.get("defaultBranchRef")
    times = [pushed_at, updated_at, _newest(node, "issues"), _newest(node, "pullRequests")]
    has_moved = created_at < day.end and (is_damaged or any(at is not None and at >= day.start for at in times))
    repo_id, node_id = need(node, "databaseId", number), need(node, "id", text)
    name = need(node, "nameWithOwner", text)
    row = (
        *(repo_id, node_id, name, need(node, "isFork", flag), need(node, "isArchived", flag), is_listed),
        *(may(branch, "name", text), created_at, pushed_at, updated_at, has_moved),
    )
    return Repo(repo_id, node_id, name, is_listed, updated_at, has_moved, row)


def _newest(node: dict, key: str) -> datetime | None:
    connection = node.get(key)
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    return need(nodes[0], "updatedAt", moment) if isinstance(nodes, list) and nodes else None


# -- what happened in them


@dataclass(frozen=True)
class _Talked:
    """An issue, pull request or review whose inner connections are read."""

    repo: Repo
    node_id: str
    number: int
    author: Account
    merged_at: datetime | None = None
    review_id: int | None = None


def _read(api: Api, repos: Sequence[Repo], day: _Day) -> None:
    """Reads repositories, then their issues and pull requests that moved, then the reviews of the day."""
    until = f"{day.end - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    pages = queries.repository_pages(day.start, day.start - OVERLAP, day.start - DRAFTS)
    shared = {"until": ("GitTimestamp!", until)}
    pulls: list[_Talked] = []
    issues: list[_Talked] = []
    for repo, reads in zip(
        repos, read_pages(api, "Repository", [r.node_id for r in repos], pages, shared, size=REPOS), strict=True
    ):
        day.read(COMMITS, repo, reads["commits"], lambda node, repo=repo: _commit(repo, node, day))
        day.read(PULL_REQUESTS, repo, reads["pull_requests"], lambda n, repo=repo: _pull_request(repo, n, day, pulls))
        day.read(ISSUES, repo, reads["issues"], lambda node, repo=repo: _issue(repo, node, day, issues))
        day.read(RELEASES, repo, reads["releases"], lambda node, repo=repo: _release(repo, node, day))
        day.read(FORKS, repo, reads["forks"], lambda node, repo=repo: _fork(repo, node, day))
        for outer, inner in (
            ("pull_requests", ("item_events", "comments", "reviews", "review_comments")),
            ("issues", ("item_events", "comments")),
        ):
            if problem := day.problems.get((outer, repo.id)):  # what is in an item that was not seen is not seen
                for stream in inner:
                    day.problems.setdefault((stream, repo.id), problem)
    since = {"since": ("DateTime!", f"{day.start:%Y-%m-%dT%H:%M:%SZ}")}
    reviews: list[_Talked] = []
    for kind, items, pages in (
        ("PullRequest", pulls, queries.pull_request_pages(day.start)),
        ("Issue", issues, queries.issue_pages(day.start)),
    ):
        found = read_pages(api, kind, [i.node_id for i in items], pages, since, size=ITEMS)
        for item, reads in zip(items, found, strict=True):
            is_pull, repo = kind == "PullRequest", item.repo
            day.read(ITEM_EVENTS, repo, reads["item_events"], lambda n, i=item, p=is_pull: _item_event(i, n, day, p))
            day.read(COMMENTS, repo, reads["comments"], lambda n, i=item, p=is_pull: _comment(i, n, day, p))
            if is_pull:
                day.read(REVIEWS_STREAM, repo, reads["reviews"], lambda n, i=item: _review(i, n, day, reviews))
                if problem := day.problems.get(("reviews", repo.id)):
                    day.problems.setdefault(("review_comments", repo.id), problem)
    ids = [review.node_id for review in reviews]
    found = read_pages(api, "PullRequestReview", ids, queries.review_pages(), {}, size=REVIEWS)
    for review, reads in zip(reviews, found, strict=True):
        day.read(REVIEW_COMMENTS, review.repo, reads["review_comments"], lambda n, r=review: _review_comment(r, n, day))


def _commit(repo: Repo, node: Any, day: _Day) -> None:
    sha, committed_at = need(node, "oid", git_sha), need(node, "committedDate", moment)
    if committed_at < datetime(1970, 1, 2, tzinfo=UTC) or committed_at > day.now + timedelta(days=1):
        raise ValueError(f"committedDate is {committed_at:%Y-%m-%d}, which cannot be")
    if not day.start - OVERLAP <= committed_at < day.end:
        return
    author, committer = node.get("author"), node.get("committer")
    user = account(author, "user")
    day.keep(
        COMMITS,
        (
            *(repo.id, sha, committed_at, may(node, "authoredDate", moment)),
            *(may(author, "name", text), may(author, "email", email), user.id, user.login),
            *(may(committer, "name", text), account(committer, "user").id),
            *(may(node, key, number) for key in ("additions", "deletions", "changedFilesIfAvailable")),
        ),
    )


def _item_cells(repo: Repo, node: Any) -> tuple:
    return (
        *(repo.id, need(node, "number", number), object_id(node), need(node, "state", text)),
        *(need(node, "createdAt", moment), may(node, "closedAt", moment), *account(node, "author")),
    )


def _pull_request(repo: Repo, node: Any, day: _Day, pulls: list[_Talked]) -> None:
    cells = _item_cells(repo, node)
    updated_at, created_at, closed_at = need(node, "updatedAt", moment), *cells[4:6]
    merged_at = may(node, "mergedAt", moment)
    if updated_at < day.start or created_at >= day.end:
        return
    pulls.append(_Talked(repo, need(node, "id", text), cells[1], Account(*cells[6:9]), merged_at))
    if not any(map(day.has, (created_at, closed_at, merged_at))):
        return
    day.keep(
        PULL_REQUESTS,
        (
            *cells,
            *(merged_at, *account(node, "mergedBy"), may(node, "isDraft", flag), may(node, "baseRefName", text)),
            *(may(node, key, number) for key in ("additions", "deletions", "changedFiles")),
        ),
    )


def _issue(repo: Repo, node: Any, day: _Day, issues: list[_Talked]) -> None:
    cells = _item_cells(repo, node)
    created_at, closed_at = cells[4:6]
    if need(node, "updatedAt", moment) < day.start or created_at >= day.end:
        return
    issues.append(_Talked(repo, need(node, "id", text), cells[1], Account(*cells[6:9])))
    if day.has(created_at) or day.has(closed_at):
        day.keep(ISSUES, (*cells, may(node, "stateReason", text)))


def _item_event(item: _Talked, node: Any, day: _Day, is_pull_request: bool) -> None:
    event = {"ClosedEvent": "closed", "ReopenedEvent": "reopened"}.get(need(node, "__typename", text))
    if event is None:
        raise ValueError(f"__typename is {node['__typename'][:40]!r}, not asked for")
    at = need(node, "createdAt", moment)
    if day.has(at):
        day.keep(
            ITEM_EVENTS,
            (
                *(item.repo.id, item.number, event, need(node, "id", text), at, *account(node, "actor")),
                *(is_pull_request, *item.author, item.merged_at),
            ),
        )


def _comment(item: _Talked, node: Any, day: _Day, on_pull_request: bool) -> None:
    at = need(node, "createdAt", moment)
    if day.has(at):
        author = account(node, "author")
        row = (item.repo.id, object_id(node), item.number, *author, at, on_pull_request, item.author.id)
        day.keep(COMMENTS, row)


def _review(item: _Talked, node: Any, day: _Day, reviews: list[_Talked]) -> None:
    state = need(node, "state", text)
    if state == "PENDING":
        return
    at = need(node, "submittedAt", moment)
    if not day.has(at):
        return
    review_id = object_id(node)
    reviews.append(_Talked(item.repo, need(node, "id", text), item.number, item.author, review_id=review_id))
    row = (item.repo.id, review_id, item.number, *account(node, "author"), state, at, item.author.id)
    day.keep(REVIEWS_STREAM, row)


def _review_comment(review: _Talked, node: Any, day: _Day) -> None:
    at, shown_at = need(node, "createdAt", moment), may(node, "publishedAt", moment)
    who = account(node, "author")
    row = (review.repo.id, object_id(node), review.number, *who, review.review_id, at, shown_at, review.author.id)
    day.keep(REVIEW_COMMENTS, row)


def _release(repo: Repo, node: Any, day: _Day) -> None:
    if need(node, "isDraft", flag):
        return
    at = need(node, "publishedAt", moment)
    if day.has(at):
        release_id, author = need(node, "databaseId", number), account(node, "author")
        is_prerelease = may(node, "isPrerelease", flag)
        day.keep(
            RELEASES, (repo.id, release_id, may(node, "tagName", text), is_prerelease, at, author.id, author.login)
        )


def _fork(repo: Repo, node: Any, day: _Day) -> None:
    at = need(node, "createdAt", moment)
    if day.has(at):
        fork_id = need(node, "databaseId", number)
        day.keep(FORKS, (repo.id, fork_id, may(node, "nameWithOwner", text), at, *account(node, "owner")))


class _Stars:
    """Stars of the day by the star history, as long as GitHub answers it."""

    def __init__(self, api: Api, day: _Day) -> None:
        self.api, self.day, self.refused = api, day, 0

    def read(self, repos: Sequence[Repo]) -> None:
        """Keeps a row for each repository that answers, a problem for each that does not."""
        for repo in repos:
            try:
                if repo.updated_at < self.day.start:  # a star touches the repository
                    self.day.keep(STARS, (repo.id, 0))
                elif self.refused >= STAR_REFUSALS:
                    raise ValueError("not asked: the star history is closed to these tokens")
                else:
                    self.day.keep(STARS, (repo.id, self._count(repo)))
            except ValueError as error:
                self.day.problems["stars", repo.id] = str(error)[:300]

    def _count(self, repo: Repo) -> int:
        """Stars of the day; the page is guessed by the weeks since and corrected: weeks without a star may be left out.

        Raises:
            ValueError: GitHub does not answer it, or in a form that we do not know.
        """
        start = int(self.day.start.timestamp())
        page, seen = max(0, (self.day.now - self.day.end).days // 7 - 1) // 30 + 1, set()
        while page > 0 and page not in seen:
            seen.add(page)
            weeks = self._weeks(repo, page)
            ages = [(start - need(week, "week", number)) // 86_400 for week in weeks]  # in days, ascending
            for week, days_in in zip(weeks, ages, strict=True):
                if 0 <= days_in < 7:
                    days = week.get("days")
                    if not isinstance(days, list) or len(days) != 7:
                        raise ValueError("a week of the star history has not 7 days")
                    return number(days[days_in])
            if weeks and ages[0] < 0 and len(weeks) < 30:
                break  # it ends after the day: before the first star
            page += 1 if weeks and ages[0] < 0 else -1
        return 0  # no week holds the day

    def _weeks(self, repo: Repo, page: int) -> list:
        answer = self.api.rest(f"/repos/{quote(repo.name)}/stargazers/history?per_page=30&page={page}")
        if answer.status != 200:
            self.refused += 1
            raise ValueError(f"the star history answers {answer.status}")
        self.refused = 0
        if not isinstance(answer.value, list):
            raise ValueError("the star history is no list")
        return answer.value


SOURCE = Source(
    name="github_api",
    doc="Commits, pull requests, reviews, issues, comments, releases, forks and stars of a day, from GitHub's API.",
    owner="events",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=1),
    tier=1,
    window="day",
    pool=Pool("github_api", slots=1),
    connection="github_api",
    default_urls=("https://api.github.com",),
    streams=STREAMS,
    fetch=fetch,
    reject_threshold=0.001,
    lists=("github_repo", "github_owner"),
    may_be_off="GitHub's GraphQL API answers no one without a token",
    runbook="docs/runbooks/github_api.md",
    licence="GitHub Terms of Service",
    docs_url="https://docs.github.com/en/graphql",
)
