"""The registry's GitHub repositories as they are now: facts, counts, and what became of every listed name.

Facts that shape this file (checked 2026-11):
- GraphQL follows renames and transfers; the answer's nameWithOwner differs from the name that was asked.
- A name that is not found may be deleted, private or blocked by law; only REST tells (404, or 451 with its block).
- Stars, forks and watchers are known for now only; each landed day is one whole snapshot.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pyarrow as pa

from include.errors import FixNeeded, SuspectData
from include.sources import _github_api_queries as queries
from include.sources._github_api_client import Api, Reply, refuse_outage
from include.sources._github_api_parse import account, flag, may, moment, need, number, text
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
from include.sources.github_api import owned_repositories

KEEP_AT_LEAST = 0.8  # of the repositories of the last snapshot
BATCH = 30  # repositories in one query; each counts its stars, issues and pull requests

INT, TEXT, BOOL = pa.int64(), pa.string(), pa.bool_()
REPOSITORIES = Stream(
    name="repositories",
    doc="One row per public repository that the registry lists or a listed owner has.",
    key=("repo_id",),
    schema=pa.schema(
        [
            column("repo_id", INT, "GitHub's number; stays when the name changes"),
            column("node_id", TEXT, "Its id in GraphQL"),
            column("repo_name", TEXT, "owner/name as it was read"),
            column("owner_id", INT, "Account that owns it"),
            column("owner_login", TEXT, "Login of that account"),
            column("owner_type", TEXT, "User or Organization"),
            column("is_listed", BOOL, "The registry lists it by name; else it belongs to a listed owner"),
            column("is_fork", BOOL, "Whether it was forked from another repository"),
            column("parent_id", INT, "Repository that it was forked from"),
            column("is_archived", BOOL, "Whether its owner made it read-only"),
            column("archived_at", TIMESTAMP, "Since when it is read-only"),
            column("is_disabled", BOOL, "GitHub disabled it"),
            column("is_empty", BOOL, "It has no commit"),
            column("created_at", TIMESTAMP, "When it was created"),
            column("pushed_at", TIMESTAMP, "Time of the last push"),
            column("updated_at", TIMESTAMP, "Last change of the repository itself"),
            column("default_branch", TEXT, "Its default branch; null if empty"),
            column("star_count", INT, "Stars held now"),
            column("fork_count", INT, "Forks when it was read"),
            column("watcher_count", INT, "Accounts that watch it now"),
            column("open_issue_count", INT, "Open issues now, without pull requests"),
            column("open_pull_request_count", INT, "Open pull requests now"),
            column("license_name", TEXT, "Name of its licence"),
            column("license_spdx_id", TEXT, "SPDX id of its licence"),
            column("language", TEXT, "Language of most of its code"),
            column("_payload", TEXT, "The whole answer as JSON text"),
        ]
    ),
)
NAMES = Stream(
    name="names",
    doc="One row per name that the registry lists, and what became of it.",
    key=("kind", "name"),
    schema=pa.schema(
        [
            column("kind", TEXT, "github_repo or github_owner"),
            column("name", TEXT, "owner/repo or owner as listed, lower case"),
            column("state", TEXT, "live, renamed, transferred, gone, blocked, private or unread"),
            column("repo_id", INT, "Repository that it leads to; null for owners and where it leads nowhere"),
            column("repo_name", TEXT, "owner/name now"),
            column("reason", TEXT, "Why it leads nowhere"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """Every repository of the registry as the snapshot of today.

    Raises:
        FixNeeded: the registry lists nothing on GitHub, or the connection holds no token.
        SuspectData: less than 80 % of the last snapshot's repositories.
        Unavailable: more than 5 % of the names cannot be read.
    """
    names = sorted({a.identity for a in context.listed if a.kind == "github_repo"})
    owners = sorted({a.identity for a in context.listed if a.kind == "github_owner"})
    if not names and not owners:
        raise FixNeeded(
            "github_repositories: the registry names no GitHub repository or owner, so there is nothing to ask for. "
            "Land oss_directory first: python -m include land oss_directory"
        )
    snapshot = _Snapshot(Api(context))
    context.progress(0, 3, f"asking {len(names):,} names")
    for place, reply in snapshot.api.ask(
        queries.by_name(queries.SNAPSHOT), [tuple(name.split("/", 1)) for name in names], size=BATCH
    ):
        snapshot.take_name(names[place], reply)
    context.progress(1, 3, f"expanding {len(owners):,} owners")
    nodes, unread = owned_repositories(snapshot.api, owners)
    snapshot.take_owners(owners, unread)
    known = {row[1] for row in snapshot.rows.values()}
    others = [node for node in dict.fromkeys(nodes) if node not in known]
    context.progress(2, 3, f"asking {len(others):,} repositories of owners")
    for place, reply in snapshot.api.ask(queries.by_id(queries.SNAPSHOT), [(node,) for node in others], size=BATCH):
        snapshot.take_owned(others[place], reply)
    refuse_outage(snapshot.lost, len(names) + len(owners) + len(others), "repositories and owners")
    _refuse_shrink(len(snapshot.rows), context)
    yield from batches(REPOSITORIES, (row for _, row in sorted(snapshot.rows.items())))
    yield from batches(NAMES, sorted(snapshot.names, key=lambda row: row[:2]))
    yield from snapshot.rejected
    status = "damaged" if snapshot.lost else "complete"
    reason = f"{snapshot.lost} could not be read" if snapshot.lost else None
    yield Coverage("repositories", "all", len(snapshot.rows) + snapshot.lost, len(snapshot.rows), status, reason)
    yield Coverage("names", "all", len(names) + len(owners), len(snapshot.names), "complete")
    for kind, name, state, _, _, why in snapshot.names:
        if state in ("gone", "blocked", "private", "unread"):
            yield Coverage("names", f"{kind} {name}", 1, 0, "damaged" if state == "unread" else "known_missing", why)
    asked = ", ".join(f"{n:,} {resource} requests" for resource, n in snapshot.api.requests.items())
    context.progress(3, 3, f"{asked}, {snapshot.api.points:,} points")


class _Snapshot:
    """What was found so far."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.rows: dict[int, tuple] = {}
        self.names: list[tuple] = []
        self.rejected: list[Rejected] = []
        self.lost = 0

    def take_name(self, name: str, reply: Reply) -> None:
        """Keeps the repository of a name, and the name's state."""
        row, why = self._row(name, reply, is_listed=True)
        if row is not None:
            owner, _, own = row[2].lower().partition("/")
            state = "live" if row[2].lower() == name else "renamed" if owner == name.split("/")[0] else "transferred"
            self.names.append(("github_repo", name, state, row[0], row[2], None))
            self.rows.setdefault(row[0], row)
        elif why == "private":
            self.names.append(("github_repo", name, "private", None, None, "it is not public"))
        elif reply.node is not None:
            self.names.append(("github_repo", name, "unread", None, None, why))
        else:
            self.names.append(("github_repo", name, *self._absence(name, reply)))

    def _absence(self, name: str, reply: Reply) -> tuple:
        """Asks REST, which alone tells a block by law from a name that is gone."""
        answer = self.api.rest(f"/repos/{quote(name)}")
        value = answer.value if isinstance(answer.value, dict) else {}
        block = value.get("block") if isinstance(value.get("block"), dict) else {}
        if answer.status == 451:
            return "blocked", None, None, f"451, {str(block.get('reason') or 'no reason')[:200]}"
        if answer.status in (404, 410) and reply.is_absent:
            return "gone", None, None, f"{answer.status}"
        self.lost += not reply.is_denied
        return "unread", None, None, "; ".join(p.message for p in reply.problems)[:300] or f"REST says {answer.status}"

    def take_owners(self, owners: list[str], unread: list[tuple[str, Reply | str]]) -> None:
        """Keeps the state of every owner."""
        bad = dict(unread)
        for owner in owners:
            why = bad.get(owner)
            if why is None:
                self.names.append(("github_owner", owner, "live", None, None, None))
            elif isinstance(why, Reply) and why.is_absent:
                self.names.append(("github_owner", owner, "gone", None, None, "not found"))
            else:
                self.lost += 1
                reason = why if isinstance(why, str) else "; ".join(p.message for p in why.problems)[:300]
                self.names.append(("github_owner", owner, "unread", None, None, reason))

    def take_owned(self, node_id: str, reply: Reply) -> None:
        """Keeps a repository of an owner."""
        row, why = self._row(node_id, reply, is_listed=False)
        if row is not None:
            self.rows.setdefault(row[0], row)
        elif reply.node is None and not reply.is_absent:
            self.lost += 1

    def _row(self, asked: str, reply: Reply, *, is_listed: bool) -> tuple[tuple | None, str | None]:
        """The row, or why there is none; a malformed repository costs only itself."""
        if reply.node is None:
            return None, "absent"
        try:
            if need(reply.node, "isPrivate", flag):  # as a token of its team sees it
                return None, "private"
            if reply.problems:
                raise ValueError(f"{reply.problems[0].place}: {reply.problems[0].message}")
            return _repository(reply.node, is_listed=is_listed), None
        except ValueError as error:
            self.lost += 1
            self.rejected.append(Rejected("repositories", f"{error}"[:300], sample_of(str(reply.node)), asked))
            return None, f"{error}"[:300]


def _repository(node: dict, *, is_listed: bool) -> tuple:
    licence = node.get("licenseInfo")
    payload = msgspec.json.encode(node).decode()
    return (
        *(need(node, "databaseId", number), need(node, "id", text), need(node, "nameWithOwner", text)),
        *(*account(node, "owner"), is_listed, need(node, "isFork", flag)),
        *(may(node.get("parent"), "databaseId", number), need(node, "isArchived", flag)),
        *(may(node, "archivedAt", moment), may(node, "isDisabled", flag), may(node, "isEmpty", flag)),
        *(need(node, "createdAt", moment), may(node, "pushedAt", moment), need(node, "updatedAt", moment)),
        *(may(node.get("defaultBranchRef"), "name", text), may(node, "stargazerCount", number)),
        *(may(node, "forkCount", number), _total(node, "watchers"), _total(node, "issues")),
        *(_total(node, "pullRequests"), may(licence, "name", text), may(licence, "spdxId", text)),
        *(may(node.get("primaryLanguage"), "name", text), payload),
    )


def _total(node: dict, key: str) -> Any:
    return may(node.get(key), "totalCount", number)


def _refuse_shrink(found: int, context: Context) -> None:
    before = context.previous.observed.get(("repositories", "all"), 0) if context.previous else 0
    if found < KEEP_AT_LEAST * before and not context.allow_shrink:
        raise SuspectData(
            f"github_repositories: {found:,} repositories, below 80 % of the last snapshot's {before:,}. Kept the last "
            "good snapshot. If the drop is real, land it with allow_shrink=true."
        )


SOURCE = Source(
    name="github_repositories",
    doc="The registry's GitHub repositories as they are now: facts, counts, and what became of every listed name.",
    owner="registry",
    schedule="30 1 * * *",
    ready_after=timedelta(0),
    tier=1,
    window="now",
    pool=Pool("github_api", slots=1),
    connection="github_api",
    default_urls=("https://api.github.com",),
    streams=(REPOSITORIES, NAMES),
    fetch=fetch,
    reject_threshold=0.05,
    lists=("github_repo", "github_owner"),
    may_be_off="GitHub's GraphQL API answers no one without a token",
    runbook="docs/runbooks/github_repositories.md",
    licence="GitHub Terms of Service",
    docs_url="https://docs.github.com/en/graphql",
)
