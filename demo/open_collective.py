"""Open Collective's GraphQL API v2 over made-up ledgers, with its limits, defaults and surprises.

Both ends of a window are inclusive, lists are newest first, deleted rows are hidden, children are left out by default,
amounts are Floats in hundredths whatever the currency, old rows have no kind and carry their fees themselves.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache, partial
from random import Random
from typing import Any

from demo.graphql import Refused, execute, parse
from demo.world import FIRST_DAY, LAST_DAY, SEED

PATH = "/open-collective/graphql/v2"
MOST_TOKENS, MOST_ALIASES, LONGEST_PAGE = 1500, 100, 10_000
FEES_HAVE_ROWS_SINCE = date(2025, 5, 16)  # before, a row carries its fees and has no kind
DRIVE = date(2025, 6, 20)  # steady-hands gets 700 gifts on one day
HOSTS = {"USD": "open-haven", "EUR": "haven-europe"}
LISTED = {  # slug: (currency, currency of its host, project and address as a person typed it)
    "brindle": ("USD", "USD", {"brindle": "https://opencollective.com/Brindle"}),
    "vexel-fund": ("EUR", "EUR", {"vexel": "https://opencollective.com/vexel-fund/"}),
    "harbor": ("GBP", "USD", {"harbor-core": "opencollective.com/harbor"}),
    "tidewater": ("JPY", "EUR", {"tidewater": "https://opencollective.com/tidewater"}),
    "reefhub": ("USD", "USD", {"mirrorfish": "https://opencollective.com/reefhub", "coralnet": "https://www.opencollective.com/reefhub"}),
    "sprout": ("USD", "USD", {"sprout": "https://opencollective.com/sprout"}),
    "steady-hands": ("USD", "USD", {"steady": "https://opencollective.com/steady-hands"}),
    "copyhall": ("EUR", "USD", {"copyhall": "https://opencollective.com/copyhall#section-contribute"}),
    "twinstar": ("USD", "USD", {"castor-twin": "https://opencollective.com/twinstar"}),
    "pollux": ("USD", "USD", {"pollux-twin": "https://opencollective.com/pollux"}),  # no money ever
}  # fmt: skip
GONE = {"ghost-ship-fund": {"ghost-ship": "https://opencollective.com/ghost-ship-fund"}}
CHILDREN = {"brindle-meetup": ("brindle", "EVENT"), "steady-docs": ("steady-hands", "PROJECT")}
UNLISTED = {  # slug: links
    "pressroom-friends": [("GITHUB", "https://github.com/Pressroom/reprint")],
    "fadeout-fans": [
        ("WEBSITE", "https://paper-only.example/"),
        ("GITHUB", "https://github.com/fadeout/echo/tree/main"),
    ],
    "knitting-circle": [("WEBSITE", "https://knitting.example"), ("GITHUB", "https://github.com/knitting/wool")],
}
FX = {("USD", "USD"): 1.0, ("EUR", "EUR"): 1.0, ("GBP", "USD"): 1.25, ("JPY", "EUR"): 0.00625, ("EUR", "USD"): 1.125}


def urls() -> dict[str, list[str]]:
    """Addresses of collectives by the project that lists them."""
    found: dict[str, list[str]] = {}
    for projects in (*(given[2] for given in LISTED.values()), *GONE.values()):
        for project, url in projects.items():
            found.setdefault(project, []).append(url)
    return found


def account(slug: str, kind: str = "COLLECTIVE", currency: str = "USD", *, host: str | None = None, parent: dict | None = None, links: Iterable[tuple[str, str]] = ()) -> dict:  # fmt: skip
    """An account as the API shows it."""
    number = int(hashlib.sha256(slug.encode()).hexdigest()[:7], 16)
    types = {"Account", kind.title()} | ({"AccountWithParent"} if parent else set())
    return {
        "__types": types | ({"AccountWithHost"} if host else set()),
        "id": _id("account", slug), "legacyId": number, "publicId": f"acc_{number:07x}", "slug": slug, "type": kind,
        "name": slug.replace("-", " ").title(), "currency": currency, "createdAt": "2019-03-01T09:00:00.000Z",
        "updatedAt": "2025-04-01T09:00:00.000Z", "isArchived": False, "isHost": False, "parent": parent,
        "host": {"id": _id("account", host), "slug": host, "type": "ORGANIZATION"} if host else None,
        "socialLinks": [{"type": kind, "url": url} for kind, url in links],
    }  # fmt: skip


def transaction(
    number: int, of: dict, other: dict | None, cents: float, at: str, kind: str | None = "CONTRIBUTION", **more: Any
) -> dict:
    """A ledger row of account `of` as the API shows it: a CREDIT, or a DEBIT if `cents` is negative.

    `rate` converts into `host_currency`; `fees` are (host, platform, payment processor) in the host's currency.
    """
    rate, host_currency, fees = more.pop("rate", 1.0), more.pop("host_currency", of["currency"]), more.pop("fees", None)
    net = cents * rate + sum(fees or ())

    def money(amount: float | None, currency: str) -> dict | None:
        return None if amount is None else {"valueInCents": amount, "value": amount / 100, "currency": currency}

    row = {
        "id": _id("transaction", str(number)), "legacyId": number, "publicId": f"tx_{number:07x}",
        "group": _id("group", str(number // 10)), "type": "DEBIT" if cents < 0 else "CREDIT", "kind": kind,
        "isRefund": False, "isRefunded": False, "createdAt": at, "updatedAt": at, "clearedAt": None,
        "hostCurrencyFxRate": rate, "amount": money(cents, of["currency"]),
        "amountInHostCurrency": money(round(cents * rate), host_currency),
        "netAmount": money(net / rate, of["currency"]), "netAmountInHostCurrency": money(round(net), host_currency),
        "hostFee": money(fees[0] if fees else 0, host_currency), "platformFee": money(fees[1] if fees else 0, host_currency),
        "paymentProcessorFee": money(fees[2] if fees else 0, host_currency), "taxAmount": money(0, of["currency"]),
        "account": of, "oppositeAccount": other, "host": of["host"], "refundTransaction": None,
        "order": {"id": _id("order", str(number // 10))} if kind in (None, "CONTRIBUTION") else None,
        "expense": {"id": _id("expense", str(number // 10))} if kind == "EXPENSE" else None,
        "deleted": False,
    }  # fmt: skip
    return row | more


def _id(kind: str, key: str) -> str:
    text = hashlib.sha256(f"{kind}/{key}".encode()).hexdigest()
    return "-".join(text[n : n + 8] for n in range(0, 32, 8))


@dataclass
class Api:
    """The API over accounts and ledger rows; change the lists to let the upstream change."""

    accounts: list[dict] = field(default_factory=list)
    transactions: list[dict] = field(default_factory=list)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Status and JSON body of the answer to a question."""
        try:
            asked = json.loads(body)
            question = parse(asked["query"], asked.get("variables"), MOST_TOKENS)
            if sum(f.alias is not None for f in question.fields(question.operation.selection_set)) > MOST_ALIASES:
                raise Refused("GRAPHQL_VALIDATION_FAILED", "Syntax Error: Alias limit exceeded.")
            root = {"account": self.account, "accounts": self.search, "transactions": self.ledger}
            data, errors = execute(question, root, {"accounts", "transactions"})
        except (ValueError, KeyError, TypeError, Refused) as error:
            code = getattr(error, "code", "BAD_REQUEST")
            return 400, json.dumps({"errors": [{"message": str(error), "extensions": {"code": code}}]}).encode()
        told = [{"message": str(e), "path": path, "extensions": {"code": e.code}} for path, e in errors]
        return 200, json.dumps({"data": data} | ({"errors": told} if told else {})).encode()

    def account(self, id: str | None = None, slug: str | None = None, throwIfMissing: bool = True) -> dict | None:
        """Query.account"""
        for one in self.accounts:
            if one["id"] == id or one["slug"] == (slug or "").lower():
                return one | {"childrenAccounts": partial(self._children, one)}
        if throwIfMissing:
            raise Refused("NotFound", f"No account found with slug {slug}")
        return None

    def _children(self, parent: dict, limit: int = 100, offset: int = 0) -> dict:
        found = [a for a in self.accounts if a["parent"] and a["parent"]["id"] == parent["id"]]
        return {"totalCount": len(found), "nodes": found[offset : offset + limit]}

    def search(self, type=None, lastTransactionFrom=None, lastTransactionTo=None, limit=10, offset=0, orderBy=None):
        """Query.accounts"""
        last: dict[str, str] = {}
        for t in self.transactions:
            if not t["deleted"]:
                last[t["account"]["id"]] = max(last.get(t["account"]["id"], ""), t["createdAt"])
        found = [
            a
            for a in self.accounts
            if (type is None or a["type"] in type)
            and (lastTransactionFrom or "") <= last.get(a["id"], "") <= (lastTransactionTo or "~")
        ]
        return {"totalCount": len(found), "nodes": found[offset : offset + limit]}

    def ledger(
        self,
        account=(),
        limit=100,
        offset=0,
        dateFrom=None,
        dateTo=None,
        orderBy=None,
        includeChildrenTransactions=False,
    ):
        """Query.transactions"""
        if limit > LONGEST_PAGE:
            raise Refused("BadRequest", "Cannot fetch more than 10,000 transactions at the same time.")
        wanted = {self.account(**reference)["id"] for reference in account}
        if includeChildrenTransactions:
            wanted |= {a["id"] for a in self.accounts if a["parent"] and a["parent"]["id"] in wanted}
        found = [
            t
            for t in self.transactions
            if not t["deleted"]
            and t["account"]["id"] in wanted
            and (dateFrom or "") <= t["createdAt"] <= (dateTo or "~")
        ]
        newest_first = (orderBy or {}).get("direction", "DESC") == "DESC"
        found.sort(key=lambda t: (t["createdAt"], t["kind"] or ""), reverse=newest_first)
        return {"totalCount": len(found), "nodes": found[offset : offset + limit]}


class _Books:
    """Writes the ledgers of the demo's world."""

    def __init__(self, seed: int) -> None:
        self.seed, self.number = seed, 100_000
        self.api = Api()
        self.by_slug: dict[str, dict] = {}
        for currency, slug in HOSTS.items():
            self._open(account(slug, "ORGANIZATION", currency))
        for n in range(60):
            self._open(account(f"giver-{n}", "INDIVIDUAL" if n % 6 else "ORGANIZATION"))
        for slug, (currency, host_currency, _) in LISTED.items():
            self._open(account(slug, currency=currency, host=HOSTS[host_currency]))
        for slug, (parent, kind) in CHILDREN.items():
            above = {key: self.by_slug[parent][key] for key in ("id", "slug", "type")}
            self._open(account(slug, kind, host=HOSTS["USD"], parent=above))
        for slug, links in UNLISTED.items():
            self._open(account(slug, host=HOSTS["USD"], links=links))
        for slug in [*LISTED, *CHILDREN, *UNLISTED]:
            self._years(slug)

    def _open(self, one: dict) -> None:
        self.by_slug[one["slug"]] = one
        self.api.accounts.append(one)

    def _years(self, slug: str) -> None:
        r = Random(f"{self.seed}/{slug}")
        for n in range((LAST_DAY - FIRST_DAY).days + 1 if slug != "pollux" else 0):
            day = FIRST_DAY + timedelta(days=n)
            for gift in range(700 if (slug, day) == ("steady-hands", DRIVE) else r.choice((0, 0, 1, 1, 2, 4))):
                self._gift(slug, day, r, midnight=slug == "brindle" and day.day == 9 and gift == 0)
            if r.random() < 0.1:
                self._spend(slug, day, r)
            if r.random() < 0.03:
                self._row(slug, self.by_slug[HOSTS["USD"]], r.randint(50_000, 900_000), _at(day, r), "ADDED_FUNDS")
            if r.random() < 0.02:
                self._row(slug, None, -r.randint(100, 9_000), _at(day, r), "BALANCE_TRANSFER")
        if slug in UNLISTED:
            self._row(slug, self.by_slug["giver-1"], 5_000, f"{LAST_DAY}T23:59:59.999Z", "CONTRIBUTION")
        if slug == "steady-docs":
            self._gift("steady-hands", FIRST_DAY + timedelta(days=60), r, giver="steady-docs")

    def _row(self, slug: str, other: dict | None, cents: float, at: str, kind: str | None, **more: Any) -> dict:
        of = self.by_slug[slug]
        host_currency = next(
            (c for c, host in HOSTS.items() if of["host"] and of["host"]["slug"] == host), of["currency"]
        )
        rate = FX.get((of["currency"], host_currency), 1.0)
        row = transaction(self.number, of, other, cents, at, kind, rate=rate, host_currency=host_currency, **more)
        self.number += 1
        self.api.transactions.append(row)
        return row

    def _gift(self, slug: str, day: date, r: Random, *, midnight: bool = False, giver: str | None = None) -> None:
        """A contribution: both sides, its fees, and sometimes its refund or its deletion."""
        self.number += -self.number % 10
        of, other = self.by_slug[slug], self.by_slug[giver or f"giver-{r.randrange(60)}"]
        at = f"{day}T00:00:00.000Z" if midnight else _at(day, r)
        cents = 100 * r.choice((2, 5, 10, 10, 25, 100)) * (100 if of["currency"] == "JPY" else 1)
        deleted = r.random() < 0.15
        if day < FEES_HAVE_ROWS_SINCE:
            fees = (-round(cents * 0.05), -round(cents * 0.05), -30)
            rows = [self._row(slug, other, cents, at, None, fees=fees)]
        else:
            noise = 0.0000000002 if r.random() < 0.1 else 0
            rows = [self._row(slug, other if r.random() > 0.03 else None, cents + noise, at, "CONTRIBUTION")]
            rows.append(self._row(slug, self.by_slug[HOSTS["USD"]], -cents // 10, at, "HOST_FEE"))
            rows.append(self._row(slug, None, -30 - cents // 40, at, "PAYMENT_PROCESSOR_FEE"))
        rows.append(self._row(other["slug"], of, -cents, at, rows[0]["kind"]))
        if day >= FEES_HAVE_ROWS_SINCE and r.random() < 0.05:
            later = min(day + timedelta(days=2), LAST_DAY)
            self.number += -self.number % 10
            refund = {"isRefund": True, "refundTransaction": {"id": rows[0]["id"]}}
            back = self._row(slug, other, -cents, _at(later, r), "CONTRIBUTION", **refund)
            rows[0] |= {"isRefunded": True, "refundTransaction": {"id": back["id"]}}
            rows.append(back)
        for row in rows:
            row["deleted"] = deleted

    def _spend(self, slug: str, day: date, r: Random) -> None:
        self.number += -self.number % 10
        payee, cents, at = self.by_slug[f"giver-{r.randrange(60)}"], 100 * r.randint(20, 400), _at(day, r)
        kind = "EXPENSE" if day >= FEES_HAVE_ROWS_SINCE else None
        row = self._row(slug, payee, -cents, at, kind)
        row["expense"], row["order"] = {"id": _id("expense", str(self.number))}, None
        if r.random() < 0.1:
            self._row(slug, payee, cents, at, "EXPENSE", isRefund=True, refundTransaction={"id": row["id"]})


def _at(day: date, r: Random) -> str:
    return f"{day}T{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{r.randrange(1000):03}Z"


@lru_cache(maxsize=2)
def api(seed: int = SEED) -> Api:
    """The API of the world of that seed, built once."""
    return _Books(seed).api
