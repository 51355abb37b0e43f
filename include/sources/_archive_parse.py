"""From the bytes of one archive hour to rows: find the tracked lines by their head, decode only those.

A line whose head is not as usual takes the full decode: another key order costs
speed, never rows. A line that cannot be read is set aside with its offset.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, BinaryIO, get_args

import msgspec

from include.sources.base import Tracked, sample_of

try:
    from isal import igzip as gzip_module
except ImportError:  # pragma: no cover - the standard library is 2.6 times slower, not different
    import gzip as gzip_module

BLOCK = 1 << 18  # bytes of JSON per read; 1 MiB leaves the cache and is 20 % slower
TOGETHER = 64  # lines decoded in one go: one by one between the scans, the decoders' code has left the cache
HEAD = re.compile(rb'\{"id":"[0-9]++","type":"(\w++)","actor":\{[^}]*+\},"repo":\{"id":([0-9]++),"name":"([^"\\/]*+)')
NAME = re.compile(rb'([^"\\]*+)"')
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
CLEAR_EMAIL = re.compile(rb'"email"\s*+:\s*+"(?![0-9a-f]{40}@)')
HASHED_LOCAL = re.compile(r"[0-9a-f]{40}")
NEWLINE, CLOSING_BRACE = 0x0A, 0x7D
ID_STARTS = len('{"id":"')
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Actor(msgspec.Struct, gc=False):
    """Who did it; old events may lack the id."""

    id: Int64 | None = None
    login: str | None = None


class Repo(msgspec.Struct, gc=False):
    """Where it happened; both are required, `repo: {}` is set aside."""

    id: Int64
    name: str


class Event(msgspec.Struct, gc=False):
    """One line; `payload` stays raw text."""

    id: str
    type: str
    repo: Repo
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    public: bool
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    actor: Actor | None = None
    org: Actor | None = None


class User(msgspec.Struct, gc=False):
    """An account inside a payload."""

    id: Int64 | None = None
    login: str | None = None
    type: str | None = None


class BaseRepo(msgspec.Struct, gc=False):
    """The repository as a full pull request describes it."""

    default_branch: str | None = None
    created_at: datetime | None = None
    fork: bool | None = None


class Base(msgspec.Struct, gc=False):
    """The branch a pull request goes to."""

    repo: BaseRepo | None = None


class PullRequest(msgspec.Struct, gc=False):
    """A pull request, whole until 2025-10-06 and a few fields after."""

    number: Int64 | None = None
    user: User | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged: bool | None = None
    merged_by: User | None = None
    base: Base | None = None


class Issue(msgspec.Struct, gc=False):
    """An issue; `pull_request` is there when it is one."""

    number: Int64 | None = None
    user: User | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None
    pull_request: PullRequest | None = None


class Item(msgspec.Struct, gc=False):
    """A comment, review, release or fork."""

    id: Int64 | None = None
    user: User | None = None
    author: User | None = None
    submitted_at: datetime | None = None
    published_at: datetime | None = None
    prerelease: bool | None = None


class CommitAuthor(msgspec.Struct, gc=False):
    """Author of a listed commit."""

    name: str | None = None
    email: str | None = None


class Commit(msgspec.Struct, gc=False):
    """A commit that a push lists (20 at most, none after 2025-10-06)."""

    sha: str | None = None
    author: CommitAuthor | None = None
    distinct: bool | None = None


class Payload(msgspec.Struct, gc=False):
    """Every field that becomes a column; all may be absent."""

    action: str | None = None
    ref: str | None = None
    ref_type: str | None = None
    master_branch: str | None = None
    number: Int64 | None = None
    size: Int64 | None = None
    commits: list[Commit] | None = None
    pull_request: PullRequest | None = None
    issue: Issue | None = None
    comment: Item | None = None
    review: Item | None = None
    release: Item | None = None
    forkee: Item | None = None


decode_event = msgspec.json.Decoder(Event).decode
decode_payload = msgspec.json.Decoder(Payload).decode
NOBODY, NO_PR, NO_ISSUE, NO_REPO, NO_ITEM, NO_AUTHOR = (
    User(),
    PullRequest(),
    Issue(),
    BaseRepo(),
    Item(),
    CommitAuthor(),
)


@dataclass
class Hour:
    """What the lines of one file held, tracked or not."""

    counts: dict[str, int] = field(default_factory=dict)
    ids: dict[str, set[bytes]] | None = None  # by type, kept only when archives must be united
    bad: list[tuple[str, str]] = field(default_factory=list)  # reason, sample
    bad_lines: int = 0

    @property
    def lines(self) -> int:
        """Readable lines."""
        return sum(self.counts.values())

    @property
    def too_bad(self) -> bool:
        """More than 0.1 % of the lines cannot be read; one line is always tolerated."""
        return self.bad_lines > max(1, (self.lines + self.bad_lines) // 1000)


KEPT_SAMPLES = 1000  # rejected lines kept of a file; a file with more is refused anyway


def scan_hour(
    body: BinaryIO, tracked: Tracked, keep: Callable[[Event, Payload, str], None], *, hour: Hour, with_ids: bool = False
) -> None:
    """Reads one gzip of JSON lines; calls `keep` for each line of a tracked repository.

    Fills `hour` as it goes. Raises EOFError or OSError when the file is cut or damaged.
    """
    reader = _Reader(tracked, keep, hour, with_ids)
    offset, tail = 0, b""  # offset of the block's start; what the block before left unfinished
    with gzip_module.open(body, "rb") as lines:
        while block := lines.read(BLOCK):
            start = 0
            if tail:  # only the first line is joined: joining whole blocks costs a tenth of the gunzip
                start = block.find(b"\n") + 1
                if not start:
                    tail += block
                    offset += len(block)
                    continue
                reader.block(tail + block[:start], 0, offset - len(tail))
            used = reader.block(block, start, offset)
            tail = block[used:]
            offset += len(block)
    if tail.strip():
        reader.block(tail + b"\n", 0, offset - len(tail))
    reader.decode()


class _Reader:
    def __init__(self, tracked: Tracked, keep, hour: Hour, with_ids: bool) -> None:
        # the head shows the owner; whether the very repository is tracked, the full decode tells
        self.owners = {o.encode() for o in tracked.owners} | {n.partition("/")[0].encode() for n in tracked.names}
        self.names = {n.encode() for n in tracked.names}
        self.repo_ids = {str(i).encode() for i in tracked.repo_ids}
        self.tracked, self.keep, self.hour = tracked, keep, hour
        self.wanted: list[tuple[bytes, int]] = []  # lines to decode, with their offsets
        if with_ids:
            hour.ids = {}

    def block(self, block: bytes, pos: int, offset: int) -> int:
        """Reads the whole lines of a block from `pos`; returns where they end."""
        find, match = block.find, HEAD.match
        owners, repo_ids, wanted = self.owners, self.repo_ids, self.wanted.append
        remember = self._remember if self.hour.ids is not None else None
        kinds: list[bytes] = []
        skipped = kinds.append
        while (end := find(NEWLINE, pos)) >= 0:
            head = match(block, pos, end)
            if head is None or block[end - 1] != CLOSING_BRACE:
                if end > pos:
                    wanted((block[pos:end], offset + pos))
            else:
                kind, repo_id, owner = head.groups()
                if repo_id in repo_ids or (owner.lower() in owners and self._named(block, head.start(3))):
                    wanted((block[pos:end], offset + pos))
                else:
                    skipped(kind)
                    if remember:
                        remember(kind.decode(), block[pos + ID_STARTS : find(b'"', pos + ID_STARTS)])
            pos = end + 1
        if len(self.wanted) >= TOGETHER or len(block) > BLOCK:  # a line longer than a block does not wait for others
            self.decode()
        counts = self.hour.counts
        for kind, n in Counter(kinds).items():
            text = kind.decode()
            counts[text] = counts.get(text, 0) + n
        return pos

    def decode(self) -> None:
        """Decodes the lines found so far."""
        for line, offset in self.wanted:
            self._line(line, offset)
        self.wanted.clear()

    def _named(self, block: bytes, start: int) -> bool:
        """Whether the name at `start` may be tracked; one with escapes goes to the full decode."""
        name = NAME.match(block, start)
        if name is None or name[1].lower() in self.names:
            return True
        return self._follows(name[1].decode("utf-8", "replace"), None)

    def _remember(self, kind: str, event_id: bytes) -> None:
        self.hour.ids.setdefault(kind, set()).add(event_id)

    def _line(self, line: bytes, offset: int) -> None:
        if not line.strip():
            return
        try:
            event = decode_event(line)
            if not event.id or not event.type:
                raise ValueError("no id or type")
            if not event.public:
                raise ValueError("public is false")
            if self._follows(event.repo.name, event.repo.id):
                raw, payload = str(event.payload, "utf-8"), read_payload(event.payload)
                if b"\\" in line and SURROGATE.search(line):
                    refuse_lone_surrogates(line)
                if payload.commits and CLEAR_EMAIL.search(event.payload):
                    raw = hash_emails(raw)
                    payload = read_payload(raw.encode())
                self.keep(event, payload, raw)
        except (ValueError, RecursionError) as error:  # msgspec's errors and UnicodeError are ValueErrors
            self.hour.bad_lines += 1
            if len(self.hour.bad) < KEPT_SAMPLES:
                self.hour.bad.append((f"at byte {offset}: {error}"[:300], sample_of(line)))
            return
        counts = self.hour.counts
        counts[event.type] = counts.get(event.type, 0) + 1
        if self.hour.ids is not None:
            self._remember(event.type, event.id.encode())

    def _follows(self, name: str, repo_id: int | None) -> bool:
        name = name.lower()
        tracked = self.tracked
        return repo_id in tracked.repo_ids or name in tracked.names or name.partition("/")[0] in tracked.owners


def refuse_lone_surrogates(line: bytes) -> None:
    """Raises ValueError if a JSON text holds half a character, which is no text."""
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate, which is no text") from None


def read_payload(raw: bytes) -> Payload:
    """The columns of a payload; a field of another type than we know becomes null, the others stay."""
    try:
        return decode_payload(raw)
    except msgspec.ValidationError:
        return _lenient(Payload, msgspec.json.decode(raw)) or Payload()


def _lenient(struct: type, value: Any) -> Any:
    """`value` as `struct`, with null for each field that does not fit."""
    if not isinstance(value, dict):
        return None
    found = {}
    for item in msgspec.structs.fields(struct):
        given = value.get(item.encode_name)
        try:
            found[item.name] = msgspec.convert(given, item.type)
        except msgspec.ValidationError:
            inner = get_args(item.type)[0]
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                found[item.name] = _lenient(inner, given)
            elif get_args(inner) == (Commit,) and isinstance(given, list):
                found[item.name] = [_lenient(Commit, one) or Commit() for one in given]
    return struct(**found)


def hash_email(email: str | None) -> str | None:
    """The archive's own form, sha1(local)@host; one that has it already stays."""
    if not email:
        return email
    local, at, host = email.rpartition("@")
    if not at:
        local, host = email, ""
    if HASHED_LOCAL.fullmatch(local):
        return email
    return f"{hashlib.sha1(local.encode(), usedforsecurity=False).hexdigest()}{at}{host.lower()}"


def hash_emails(payload: str) -> str:
    """The payload's text with every clear e-mail hashed."""
    return json.dumps(_hashed(json.loads(payload)), ensure_ascii=False, separators=(",", ":"))


def _hashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: hash_email(inner) if key == "email" and isinstance(inner, str) else _hashed(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_hashed(inner) for inner in value]
    return value


def event_row(event: Event, p: Payload, raw: str, hour: int) -> tuple:
    """One row of the events stream, in the order of its schema."""
    actor, org = event.actor or NOBODY, event.org or NOBODY
    head = (
        event.id,
        event.type,
        actor.id,
        actor.login,
        event.repo.id,
        event.repo.name,
        org.id,
        org.login,
        event.created_at,
        event.public,
        hour,
        p.action,
        p.ref,
    )
    about = _item_columns(event, p) if p.pull_request or p.issue or _item(p) else _plain_columns(event, p)
    return (*head, *about, raw)


def _item(p: Payload) -> Item | None:
    return p.comment or p.review or p.release or p.forkee


def _plain_columns(event: Event, p: Payload) -> tuple:
    """The columns from `number` on, of pushes, stars, branches and other events without an item."""
    size = p.size if event.type == "PushEvent" else None
    listed = len(p.commits) if p.commits is not None else None
    created_at = event.created_at if event.type == "CreateEvent" and p.ref_type == "repository" else None
    return (
        *(p.number, None, size, listed),
        *(None, None, None, None, None, None),
        _is_merged(event.type, p.action, NO_PR),
        *(None, None, None, None, None),
        p.master_branch,
        created_at,
        *(None, None, None, None),
    )


def _item_columns(event: Event, p: Payload) -> tuple:
    """The columns from `number` on, of events about a pull request, issue, comment, review, release or fork."""
    pr, issue = p.pull_request or NO_PR, p.issue or NO_ISSUE
    base = (pr.base.repo if pr.base else None) or NO_REPO
    release, author, merged_by = p.release or NO_ITEM, _author(p), pr.merged_by or NOBODY
    return (
        _first(p.number, pr.number, issue.number),
        (_item(p) or NO_ITEM).id,
        None,
        None,
        author.id,
        author.login,
        author.type,
        pr.created_at or issue.created_at,
        pr.closed_at or issue.closed_at,
        pr.merged_at or (issue.pull_request or NO_PR).merged_at,
        _is_merged(event.type, p.action, pr),
        merged_by.id,
        merged_by.login,
        merged_by.type,
        _item_author(p, pr, issue),
        p.issue.pull_request is not None if p.issue and event.type == "IssueCommentEvent" else None,
        base.default_branch,
        base.created_at,
        base.fork,
        release.prerelease,
        release.published_at,
        (p.review or NO_ITEM).submitted_at,
    )


def commit_rows(event: Event, p: Payload) -> list[tuple]:
    """Rows of the push_commits stream: one a listed commit, in the order of the push."""
    event_id, repo_id, at = event.id, event.repo.id, event.created_at
    return [
        (event_id, position, c.sha, author.name, author.email, c.distinct, repo_id, at)
        for position, c in enumerate(p.commits or ())
        for author in (c.author or NO_AUTHOR,)
    ]


def _first(*values):
    return next((v for v in values if v is not None), None)


def _author(p: Payload) -> User:
    """Author of the innermost thing that the event is about."""
    if p.comment:
        return p.comment.user or NOBODY
    if p.review:
        return p.review.user or NOBODY
    if p.release:
        return p.release.author or NOBODY
    item = p.pull_request or p.issue
    return (item.user if item else None) or NOBODY


def _item_author(p: Payload, pr: PullRequest, issue: Issue) -> int | None:
    """Author of the issue or pull request that a comment or review is on."""
    if not (p.comment or p.review):
        return None
    return ((pr.user or issue.user) or NOBODY).id


def _is_merged(kind: str, action: str | None, pr: PullRequest) -> bool | None:
    """Whether this very event is the merge: action `merged`, or `closed` of a merged one.

    Null for a close that does not tell (after 2025-10-06), and for other types.
    """
    if kind != "PullRequestEvent":
        return None
    if action == "merged":
        return True
    if action != "closed":
        return False
    return True if pr.merged or pr.merged_at else pr.merged
