"""The ledgers of the registry's Open Collective accounts, from its GraphQL API v2.

Facts that shape this file (opencollective/opencollective-api @e3f35f58, 2026-08):
- 10 requests a minute without, 100 with a token; Retry-After is a fraction of seconds.
- Errors come with 200 as well; one in a required field makes the whole answer null.
- dateFrom and dateTo are both inclusive, so a day is asked up to the next midnight and cut here.
- Offset pages shift when rows are deleted or added: pages overlap, ids are counted, totalCount must agree.
- Every movement is at least two rows, one of each account. Only the listed accounts' own rows are landed.
- Children (events, projects of an account) are left out unless asked for.
- Deleted rows vanish and refunds are new rows: scheduled runs read the last seven days again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

from include.errors import BadCredentials, ContractBroken, FixNeeded, RateLimited, SuspectData, Unavailable
from include.http import safe_url
from include.sources._open_collective_parse import (
    ASKED,
    BATCH,
    MATCHES_QUERY,
    Links,
    accounts_query,
    entity_row,
    ledger_query,
    transaction_row,
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

PER_MINUTE, PER_MINUTE_WITH_TOKEN = 10, 100  # server/routes.ts
PAGE = 500  # the SDL allows 1000; smaller answers break less often
OVERLAP = 20  # rows of the page before that are read again
CHILDREN = 1000  # of one account, at most
READS = 3  # of one ledger, if it changes while it is read
MOST_PAGES = 200  # of one ledger and day
MOST_MATCH_PAGES = 5  # of accounts that were active on a day
MOST_LOST = 0.1  # of the accounts, for a day; one is always tolerated
MAY_HIDE = {"oppositeAccount", "host", "refundTransaction"}  # private to others: null is their answer
GONE = ("NotFound", "Forbidden", "Unauthorized")  # of one account: asking again does not help

TEXT, INT, BOOL = pa.string(), pa.int64(), pa.bool_()


def _money(name: str, doc: str) -> tuple[pa.Field, pa.Field]:
    return (
        column(f"{name}_cents", INT, f"{doc}, in hundredths of its currency, also of those without hundredths"),
        column(f"{name}_currency", TEXT, f"Currency of {name}_cents"),
    )


TRANSACTIONS = Stream(
    name="transactions",
    doc="One row per ledger row of a listed account or its children, created on the day.",
    key=("id",),
    schema=pa.schema(
        [
            column("id", TEXT, "Public id of the transaction"),
            column("legacy_id", INT, "Its number in the upstream's database"),
            column("public_id", TEXT, "Its newer public id, tx_…"),
            column("group", TEXT, "Movement: rows of both sides and of its fees share it"),
            column("type", TEXT, "CREDIT or DEBIT of the account"),
            column("kind", TEXT, "CONTRIBUTION, EXPENSE, HOST_FEE, …; null on old rows"),
            column("is_refund", BOOL, "The row gives back another one"),
            column("is_refunded", BOOL, "Another row gave this one back"),
            column("refund_transaction_id", TEXT, "The other one of the two"),
            column("created_at", TIMESTAMP, "When it was entered, UTC"),
            column("updated_at", TIMESTAMP, "When it was last changed"),
            column("cleared_at", TIMESTAMP, "When the payment processor cleared it"),
            *_money("amount", "Amount as entered; negative on DEBIT rows"),
            *_money("host_amount", "The amount in the currency of the fiscal host"),
            *_money("net_amount", "Amount after fees that the row itself carries"),
            *_money("host_net_amount", "Net amount in the currency of the fiscal host"),
            *_money("host_fee", "Fee of the host that the row itself carries; newer fees have rows of their own"),
            *_money("platform_fee", "Fee of the platform that the row itself carries"),
            *_money("payment_processor_fee", "Fee of the payment processor that the row itself carries"),
            *_money("tax_amount", "Tax that the row itself carries"),
            column("host_currency_fx_rate", pa.float64(), "amount times this is host_amount"),
            column("account_id", TEXT, "Account whose ledger the row is in"),
            column("account_slug", TEXT, "Its slug when it was read"),
            column("account_type", TEXT, "COLLECTIVE, EVENT, PROJECT, …"),
            column("opposite_account_id", TEXT, "Account on the other side; null if gone or private"),
            column("opposite_account_slug", TEXT, "Its slug when it was read"),
            column("opposite_account_type", TEXT, "INDIVIDUAL, ORGANIZATION, COLLECTIVE and others"),
            column("host_id", TEXT, "Fiscal host that kept the books"),
            column("host_slug", TEXT, "Its slug when it was read"),
            column("order_id", TEXT, "Contribution that it belongs to"),
            column("expense_id", TEXT, "Expense that it pays"),
            column("listed_slug", TEXT, "Account of the registry that was asked: this one or its parent"),
            column("_payload", TEXT, "The row as answered, as JSON text"),
        ]
    ),
)
ACCOUNTS = Stream(
    name="accounts",
    doc="One row per listed account and child of it, as it was when the day was read.",
    key=("id",),
    schema=pa.schema(
        [
            column("id", TEXT, "Public id of the account; stays when the slug changes"),
            column("legacy_id", INT, "Its number in the upstream's database"),
            column("public_id", TEXT, "Its newer public id, acc_…"),
            column("slug", TEXT, "Its name in addresses now"),
            column("type", TEXT, "COLLECTIVE, EVENT, PROJECT, ORGANIZATION, …"),
            column("name", TEXT, "Name for people"),
            column("currency", TEXT, "Currency of its ledger"),
            column("created_at", TIMESTAMP, "When it was created, UTC"),
            column("updated_at", TIMESTAMP, "When it was last changed"),
            column("is_archived", BOOL, "It is closed"),
            column("is_host", BOOL, "It keeps the books of others"),
            column("parent_id", TEXT, "Account that it is an event or a project of"),
            column("parent_slug", TEXT, "Slug of that account"),
            column("host_id", TEXT, "Its fiscal host now"),
            column("host_slug", TEXT, "Slug of that account"),
            column("listed_slug", TEXT, "Account of the registry that led to it: itself or its parent"),
            column("_payload", TEXT, "The account as answered, as JSON text"),
        ]
    ),
)
MATCHES = Stream(
    name="matches",
    doc="One row per account that the registry does not list and artifact of the registry that the account links to.",
    key=("account_id", "kind", "identity", "project_name"),
    schema=pa.schema(
        [
            column("account_id", TEXT, "Public id of the account"),
            column("legacy_id", INT, "Its number in the upstream's database"),
            column("public_id", TEXT, "Its newer public id, acc_…"),
            column("slug", TEXT, "Its slug when it was read"),
            column("type", TEXT, "COLLECTIVE, FUND, PROJECT or ORGANIZATION"),
            column("project_name", TEXT, "Project of the registry that lists the artifact"),
            column("kind", TEXT, "github_repo, github_owner or website"),
            column("identity", TEXT, "The artifact, in its normal form"),
            column("link_type", TEXT, "GITHUB, WEBSITE, … as the account says"),
            column("link", TEXT, "Address as the account published it"),
            column("evidence", TEXT, "Always matched: the account says so, the project did not declare it"),
        ]
    ),
)


@dataclass
class _Day:
    """What was read of a day, by id, so that an account asked twice counts once."""

    entities: dict[str, tuple] = field(default_factory=dict)
    transactions: dict[str, tuple] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)  # reason by slug; the ledger could not be read


class _Lost(Exception):
    """The reason why one account's ledger could not be read whole."""


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """Accounts, their ledger rows of one UTC day, and unlisted accounts that were active then and link to projects.

    An account that cannot be read costs itself: coverage says why, and none of its rows are landed.

    Raises:
        FixNeeded: the directory was not landed, or the connection is not usable.
        RateLimited, Unavailable: the upstream does not answer.
        SuspectData: more than half of the accounts are gone, or too many ledgers cannot be read.
        ContractBroken: the API refuses the question or answers in an unknown shape.
    """
    if not context.listed:
        raise FixNeeded(
            "open_collective: the registry lists nothing, so there is no account to ask for. "
            "Land oss_directory first: python -m include land oss_directory"
        )
    api, day = _Api(context), _Day()
    slugs = sorted({a.identity for a in context.listed if a.kind == "open_collective"})
    steps = 2 * -(-len(slugs) // BATCH) + 1
    ids: dict[str, str] = {}
    for start in range(0, len(slugs), BATCH):
        context.progress(start // BATCH, steps, f"{window.start} accounts")
        yield from _read_accounts(slugs[start : start + BATCH], api, day, ids)
    if slugs and len(ids) < len(slugs) / 2 and len(slugs) - len(ids) > 1:
        raise SuspectData(
            f"open_collective: only {len(ids)} of the registry's {len(slugs)} accounts were found, which is not "
            "believable. Look one of them up at opencollective.com; the former content of the day was kept."
        )
    for start in range(0, len(ids), BATCH):
        context.progress(steps // 2 + start // BATCH, steps, f"{window.start} ledgers")
        yield from _read_ledgers(dict(list(ids.items())[start : start + BATCH]), window, api, day)
    if len(day.lost) > max(1, MOST_LOST * len(ids)):
        slug, reason = next(iter(day.lost.items()))
        raise SuspectData(
            f"open_collective: the ledgers of {len(day.lost)} of {len(ids)} accounts on {window.start} cannot be read, "
            f"above 10 %; first {slug}: {reason}. Land the day again later; its former content was kept."
        )
    yield from batches(ACCOUNTS, (day.entities[key] for key in sorted(day.entities)))
    yield from batches(TRANSACTIONS, (day.transactions[key] for key in sorted(day.transactions)))
    context.progress(steps - 1, steps, f"{window.start} links")
    yield from _read_matches(window, api, context, set(day.entities), set(slugs))
    context.log.info("open_collective: %d requests for %s", api.requests, window.start)
    context.progress(steps, steps, f"{window.start}")


def _read_accounts(slugs: list[str], api: "_Api", day: _Day, ids: dict[str, str]) -> Iterator[Item]:
    """Fills `ids` by slug and the day's entities; one line of coverage per slug."""
    variables = {f"s{n}": slug for n, slug in enumerate(slugs)} | {"limit": CHILDREN}
    data, refused = api.ask(accounts_query(len(slugs)), variables)
    for n, slug in enumerate(slugs):
        node, reason = (data or {}).get(f"a{n}"), refused.get(f"a{n}")
        if node is None:
            yield Coverage("accounts", slug, 1, 0, "missing", reason or "no account has this slug (any more)")
            continue
        try:
            row = entity_row(node, slug)
        except ValueError as error:
            yield Rejected("accounts", str(error)[:300], sample_of(str(node)), slug)
            yield Coverage("accounts", slug, 1, 0, "damaged", str(error)[:300])
            continue
        ids[slug] = row[0]
        day.entities[row[0]] = row
        yield from _read_children(node, slug, api, day, reason)


def _read_children(node: dict, slug: str, api: "_Api", day: _Day, reason: str | None) -> Iterator[Item]:
    """The children that came with an account, and the coverage of both."""
    children = node.get("childrenAccounts") if isinstance(node.get("childrenAccounts"), dict) else {}
    nodes, total = _nodes(children), children.get("totalCount")
    bad = 0
    for child in nodes if api.children else []:
        try:
            row = entity_row(child, slug)
        except ValueError as error:
            bad += 1
            yield Rejected("accounts", str(error)[:300], sample_of(str(child)), slug)
        else:
            day.entities.setdefault(row[0], row)
    if not api.children:
        yield Coverage("accounts", slug, 1, 1, "complete", reason)
    elif not isinstance(total, int):
        yield Coverage("accounts", slug, None, 1 + len(nodes) - bad, "damaged", reason or "no count of its children")
    else:
        whole = total == len(nodes) - bad
        status = "complete" if whole and not reason else "damaged"
        reason = reason or (None if whole else f"{len(nodes) - bad} of {total} children could be read")
        yield Coverage("accounts", slug, 1 + total, 1 + len(nodes) - bad, status, reason)


def _read_ledgers(ids: dict[str, str], window: Window, api: "_Api", day: _Day) -> Iterator[Item]:
    """The ledgers of up to BATCH accounts: first pages in one question, further ones account by account."""
    pages, problems = _first_pages(ids, window, api)
    for slug, account_id in ids.items():
        try:
            if slug not in pages:
                raise _Lost(problems[slug])
            again = _asker(ledger_query(1), {"a0": account_id} | _window(window, api), api)
            nodes = _read_all(pages[slug], again, PAGE, MOST_PAGES)
        except _Lost as lost:
            day.lost[slug] = str(lost)
            yield Coverage("transactions", slug, None, 0, "missing", str(lost))
            continue
        yield from _keep(nodes, slug, window, day, problems.get(slug))


def _first_pages(ids: dict[str, str], window: Window, api: "_Api") -> tuple[dict[str, Any], dict[str, str]]:
    """First pages by slug, and reasons by slug; a refused account is left out and the others are asked again."""
    pages: dict[str, Any] = {}
    problems: dict[str, str] = {}
    left, tries = list(ids), dict.fromkeys(ids, 2)
    while left:
        variables = {f"a{n}": ids[slug] for n, slug in enumerate(left)} | {"offset": 0} | _window(window, api)
        data, refused = api.ask(ledger_query(len(left)), variables)
        asked, left = left, []
        for n, slug in enumerate(asked):
            page, reason = (data or {}).get(f"t{n}"), refused.get(f"t{n}")
            if isinstance(page, dict):
                pages[slug] = page
                if reason:
                    problems[slug] = reason
            elif reason or data:
                problems[slug] = reason or "it was answered with null"
                tries[slug] = 0 if problems[slug].startswith(GONE) else tries[slug] - 1
                if tries[slug]:
                    left.append(slug)
            else:  # another one's error made the whole answer null
                left.append(slug)
    return pages, {slug: reason for slug, reason in problems.items() if slug in pages or not tries[slug]}


def _asker(query: str, variables: dict, api: "_Api") -> Callable[[int], Any]:
    """A function that gives the page at an offset."""

    def ask(offset: int) -> Any:
        data, refused = api.ask(query, variables | {"offset": offset})
        page = (data or {}).get("t0")
        if refused or not isinstance(page, dict):
            raise _Lost(refused.get("t0", "a page was answered with null"))
        return page

    return ask


def _read_all(page: Any, ask: Callable[[int], Any], limit: int, most_pages: int) -> list:
    """Every node of a paged list, by overlapping pages; distinct by id, in the order of the list.

    Raises:
        _Lost: it has no count, is too long, or changed each time that it was read.
    """
    for attempt in range(READS):
        page = ask(0) if attempt else page
        found: dict[str, Any] = {}
        total, start = _total(page), 0
        if total > most_pages * (limit - OVERLAP):
            raise _Lost(f"it has {total} rows, too many for {most_pages} pages of {limit}")
        while _total(page) == total:
            nodes = {_node_id(node) or f"#{start + n}": node for n, node in enumerate(_nodes(page))}
            moved = start and not found.keys() & nodes.keys()
            grew = nodes.keys() - found.keys()
            found |= nodes
            if moved or not grew or len(found) >= total:
                break
            start = max(len(found) - OVERLAP, start + 1)
            page = ask(start)
        if len(found) == total and _total(page) == total:
            return list(found.values())
    raise _Lost(f"{len(found)} distinct rows of {total} were answered, {READS} times")


def _keep(nodes: list, slug: str, window: Window, day: _Day, problem: str | None) -> Iterator[Item]:
    """Takes the rows of a ledger that are of the day, and yields what was wrong and its coverage."""
    kept = bad = 0
    absent: set[str] = set()
    for node in nodes:
        try:
            row = transaction_row(node, slug)
        except ValueError as error:
            bad += 1
            yield Rejected("transactions", str(error)[:300], sample_of(str(node)), slug)
            continue
        absent.update(name for name in ASKED if name not in node)
        created = row[TRANSACTIONS.schema.names.index("created_at")]
        if created.astimezone(UTC).date() != window.start:
            if created != _midnight(window.end):  # which comes along: both ends of a window are inclusive
                bad += 1
                yield Rejected("transactions", f"created at {created}, outside the day", sample_of(str(node)), slug)
            continue
        kept += 1
        day.transactions.setdefault(row[0], row)
    reasons = [f"{bad} rows rejected"] if bad else []
    reasons += [f"not answered: {', '.join(sorted(absent))}"] if absent else []
    reasons += [problem] if problem else []
    status = "damaged" if reasons else "complete"
    yield Coverage("transactions", slug, kept + bad, kept, status, "; ".join(reasons)[:300] or None)


def _read_matches(window: Window, api: "_Api", context: Context, known: set[str], slugs: set[str]) -> Iterator[Item]:
    """Accounts whose last transaction is of the day or the next and whose links name an artifact of the registry.

    The next day counts too, because a run reads a day when the next one has begun. This is a search beside the ledger:
    what it cannot read is in coverage and fails nothing.
    """
    variables = {"from": _stamp(window.start), "to": _stamp(window.end + timedelta(days=1)), "limit": PAGE}
    ask = _asker(MATCHES_QUERY, variables, api)
    try:
        nodes = _read_all(ask(0), ask, PAGE, MOST_MATCH_PAGES)
    except _Lost as lost:
        yield Coverage("matches", "links", None, 0, "missing", str(lost))
        return
    links = Links(tuple(a for a in context.listed if a.kind != "open_collective"))
    rows: list[tuple] = []
    bad = 0
    for node in nodes:
        try:
            found = list(links.match_rows(node))
        except ValueError as error:
            bad += 1
            yield Rejected("matches", str(error)[:300], sample_of(str(node)), "links")
            continue
        rows += [row for row in found if row[0] not in known and row[3].lower() not in slugs]
    yield from batches(MATCHES, sorted(rows, key=lambda row: str(row[0])))
    reason = f"{bad} accounts rejected" if bad else None
    yield Coverage("matches", "links", len(nodes), len(nodes) - bad, "damaged" if bad else "complete", reason)


class _Api:
    """Asks one question at a time, at the pace that the upstream allows."""

    def __init__(self, context: Context) -> None:
        parts = urlsplit(context.connection.urls[0])
        options = parse_qs(parts.query)
        self.url = parts._replace(query="").geturl()
        self.children = options.get("children", ["true"])[-1].lower() != "false"
        self.requests = 0
        self._http, self._token = context.http, context.connection.password
        if context.connection.login or parts.scheme == "file":
            raise FixNeeded(
                "open_collective: AIRFLOW_CONN_OPEN_COLLECTIVE must be an https:// address, a personal token as its "
                "password and no login: https://:TOKEN@api.opencollective.com/graphql/v2. Correct it in .env."
            )
        if self._token and not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise FixNeeded(
                "open_collective: the password of AIRFLOW_CONN_OPEN_COLLECTIVE is no token: odd characters. Fix it."
            )

    def ask(self, query: str, variables: dict) -> tuple[dict | None, dict[str, str]]:
        """The data of an answer (null if a required field failed), and the refusals by alias, 'Code: text'.

        Raises:
            RateLimited, Unavailable, BadCredentials, ContractBroken: the whole question was refused.
        """
        self.requests += 1
        # the token is no OAuth token, so it must not go out as a bearer
        headers = {"Personal-Token": self._token, "Authorization": None} if self._token else {}
        pace = PER_MINUTE_WITH_TOKEN if self._token else PER_MINUTE
        body = {"query": query, "variables": variables}
        value = self._http.json(self.url, body=body, headers=headers, accept=(400,), per_minute=pace).value
        if not isinstance(value, dict) or not ("data" in value or "errors" in value or "error" in value):
            raise ContractBroken(
                f"open_collective: {safe_url(self.url)} answers without data and errors, so it is no GraphQL API. "
                "Check the address of this source's connection; nothing was landed."
            )
        data = value.get("data") if isinstance(value.get("data"), dict) else None
        errors = value.get("errors") if isinstance(value.get("errors"), list) else []
        refused: dict[str, str] = {}
        for error in errors or ([value["error"]] if value.get("error") else []):
            code, text, path = self._said(error)
            if not path or f"  {path[0]}: " not in query:
                raise self._refusal(code, text)
            if data is None or MAY_HIDE.isdisjoint(map(str, path)):
                refused.setdefault(path[0], f"{code}: {text}")
        if data is None and not refused:
            raise self._refusal("NoData", "data is null and no error says why")
        return data, refused

    def _said(self, error: Any) -> tuple[str, str, list]:
        """Code, text without the token, and path of one error; no path if it is of the whole question."""
        error = error if isinstance(error, dict) else {"message": error}
        extensions, path = error.get("extensions"), error.get("path")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        text = " ".join(str(error.get("message")).split())
        if self._token:
            text = text.replace(self._token, "***")
        return str(code or "Error")[:50], text[:200], path if isinstance(path, list) else []

    def _refusal(self, code: str, text: str) -> Exception:
        said = f"open_collective: {safe_url(self.url)} refuses the question with {code}: {text}. "
        if code == "RateLimitExceeded":
            return RateLimited(said + "The task retries later; nothing was landed.")
        if code in ("Unauthorized", "Forbidden", "InvalidToken", "UNAUTHENTICATED"):
            return BadCredentials(said + "Make a new token (docs/runbooks/open_collective.md); nothing was landed.")
        if code in ("Error", "Unknown", "NoData", "INTERNAL_SERVER_ERROR", "InternalServerError", "Timeout"):
            return Unavailable(said + "The task retries; nothing was landed.")
        return ContractBroken(
            said + "Compare include/sources/_open_collective_parse.py with the API's schema; nothing was landed."
        )


def _window(window: Window, api: _Api) -> dict[str, Any]:
    return {"from": _stamp(window.start), "to": _stamp(window.end), "limit": PAGE, "children": api.children}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _stamp(day: date) -> str:
    return f"{day}T00:00:00.000Z"


def _nodes(page: dict) -> list:
    nodes = page.get("nodes")
    return nodes if isinstance(nodes, list) else []


def _total(page: dict) -> int:
    total = page.get("totalCount")
    if not isinstance(total, int) or isinstance(total, bool):
        raise _Lost("the answer has no totalCount, so that nothing tells whether it is whole")
    return total


def _node_id(node: Any) -> str | None:
    found = node.get("id") if isinstance(node, dict) else None
    return found if isinstance(found, str) else None


SOURCE = Source(
    name="open_collective",
    doc="Ledger rows of the registry's Open Collective accounts and their children, by day.",
    owner="funding",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=2),
    tier=2,
    window="day",
    restate_days=7,
    pool=Pool("open_collective", slots=1),
    connection="open_collective",
    default_urls=("https://api.opencollective.com/graphql/v2",),
    streams=(TRANSACTIONS, ACCOUNTS, MATCHES),
    fetch=fetch,
    reject_threshold=0.01,
    first_day=date(2015, 1, 23),
    first_day_reason="the ledger begins on 2015-01-23",
    lists=("open_collective", "github_repo", "github_owner", "website"),
    runbook="docs/runbooks/open_collective.md",
    licence="Open Collective Terms of Service; public ledger",
    docs_url="https://docs.opencollective.com/help/developers/api",
)
