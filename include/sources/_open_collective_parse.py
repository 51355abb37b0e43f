"""What we ask Open Collective, and its answers as rows.

The questions are checked against the API's public SDL by the tests. Names, e-mails and free text of people are not
asked for. Limits of one question (server/routes.ts, 2026-08): 1,500 tokens, 100 aliases, depth 20.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from include.sources._directory_identity import identify, website
from include.sources.base import Listed

BATCH = 20  # accounts of one question; 20 ask 1,235 tokens of 1,500
TYPES = "[COLLECTIVE, FUND, PROJECT, ORGANIZATION]"  # that may be a project's; people are not looked at

_ENTITY = """
fragment Entity on Account {
  id legacyId publicId slug type name currency createdAt updatedAt isArchived isHost
  socialLinks { type url }
  ... on AccountWithParent { parent { id slug } }
  ... on AccountWithHost { host { id slug } }
}"""
_LEDGER = """
fragment Ledger on TransactionCollection {
  totalCount
  nodes {
    id legacyId publicId group type kind isRefund isRefunded createdAt updatedAt clearedAt hostCurrencyFxRate
    amount { ...Money } amountInHostCurrency { ...Money } netAmount { ...Money } netAmountInHostCurrency { ...Money }
    hostFee { ...Money } platformFee { ...Money } paymentProcessorFee { ...Money } taxAmount { ...Money }
    account { ...Side } oppositeAccount { ...Side } host { ...Side }
    refundTransaction { id } order { id } expense { id }
  }
}
fragment Money on Amount { valueInCents currency }
fragment Side on Account { id slug type }"""
MONEY = (
    *("amount", "amountInHostCurrency", "netAmount", "netAmountInHostCurrency"),
    *("hostFee", "platformFee", "paymentProcessorFee", "taxAmount"),
)
ASKED = (
    *("id", "legacyId", "publicId", "group", "type", "kind", "isRefund", "isRefunded"),
    *("createdAt", "updatedAt", "clearedAt", "hostCurrencyFxRate", *MONEY),
    *("account", "oppositeAccount", "host", "refundTransaction", "order", "expense"),
)
MATCHES_QUERY = (
    "query ($from: DateTime, $to: DateTime, $limit: Int!, $offset: Int!) {\n"
    f"  t0: accounts(type: {TYPES}, lastTransactionFrom: $from, lastTransactionTo: $to, limit: $limit, "
    "offset: $offset, orderBy: { field: CREATED_AT, direction: ASC }) { totalCount nodes { ...Entity } }\n}" + _ENTITY
)


def accounts_query(count: int) -> str:
    """The question for `count` accounts by slug ($s0, …) with their children; aliases a0, …."""
    names = ", ".join(f"$s{n}: String" for n in range(count))
    lines = [
        f"  a{n}: account(slug: $s{n}, throwIfMissing: false) "
        "{ ...Entity childrenAccounts(limit: $limit) { totalCount nodes { ...Entity } } }"
        for n in range(count)
    ]
    return f"query ({names}, $limit: Int!) {{\n" + "\n".join(lines) + "\n}" + _ENTITY


def ledger_query(count: int) -> str:
    """The question for the ledgers of `count` accounts by id ($a0, …) in a window; aliases t0, …."""
    names = ", ".join(f"$a{n}: String" for n in range(count))
    lines = [
        f"  t{n}: transactions(account: [{{ id: $a{n} }}], dateFrom: $from, dateTo: $to, limit: $limit, "
        "offset: $offset, includeChildrenTransactions: $children, "
        "orderBy: { field: CREATED_AT, direction: ASC }) { ...Ledger }"
        for n in range(count)
    ]
    given = "$from: DateTime, $to: DateTime, $limit: Int!, $offset: Int!, $children: Boolean!"
    return f"query ({names}, {given}) {{\n" + "\n".join(lines) + "\n}" + _LEDGER


Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class _Money(msgspec.Struct):
    valueInCents: int | float
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{2,10}$")]

    @property
    def cents(self) -> int:
        """Whole hundredths, half away from zero: the API sends a Float."""
        if not math.isfinite(self.valueInCents) or abs(self.valueInCents) >= 2**62:
            raise ValueError(f"the amount {self.valueInCents} is not usable")
        size = abs(self.valueInCents)
        return int(math.copysign(size if isinstance(size, int) else math.floor(size + 0.5), self.valueInCents))


class _Side(msgspec.Struct):
    id: Word
    slug: Word
    type: str | None = None


class _Id(msgspec.Struct):
    id: Word


class _Transaction(msgspec.Struct):
    id: Word
    type: Annotated[str, msgspec.Meta(pattern="^(CREDIT|DEBIT)$")]
    createdAt: Instant
    amount: _Money
    account: _Side
    group: str | None = None
    legacyId: int | None = None
    publicId: str | None = None
    kind: str | None = None
    isRefund: bool | None = None
    isRefunded: bool | None = None
    updatedAt: Instant | None = None
    clearedAt: Instant | None = None
    hostCurrencyFxRate: float | None = None
    amountInHostCurrency: _Money | None = None
    netAmount: _Money | None = None
    netAmountInHostCurrency: _Money | None = None
    hostFee: _Money | None = None
    platformFee: _Money | None = None
    paymentProcessorFee: _Money | None = None
    taxAmount: _Money | None = None
    oppositeAccount: _Side | None = None
    host: _Side | None = None
    refundTransaction: _Id | None = None
    order: _Id | None = None
    expense: _Id | None = None


class _Entity(msgspec.Struct):
    id: Word
    slug: Word
    type: str
    legacyId: int | None = None
    publicId: str | None = None
    name: str | None = None
    currency: str | None = None
    createdAt: Instant | None = None
    updatedAt: Instant | None = None
    isArchived: bool | None = None
    isHost: bool | None = None
    parent: _Side | None = None
    host: _Side | None = None


def transaction_row(node: Any, asked_slug: str) -> tuple:
    """One row of the transactions stream.

    Raises:
        ValueError: the node is not a transaction that can be counted; the text names the field.
    """
    if not isinstance(node, dict):
        raise ValueError("the entry is null")
    t = _converted(node, _Transaction)
    money = [
        cell for m in (getattr(t, name) for name in MONEY) for cell in ((m.cents, m.currency) if m else (None,) * 2)
    ]
    return (
        *(t.id, t.legacyId, t.publicId, t.group, t.type, t.kind, t.isRefund, t.isRefunded),
        t.refundTransaction.id if t.refundTransaction else None,
        *(t.createdAt, t.updatedAt, t.clearedAt, *money, t.hostCurrencyFxRate),
        *(t.account.id, t.account.slug, t.account.type, *_side(t.oppositeAccount), *_side(t.host)[:2]),
        t.order.id if t.order else None,
        t.expense.id if t.expense else None,
        asked_slug,
        _json(node),
    )


def entity_row(node: Any, listed_slug: str) -> tuple:
    """One row of the accounts stream: an account of the registry or a child of it.

    Raises:
        ValueError: the node names no account.
    """
    e = _converted(node, _Entity)
    return (
        *(e.id, e.legacyId, e.publicId, e.slug, e.type, e.name, e.currency, e.createdAt, e.updatedAt),
        *(e.isArchived, e.isHost, *_side(e.parent)[:2], *_side(e.host)[:2], listed_slug, _json(node)),
    )


class Links:
    """The registry's repositories, owners and websites, to look up what an account links to."""

    def __init__(self, listed: tuple[Listed, ...]) -> None:
        self._projects: dict[tuple[str, str], list[str]] = {}
        for artifact in listed:
            self._projects.setdefault((artifact.kind, artifact.identity), []).append(artifact.project)

    def match_rows(self, node: Any) -> Iterator[tuple]:
        """Rows of the matches stream for an account, one per artifact and project; none if it links to nothing listed.

        Raises:
            ValueError: the node names no account.
        """
        e = _converted(node, _Entity)
        seen = set()
        for kind, url in _social_links(node):
            for artifact in _artifacts_of(url):
                for project in self._projects.get(artifact, []):
                    if (*artifact, project) not in seen:
                        seen.add((*artifact, project))
                        yield (
                            e.id,
                            e.legacyId,
                            e.publicId,
                            e.slug,
                            e.type,
                            project,
                            *artifact,
                            kind,
                            url[:500],
                            "matched",
                        )


def _social_links(node: dict) -> Iterator[tuple[str, str]]:
    links = node.get("socialLinks")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and isinstance(link.get("url"), str) and isinstance(link.get("type"), str):
            yield link["type"], link["url"]


def _artifacts_of(url: str) -> Iterator[tuple[str, str]]:
    """What of the registry an address may name: the repository, its owner, the site."""
    found = identify("github", url)
    if found.reason is None:
        yield found.kind, found.identity
        if found.kind == "github_repo":
            yield "github_owner", found.identity.partition("/")[0]
    elif (site := website(url)).reason is None:
        yield site.kind, site.identity


def _converted(node: Any, kind: type) -> Any:
    try:
        return msgspec.convert(node, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _side(side: _Side | None) -> tuple:
    return (side.id, side.slug, side.type) if side else (None, None, None)


def _json(node: Any) -> str:
    return msgspec.json.encode(node).decode()
