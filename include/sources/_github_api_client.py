"""GitHub's GraphQL and REST API under its limits: tokens in turn, batches that halve, errors kept by entity.

Facts that shape this file (docs.github.com, rate limits of REST and GraphQL, 2026-11):
- GraphQL counts points (5,000 an hour and token), REST requests; each has `x-ratelimit-*` headers of its own.
- A primary limit answers 200 with error type RATE_LIMITED, or 403/429 with remaining 0; a secondary one 403/429
  with Retry-After, or only with words about it.
- A query over 10 s ends in 502 or 504 and costs extra points; resource limits end in errors within a 200.
- An alias that is not found is null, with an error whose path starts with the alias.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from include.errors import BadCredentials, ContractBroken, FixNeeded, RateLimited, Unavailable
from include.http import Answer, parse_retry_after
from include.sources.base import Context

RESERVE = 200  # points or requests of each token that are left to others
LONGEST_WAIT_S = 60.0  # a longer wait fails the task, which retries when the quota opens
SECONDARY_WAIT_S = 60.0  # where the answer does not tell; doubled each time
SECONDARY_TIMES = 3
REST_PER_MINUTE = 600  # of the 900 that the secondary limit allows
LONE_TRIES = 3  # of one entity whose query is too heavy
HEAVY = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
BATCH = 50  # entities in one query
LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Query:
    """One entity's part of a query; `%` stands for its number in the batch, so `$a%` is its first variable."""

    field: str
    selection: str
    types: tuple[str, ...]  # of the variables $a%, $b%, …
    shared: Mapping[str, str] = field(default_factory=dict)  # other variables and their types

    def text(self, count: int) -> str:
        """The query for that many entities, aliased r0, r1, …"""
        variables = [f"${name}: {kind}" for name, kind in self.shared.items()]
        variables += [f"${chr(97 + n)}{i}: {kind}" for i in range(count) for n, kind in enumerate(self.types)]
        parts = "\n".join(f"r%: {self.field} {{ {self.selection} }}".replace("%", str(i)) for i in range(count))
        head = f"query({', '.join(variables)})" if variables else "query"
        return f"{head} {{ rateLimit {{ cost remaining resetAt }}\n{parts} }}"


@dataclass(frozen=True)
class Problem:
    """One error of an answer below an entity; `place` is the first field of its path, None for the whole entity."""

    kind: str
    message: str
    place: str | None = None


@dataclass(frozen=True)
class Reply:
    """What came for one entity: its object or None, and what went wrong."""

    node: dict | None
    problems: tuple[Problem, ...] = ()

    @property
    def is_absent(self) -> bool:
        """GitHub says that there is no such entity."""
        return self.node is None and {p.kind for p in self.problems} == {"NOT_FOUND"}

    @property
    def is_denied(self) -> bool:
        """GitHub shows it to others, or to no one: blocked by law, or an organisation that wants SSO."""
        return self.node is None and "FORBIDDEN" in {p.kind for p in self.problems}


@dataclass
class _Token:
    number: int
    text: str = field(repr=False)
    is_refused: bool = False
    opens_at: dict[str, datetime] = field(default_factory=dict)
    remaining: dict[str, int] = field(default_factory=dict)


class Api:
    """Asks GitHub with the tokens of a connection's password, separated by commas."""

    def __init__(self, context: Context) -> None:
        connection = context.connection
        if connection.login or not (connection.password or "").strip(", "):
            raise FixNeeded(
                "github_api: its connection needs tokens as the password and no login. Set "
                "AIRFLOW_CONN_GITHUB_API=https://:TOKEN@api.github.com, several tokens separated by commas."
            )
        texts = [t.strip() for t in connection.password.split(",") if t.strip()]
        self._tokens = [_Token(n, text) for n, text in enumerate(texts, 1)]
        self._http, self._base, self._log = context.http, connection.urls[0], context.log
        self._secondary = 0
        self.requests: dict[str, int] = {"graphql": 0, "core": 0}
        self.points = 0

    # -- GraphQL

    def ask(
        self, query: Query, items: Sequence[tuple], shared: Mapping[str, Any] | None = None, *, size: int = BATCH
    ) -> Iterator[tuple[int, Reply]]:
        """Yields (position in `items`, Reply) for every item, in order; `items` are the variables of each entity.

        A batch that is too heavy is halved; an entity that is too heavy alone is a Reply with a problem.
        """
        pending = deque(range(s, min(s + size, len(items))) for s in range(0, len(items), size))
        tries = 0
        while pending:
            chunk = pending.popleft()
            variables = dict(shared or {})
            for i, place in enumerate(chunk):
                variables |= {f"{chr(97 + n)}{i}": value for n, value in enumerate(items[place])}
            replies = self._replies(query.text(len(chunk)), variables, len(chunk))
            if replies is not None:
                tries = 0
                yield from zip(chunk, replies, strict=True)
            elif len(chunk) > 1:
                middle = len(chunk) // 2
                pending.extendleft((chunk[middle:], chunk[:middle]))
            elif (tries := tries + 1) < LONE_TRIES:
                sleep(2.0**tries)
                pending.appendleft(chunk)
            else:
                tries = 0
                yield chunk[0], Reply(None, (Problem("TIMEOUT", f"too heavy or no answer, {LONE_TRIES} times"),))

    def _replies(self, text: str, variables: dict, count: int) -> list[Reply] | None:
        """The answer by entity; None if the query was too heavy.

        Raises:
            ContractBroken: GitHub refuses the query itself.
        """
        answer = self._send("graphql", "/graphql", body={"query": text, "variables": variables}, accept=(502, 504))
        if answer.status in (502, 504):
            return None
        value = answer.value if isinstance(answer.value, dict) else {}
        data = value.get("data")
        errors = [e for e in _list(value.get("errors")) if isinstance(e, dict)]
        lost = [e for e in errors if not _list(e.get("path"))]
        if not isinstance(data, dict) or lost:
            return self._refused_whole(lost or errors, is_empty=not isinstance(data, dict))
        problems: dict[str, list[Problem]] = {}
        for error in errors:
            alias, *rest = error["path"]
            place = next((str(p) for p in rest if isinstance(p, str)), None)
            problems.setdefault(str(alias), []).append(Problem(_kind(error), _message(error), place))
        replies = []
        for i in range(count):
            node = data.get(f"r{i}")
            found = tuple(problems.get(f"r{i}", ()))
            if node is not None and not isinstance(node, dict):
                node, found = None, (*found, Problem("MALFORMED", f"{type(node).__name__} in place of an object"))
            elif node is None and f"r{i}" not in data:
                found = (*found, Problem("MALFORMED", "the answer leaves it out"))
            replies.append(Reply(node, found))
        return replies

    def _refused_whole(self, errors: list[dict], *, is_empty: bool) -> None:
        first = errors[0] if errors else {}
        said = _message(first).lower()
        if is_empty and not errors:
            raise ContractBroken("github_api: an answer without data and errors. Check the address of its connection.")
        if _kind(first) in HEAVY or "timeout" in said or "something went wrong" in said or not is_empty:
            return None
        raise ContractBroken(
            f"github_api: GitHub refuses the query ({_kind(first) or 'no type'}: {_message(first)}). Compare "
            "include/sources/_github_api_queries.py with GitHub's current schema. Nothing of this day was landed."
        )

    # -- REST

    def rest(self, path: str) -> Answer:
        """The answer to a GET; 403 without a limit, 404, 409, 410, 422 and 451 are answers as well."""
        return self._send("core", path, accept=(202, 404, 409, 410, 422, 451), per_minute=REST_PER_MINUTE)

    # -- limits

    def _send(self, resource: str, path: str, *, body: Any = None, accept: tuple[int, ...], per_minute=None) -> Answer:
        """One answer that no limit refused, by whichever token is free."""
        while True:
            token = self._free(resource)
            self.requests[resource] += 1
            answer = self._http.json(
                self._base + path,
                body=body,
                headers={"Authorization": f"Bearer {token.text}", "X-GitHub-Api-Version": "2022-11-28"},
                accept=(401, 403, 429, *accept),
                per_minute=per_minute,
            )
            self._note(token, resource, answer)
            if answer.status == 401:
                token.is_refused = True
                self._log.warning("github_api: token %d of %d is refused", token.number, len(self._tokens))
            elif (opens_at := self._closed_until(answer)) is not None:
                token.opens_at[resource] = opens_at
                self._log.info("github_api: %s of token %d opens at %s", resource, token.number, f"{opens_at:%H:%M:%S}")
            elif answer.status == 403 and resource == "graphql":
                raise BadCredentials("github_api: 403, no permission. Give the tokens read access to public data.")
            else:
                self._secondary = 0
                return answer

    def _free(self, resource: str) -> _Token:
        """The token with most left, after a short wait if need be.

        Raises:
            RateLimited: all are closed for longer than we sit out.
            BadCredentials: GitHub refused all.
        """
        while True:
            now = datetime.now(UTC)
            known = [t for t in self._tokens if not t.is_refused]
            if not known:
                raise BadCredentials(
                    "github_api: 401 for every token. Renew the password of AIRFLOW_CONN_GITHUB_API, "
                    "see docs/runbooks/github_api.md."
                )
            free = [t for t in known if t.opens_at.get(resource, now) <= now]
            if free:
                return max(free, key=lambda t: (t.remaining.get(resource, 1 << 30), -t.number))
            opens_at = min(t.opens_at[resource] for t in known)
            wait_s = (opens_at - now).total_seconds()
            if wait_s > LONGEST_WAIT_S or self._secondary > SECONDARY_TIMES * len(known):
                raise RateLimited(
                    f"github_api: the {resource} quota of all {len(known)} tokens is spent or kept for others; it "
                    f"opens at {opens_at:%H:%M:%S} UTC, the task retries then. Seen daily? Add a token "
                    "(docs/runbooks/github_api.md). Nothing of this day was landed.",
                    opens_at,
                )
            sleep(max(wait_s, 0.01))

    def _note(self, token: _Token, resource: str, answer: Answer) -> None:
        """Keeps what is left; a token whose rest is reserved is closed until its reset."""
        remaining = _number(answer.headers.get("x-ratelimit-remaining"))
        reset = _number(answer.headers.get("x-ratelimit-reset"))
        limit = answer.value.get("data") if isinstance(answer.value, dict) else None
        limit = limit.get("rateLimit") if isinstance(limit, dict) else None
        if isinstance(limit, dict):
            cost = _number(limit.get("cost")) or 0
            self.points += cost
            self._http.cost["points"] += cost
            remaining = _number(limit.get("remaining")) if remaining is None else remaining
        if remaining is not None:
            token.remaining[resource] = remaining
            if resource == "graphql":
                self._http.cost["points_left"] = sum(t.remaining.get(resource, 0) for t in self._tokens)
            if remaining < RESERVE and reset is not None:
                token.opens_at[resource] = _at(reset)

    def _closed_until(self, answer: Answer) -> datetime | None:
        """When a token that a limit refused may be used again; None if no limit refused it."""
        now, headers = datetime.now(UTC), answer.headers
        is_limit = isinstance(answer.value, dict) and any(
            isinstance(e, dict) and _kind(e) == "RATE_LIMITED" for e in _list(answer.value.get("errors"))
        )
        if answer.status not in (403, 429) and not is_limit:
            return None
        if (wait_s := parse_retry_after(headers, now)) is not None:
            self._secondary += 1
            return now + timedelta(seconds=wait_s)
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is not None and (is_limit or headers.get("x-ratelimit-remaining") == "0"):
            return _at(reset)
        said = str(answer.value.get("message") if isinstance(answer.value, dict) else "").lower()
        if is_limit or answer.status == 429 or "secondary rate" in said or "abuse detection" in said:
            self._secondary += 1
            return now + timedelta(seconds=SECONDARY_WAIT_S * 2 ** ((self._secondary - 1) // len(self._tokens)))
        return None


@dataclass(frozen=True)
class Pages:
    """A connection to read page by page: where it is in an entity, and from which node on the rest is too old."""

    name: str
    text: str  # with `{after}` where the cursor's argument goes
    path: tuple[str, ...]
    is_past: Callable[[Any], bool] | None = None  # a page of such nodes only is the last one
    may_be_null: bool = False  # null in place of the first of `path` is none: an empty repository has no branch


@dataclass
class Read:
    """What was read of one connection of one entity; `problem` says why it is not whole."""

    nodes: list = field(default_factory=list)
    problem: str | None = None
    cursors: set[str] = field(default_factory=set)  # of the pages asked for
    last: list | None = None  # the nodes of the last page


def read_pages(
    api: Api, on: str, ids: Sequence[str], pages: Sequence[Pages], shared: Mapping[str, tuple], *, size: int
) -> list[dict[str, Read]]:
    """Every page of every connection of the entities with these node ids, as one dict of Read by name each.

    `on` is their type, `shared` gives further variables as (type, value).
    """
    found: list[dict[str, Read]] = [{p.name: Read() for p in pages} for _ in ids]
    more: dict[str, list[tuple[int, str]]] = {p.name: [] for p in pages}

    def ask(texts: list[str], types: tuple[str, ...], items: list[tuple]) -> Iterator[tuple[int, Reply]]:
        selection = f"... on {on} {{ {' '.join(texts)} }}"
        used = {name: given for name, given in shared.items() if f"${name}" in selection}  # GitHub refuses others
        query = Query("node(id: $a%)", selection, types, {name: kind for name, (kind, _) in used.items()})
        return api.ask(query, items, {name: value for name, (_, value) in used.items()}, size=size)

    first = [p.text.replace("{after}", "") for p in pages]
    for place, reply in ask(first, ("ID!",), [(i,) for i in ids]):
        for connection in pages:
            if cursor := _take(found[place][connection.name], reply, connection):
                more[connection.name].append((place, cursor))
    for connection in pages:
        following = [connection.text.replace("{after}", ", after: $b%")]
        while more[connection.name]:
            asked, more[connection.name] = more[connection.name], []
            for n, reply in ask(following, ("ID!", "String!"), [(ids[place], cursor) for place, cursor in asked]):
                place = asked[n][0]
                if cursor := _take(found[place][connection.name], reply, connection):
                    more[connection.name].append((place, cursor))
    return found


def _take(read: Read, reply: Reply, connection: Pages) -> str | None:
    """Adds a page to what was read; returns the cursor of the next one if there is one to ask for."""
    wrong = [p for p in reply.problems if p.place in (None, connection.path[0])]
    value: Any = reply.node
    for key in connection.path:
        value = value.get(key) if isinstance(value, dict) else None
    if wrong or reply.node is None:
        read.problem = f"{wrong[0].kind}: {wrong[0].message}" if wrong else "it is not there any more"
    elif not isinstance(value, dict) and not (connection.may_be_null and reply.node.get(connection.path[0], 0) is None):
        read.problem = f"{connection.path[-1]} is missing in the answer"
    if not isinstance(value, dict):
        return None
    nodes, info = _list(value.get("nodes")), value.get("pageInfo")
    read.nodes += nodes
    info = info if isinstance(info, dict) else {}
    has_more, cursor = info.get("hasNextPage"), info.get("endCursor")
    if not isinstance(has_more, bool) or not isinstance(value.get("nodes"), list):
        read.problem = read.problem or "a page does not tell its nodes or whether more follow"
    elif has_more and not (nodes and connection.is_past and all(map(connection.is_past, nodes))):
        if isinstance(cursor, str) and cursor not in read.cursors and nodes != read.last:
            read.cursors.add(cursor)
            read.last = nodes
            return cursor
        read.problem = "the pages repeat"
    return None


def refuse_outage(failed: int, asked: int, what: str) -> None:
    """A few bad entities cost themselves only; more are an outage.

    Raises:
        Unavailable: more than 5 % and more than 3 failed.
    """
    if failed > max(3, asked * 0.05):
        raise Unavailable(
            f"github_api: {failed} of {asked} {what} could not be read. GitHub has a disturbance (githubstatus.com) "
            "or the batches are too heavy. Nothing of this day was landed; the task retries."
        )


def _at(epoch: int) -> datetime:
    return datetime.fromtimestamp(min(epoch, 1 << 33), UTC)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _kind(error: Mapping) -> str:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return str(error.get("type") or code or "")[:60]


def _message(error: Mapping) -> str:
    return " ".join(str(error.get("message") or "no message").split())[:LONGEST_MESSAGE]


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []
