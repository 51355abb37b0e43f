"""The published numbers of npm, deps.dev, Open Collective, the chains and GitHub's counts by brute force.

They follow from the definitions of the catalogue. `Others` answers for a landing of some days of each source of the
made-up world, the chains' from their two nodes and BigQuery's tables, of npm's documents as read on one day, and of
snapshots of GitHub's counts. Counting is by lists and sets, one window at a time; nothing is shared with the models.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from statistics import median

import pyarrow.compute as pc

from demo import bigquery, chain, ecb, npm, open_collective
from demo.github_api import GitHub
from demo.oracle import KeyRow, entity_id, windows
from demo.oracle.coverage import grade, span
from demo.oracle.entities import listed, ownership, tracked
from demo.oracle.events import nid
from demo.oracle.windows import ALL_TIME, CALENDAR, EVERY, NOT_DAILY, ROLLING, Window
from demo.world import SEED, world

ONE = timedelta(days=1)
TARGET_TAGS, NO_TARGET_TAGS = {"contract", "proxy", "factory", "bridge"}, {"eoa", "wallet", "safe", "deployer"}
CREATOR_TAGS = {"deployer", "eoa", "creator", "factory"}
TOLD_AS = {"mainnet": "mainnet", "optimism": "op", "base": "base"}  # BigQuery's name of a network
SUPERCHAIN = "demo-project.optimism_superchain_raw_onchain_data"
Artifact = tuple[str, str]  # source, source id
Days = tuple[date, date]  # the first and the last that landed
SeriesKey = tuple[str, str, str, str, str, date]  # level, entity id, source, metric, window word, sample date


@dataclass(frozen=True, slots=True)
class Fact:
    """One event: what happened to which artifact. An amount of None is unknown."""

    type: str
    artifact: Artifact
    day: date
    amount: Fraction | None
    who: str | None = None
    stable: bool = True
    by: str | None = None  # hash of the transaction


@dataclass(frozen=True, slots=True)
class Metric:
    """`value` gives amount and number of cases of a window's facts; class S has a row where there is a case.

    An amount of None is a ratio or median without any case, or a stock (class K) that no snapshot tells.
    """

    name: str
    families: tuple[str, ...]
    value: Callable[["View"], tuple[Fraction | None, int]]
    words: tuple[str, ...] = EVERY
    kind: str = "N"
    first_ever: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Facts of a window and all of the entity's up to its end."""

    facts: list[Fact]
    past: list[Fact]
    start: date


# facts of the world


def npm_facts(first: date, last: date, read_on: date) -> Iterator[Fact]:
    """Downloads of the days that npm did not lose, and every version ever published."""
    for package in npm.PACKAGES:
        for day in span(first, last) if package.usual is not None else ():
            if not npm_lost(package.name, day):
                count = Fraction(npm.count(package.name, day))
                yield Fact("PACKAGE_DOWNLOADED", ("NPM", package.name), day, count)
        for version, day in package.versions:
            published = date.fromisoformat(day)
            if published < read_on:
                yield Fact(
                    "PACKAGE_VERSION_PUBLISHED", ("NPM", package.name), published, Fraction(1), None, "-" not in version
                )


def npm_lost(name: str, day: date) -> bool:
    """Whether the day is a hole of this package, by 1.3 of the catalogue."""
    if day == npm.ABSENT:
        return True
    before = [d for d in (day - n * ONE for n in range(1, 29)) if d != npm.ABSENT]
    if npm.total(day) < 0.2 * median(npm.total(d) for d in before):
        return True
    busy = {p.name: median(npm.count(p.name, d) for d in before) for p in npm.PACKAGES if p.usual is not None}
    watched = [n for n, usual in busy.items() if usual >= 100]
    if len(watched) >= 3 and not any(npm.count(n, day) for n in watched):
        return True
    return npm.count(name, day) == 0 and busy[name] >= 1000


def usd(money: dict, host_money: dict | None, day: date) -> Fraction | None:
    """USD by 2.5 of the catalogue, rounded to cents half up; None without a rate."""
    cents = abs(round(money["valueInCents"]))
    if money["currency"] == "USD":
        return Fraction(cents, 100)
    if host_money and host_money["currency"] == "USD":
        return Fraction(abs(round(host_money["valueInCents"])), 100)
    quoted = next((d for d in (day - n * ONE for n in range(8)) if ecb.rate("USD", d)), None)
    per_euro = "1" if money["currency"] == "EUR" else quoted and ecb.rate(money["currency"], quoted)
    if not quoted or not per_euro:
        return None
    exact = cents * Fraction(ecb.rate("USD", quoted)) / Fraction(per_euro)
    return Fraction(math.floor(exact + Fraction(1, 2)), 100)


def ledger_facts(first: date, last: date) -> Iterator[Fact]:
    """What the accounts' own rows tell."""
    own = {*open_collective.LISTED, *open_collective.CHILDREN}
    for row in open_collective.api().transactions:
        slug, day = row["account"]["slug"], datetime.fromisoformat(row["createdAt"]).date()
        if slug not in own or row["deleted"] or not first <= day <= last:
            continue
        kind = row["kind"] or ("CONTRIBUTION" if row["order"] else "EXPENSE" if row["expense"] else None)
        credit, back = row["type"] == "CREDIT", row["isRefund"]
        who = row["oppositeAccount"] and row["oppositeAccount"]["slug"]
        amount = usd(row["amount"], row["amountInHostCurrency"], day)

        def fact(type: str, sign: int, money: Fraction | None, slug=slug, day=day, who=who) -> Fact:
            return Fact(type, ("OPEN_COLLECTIVE", slug), day, None if money is None else sign * money, who)

        if kind in ("CONTRIBUTION", "ADDED_FUNDS") and credit != back:
            yield fact("CREDIT", 1 if credit else -1, amount)
            for name in ("hostFee", "platformFee", "paymentProcessorFee", "taxAmount") if credit else ():
                if row[name]["valueInCents"]:
                    yield fact("FEE", 1, usd(row[name], None, day))
        elif kind == "CONTRIBUTION" and not credit:
            yield fact("DEBIT", 1, usd(row["netAmount"], row["netAmountInHostCurrency"], day))
        elif kind == "EXPENSE" and credit == back:
            yield fact("DEBIT", -1 if credit else 1, amount)
        elif kind in ("HOST_FEE", "PAYMENT_PROCESSOR_FEE", "PLATFORM_FEE", "TAX"):
            yield fact("FEE", -1 if credit else 1, amount)


def chain_listings(networks: Iterable[str]) -> Iterator[tuple[str, str, str, set[str]]]:
    """(project, network, address, tags); a network that somebody names for an address beats any_evm."""
    named = [
        (project, network, address.lower(), set(tags))
        for project, entries in chain.LISTED.items()
        for address, tags, where in entries
        for network in where
    ]
    yield from named
    for network in networks:
        if not any(n == network and a == chain.CORAL for _, n, a, _ in named):
            yield "coralnet", network, chain.CORAL, {"contract"}


@dataclass
class Chains:
    """The facts of the chains and whose each contract is; networks[mainnet] alone tells traces."""

    facts: list[Fact]
    owners: dict[Artifact, set[str]]


def sent_on(network: str, first: date, last: date, tables: bool) -> Iterator[tuple[date, chain.Sent, bool]]:
    """Day and transaction, and whether its traces are told: mainnet's node alone tells them."""
    for day in span(first, last) if network in chain.CHAIN_IDS else ():
        for number in chain.numbers(network, day):
            for sent in chain.transactions(network, number):
                yield day, sent, network == "mainnet"
    if not tables:
        return
    name = "bigquery-public-data.crypto_ethereum" if network == "mainnet" else SUPERCHAIN
    told = bigquery.tables()(f"{name}.transactions")
    rows = told.filter((pc.field("dt") >= first) & (pc.field("dt") <= last) & (pc.field("chain") == TOLD_AS[network]))
    for row in rows.to_pylist():
        sent = chain.Sent(
            row["hash"],
            row["from_address"],
            row["to_address"],
            row["receipt_status"],
            row["transaction_type"],
            row["receipt_gas_used"],
            row["receipt_effective_gas_price"],
            row["receipt_l1_fee"] or 0,
            created=row["receipt_contract_address"],
            is_system=row["from_address"] == bigquery.SYSTEM,
        )
        yield row["dt"], sent, False


def chain_facts(first: date, last: date, tables: bool = False) -> Chains:
    """What blocks of the days do to contracts that are listed, or made by listed addresses."""
    facts: list[Fact] = []
    owners: dict[Artifact, set[str]] = {}
    networks = tuple(TOLD_AS) if tables else tuple(chain.CHAIN_IDS)
    for network in networks:
        source = network.upper()
        targets: set[str] = set()
        creators: dict[str, set[str]] = {}
        for project, where, address, tags in chain_listings(networks):
            if where == network:
                owners.setdefault((source, address), set()).add(project)
                if tags & TARGET_TAGS and not tags & NO_TARGET_TAGS:
                    targets.add(address)
                if tags & CREATOR_TAGS:
                    creators.setdefault(address, set()).add(project)
        for day, sent, traced in sent_on(network, first, last, tables):
            for address, maker in _made(sent, traced):
                if maker in creators:
                    targets.add(address)
                    owners.setdefault((source, address), set()).update(creators[maker])
                    facts.append(Fact("CONTRACT_DEPLOYED", (source, address), day, Fraction(1), sent.sender))
            facts += _uses(sent, source, targets, day, traced)
    return Chains(facts, owners)


def _made(sent: chain.Sent, traced: bool) -> list[tuple[str, str]]:
    """(contract, maker) of what a transaction made."""
    found = [(sent.created, sent.sender)] if sent.to is None and sent.created and sent.status else []
    if traced and sent.status:
        lost = [one.path for one in sent.inside if one.error]
        found += [
            (one.to, one.sender)
            for one in sent.inside
            if one.kind.startswith("create") and not any(one.path[: len(p)] == p for p in lost)
        ]
    return found


def _uses(sent: chain.Sent, source: str, targets: set[str], day: date, traced: bool) -> Iterator[Fact]:
    """What a transaction does to the targets."""
    if sent.is_system:
        return
    fee = 0 if sent.kind == 0x7E else sent.gas * sent.price + sent.l1_fee
    if sent.to in targets:
        kind = "CONTRACT_INVOCATION" if sent.status else "TRANSACTION_FAILED"
        yield Fact(kind, (source, sent.to), day, Fraction(1), sent.sender)
        yield Fact("TRANSACTION_FEE", (source, sent.to), day, Fraction(fee, 10**18), sent.sender)
    lost = [one.path for one in sent.inside if one.error]
    called = {
        one.to
        for one in sent.inside
        if traced
        and sent.status
        and one.kind in ("call", "callcode", "delegatecall")
        and not any(one.path[: len(p)] == p for p in lost)
    }
    for address in called & targets - {sent.to}:
        yield Fact("CONTRACT_INTERNAL_INVOCATION", (source, address), day, Fraction(1), sent.sender)
    for address in (called | {sent.to}) & targets:
        yield Fact("FEE_PAID", (source, address), day, Fraction(fee, 10**18), sent.sender, by=sent.hash)
    if not traced:
        return
    for address, wei in _fee_shares(sent, fee).items():
        if address in targets:
            yield Fact("FEE_SHARE", (source, address), day, Fraction(wei, 10**18), sent.sender)


def _fee_shares(sent: chain.Sent, fee: int) -> dict[str | None, int]:
    """Wei by address: for its own gas, rounded down, and the rest, what no address used too, to the called one."""
    root = sent.to or sent.created
    if not sent.status:
        return {sent.to: fee}
    own: Counter[str | None] = Counter()
    for path, to, gas in [((), root, sent.gas), *((one.path, one.to, one.gas) for one in sent.inside)]:
        own[to] += max(0, gas - sum(one.gas for one in sent.inside if one.path and one.path[:-1] == path))
    found = {to: fee * gas // sum(own.values()) for to, gas in own.items() if to and to != root}
    return found | {root: fee - sum(found.values())}


Counts = dict[str, int | None]


def counts_now(github: GitHub) -> dict[int, Counts]:
    """Counts of each repository that the stand-in of GitHub's API shows now, by metric; None is not told."""
    return {
        number: {
            "stars_total": shelf.repository["stargazerCount"],
            "forks_total": shelf.repository["forkCount"],
            "watchers_total": number % 40,
            "open_issues_total": sum(issue["state"] == "OPEN" for issue in shelf.issues),
        }
        for number, shelf in github.shelves.items()
        if shelf.repository["nameWithOwner"].lower() not in github.blocked | github.broken
    }


def count_facts(snapshots: Mapping[date, Mapping[int, Counts]]) -> Iterator[Fact]:
    """What each snapshot of GitHub's repositories counted."""
    for day, counted in snapshots.items():
        for number, counts in counted.items():
            for name, amount in counts.items():
                if amount is not None:
                    yield Fact(name, ("GITHUB", f"repo:{number}"), day, Fraction(amount))


def dependent_facts(first: date, last: date) -> Iterator[Fact]:
    """Who depends on the packages at deps.dev's snapshots of the days, by its whole table, and who was asked for."""
    for day in bigquery.snapshot_days():
        if first <= day <= last:
            for package in npm.PACKAGES:
                yield Fact("ASKED", ("NPM", package.name), day, Fraction(0))
    for row in bigquery.dependents(SEED).to_pylist():
        day = row["SnapshotAt"].date()
        is_direct = row["MinimumDepth"] == 1 and row["DependentIsHighestReleaseWithResolution"]
        if row["System"] == "NPM" and is_direct and first <= day <= last:
            yield Fact("DEPENDENT", ("NPM", row["Name"]), day, Fraction(0), row["Dependent"]["Name"])


# metrics


def _sum(*types: str, minus: tuple[str, ...] = (), stable: bool = False):
    def value(view: View) -> tuple[Fraction, int]:
        counted = [
            f for f in view.facts if f.type in types + minus and f.amount is not None and (f.stable or not stable)
        ]
        return sum((-f.amount if f.type in minus else f.amount for f in counted), Fraction(0)), len(counted)

    return value


def _distinct(type: str, of: Callable[[Fact], object]):
    return lambda view: (Fraction(len({of(f) for f in view.facts if f.type == type})), 0)


def _addresses(*, new: bool):
    def value(view: View) -> tuple[Fraction, int]:
        before = {f.who for f in view.past if f.type == "CONTRACT_INVOCATION" and f.day < view.start}
        now = {f.who for f in view.facts if f.type == "CONTRACT_INVOCATION"}
        return Fraction(len(now - before) if new else len(now & before)), 0

    return value


def _fees_once(view: View) -> tuple[Fraction, int]:
    return sum({f.by: f.amount for f in view.facts if f.type == "FEE_PAID"}.values(), Fraction(0)), 0


def _counted(name: str):
    def value(view: View) -> tuple[Fraction | None, int]:
        newest = {f.artifact: f.amount for f in view.past if f.type == name and (view.start - f.day).days <= 6}
        return (sum(newest.values(), Fraction(0)) if newest else None), len(newest)

    return value


def _dependents(view: View) -> tuple[Fraction | None, int]:
    asked = [f for f in view.past if f.type == "ASKED"]
    if not asked:
        return None, 0
    own, newest = {f.artifact[1] for f in asked}, max(f.day for f in asked)
    return Fraction(len({f.who for f in view.past if f.type == "DEPENDENT" and f.day == newest} - own)), 1


def _givers(*, new: bool = False):
    def value(view: View) -> tuple[Fraction, int]:
        given: dict[str, Fraction] = {}
        for f in view.facts:
            if f.type == "CREDIT" and f.who and f.amount is not None:
                given[f.who] = given.get(f.who, Fraction(0)) + f.amount
        known = {f.who for f in view.past if f.type == "CREDIT" and (f.amount or 0) > 0 and f.day < view.start}
        return Fraction(sum(amount > 0 and not (new and who in known) for who, amount in given.items())), 0

    return value


def _failed_share(view: View) -> tuple[Fraction | None, int]:
    sent = [f.type for f in view.facts if f.type in ("TRANSACTION_FAILED", "CONTRACT_INVOCATION")]
    return (Fraction(sent.count("TRANSACTION_FAILED"), len(sent)) if sent else None), len(sent)


def _release_gaps(view: View) -> tuple[Fraction | None, int]:
    """Median of the days between stable versions of a package; npm's are all published at the same time of day."""
    gaps, last = [], {}
    for f in view.past:
        if f.type == "PACKAGE_VERSION_PUBLISHED" and f.stable:
            if f.day >= view.start and f.artifact in last:
                gaps.append(Fraction((f.day - last[f.artifact]).days))
            last[f.artifact] = f.day
    return (median(gaps) if gaps else None), len(gaps)


_DOWNLOADS, _VERSIONS, _LEDGER, _CALLS, _ALL_CALLS = (
    ("downloads",),
    ("versions",),
    ("ledger",),
    ("transactions",),
    ("transactions", "traces"),
)
NPM = (
    Metric("downloads", _DOWNLOADS, _sum("PACKAGE_DOWNLOADED")),
    Metric("package_releases", _VERSIONS, _sum("PACKAGE_VERSION_PUBLISHED", stable=True)),
    Metric("packages", _VERSIONS, _distinct("PACKAGE_VERSION_PUBLISHED", lambda f: f.artifact), (ALL_TIME,)),
    Metric(
        "days_between_releases_median", _VERSIONS, _release_gaps, ("quarterly", "yearly", *ROLLING, ALL_TIME), kind="R"
    ),
)
FUNDING = (
    Metric("funding_received", _LEDGER, _sum("CREDIT"), kind="S"),
    Metric("funding_spent", _LEDGER, _sum("DEBIT"), kind="S"),
    Metric("funding_fees", _LEDGER, _sum("FEE"), kind="S"),
    Metric("funding_net", _LEDGER, _sum("CREDIT", minus=("DEBIT", "FEE")), kind="S"),
    Metric("backers", _LEDGER, _givers()),
    Metric("new_backers", _LEDGER, _givers(new=True), first_ever=True),
)
CHAIN = (
    Metric("transactions", _CALLS, _sum("CONTRACT_INVOCATION")),
    Metric("contract_invocations", _ALL_CALLS, _sum("CONTRACT_INVOCATION", "CONTRACT_INTERNAL_INVOCATION")),
    Metric("active_contracts", _CALLS, _distinct("CONTRACT_INVOCATION", lambda f: f.artifact)),
    Metric("active_addresses", _CALLS, _distinct("CONTRACT_INVOCATION", lambda f: f.who)),
    Metric("new_addresses", _CALLS, _addresses(new=True), first_ever=True),
    Metric("returning_addresses", _CALLS, _addresses(new=False), first_ever=True),
    Metric("contracts_deployed", _ALL_CALLS, _sum("CONTRACT_DEPLOYED")),
    Metric("gas_fees", _CALLS, _sum("TRANSACTION_FEE")),
    Metric("failed_transaction_share", _CALLS, _failed_share, (*NOT_DAILY, ALL_TIME), kind="R"),
)
ONE_CHAIN = (
    *CHAIN,
    Metric("gas_fees_amortized", _ALL_CALLS, _sum("FEE_SHARE")),
    Metric("gas_fees_internal", _ALL_CALLS, _fees_once),
)
STOCKS = ("stars_total", "forks_total", "watchers_total", "open_issues_total")
METRICS = {
    "GITHUB": tuple(Metric(name, ("repo_stats",), _counted(name), ("daily",), kind="K") for name in STOCKS),
    "DEPS_DEV": (Metric("dependents", ("dependents",), _dependents, ("daily",), kind="K"),),
    "NPM": NPM,
    "OPEN_COLLECTIVE": FUNDING,
    "MAINNET": ONE_CHAIN,
    "OPTIMISM": tuple(m for m in CHAIN if "traces" not in m.families),  # its node tells none
    "BASE": tuple(m for m in CHAIN if "traces" not in m.families),  # BigQuery tells no traces
    "EVM": CHAIN,
}


class Others:
    """All numbers of one landing."""

    def __init__(
        self,
        npm_days: Days,
        ledger_days: Days,
        chain_days: Days,
        dependents_days: Days,
        snapshots: Mapping[date, Mapping[int, Counts]],
        read_on: date,
        *,
        tables: bool = False,
    ) -> None:
        """`tables`: the chains' days are those of BigQuery's tables too."""
        self.days = {"NPM": npm_days, "OPEN_COLLECTIVE": ledger_days, "DEPS_DEV": dependents_days}
        if snapshots:
            self.days["GITHUB"] = min(snapshots), max(snapshots)
        self.snapshots = snapshots
        self.days |= dict.fromkeys(("MAINNET", "OPTIMISM", "BASE", "EVM"), chain_days)
        self.read_on = read_on
        on_chain = chain_facts(*chain_days, tables)
        self.facts = [*npm_facts(*npm_days, read_on), *ledger_facts(*ledger_days), *on_chain.facts]
        self.facts += [*count_facts(snapshots), *dependent_facts(*dependents_days)]
        self.unpriced = {(f.artifact, f.day) for f in self.facts if f.amount is None}
        owners = on_chain.owners
        for package in npm.PACKAGES:
            owners["NPM", package.name] = {package.project}
        for slug, (*_, projects) in open_collective.LISTED.items():
            owners["OPEN_COLLECTIVE", slug] = set(projects)
        for slug, projects in open_collective.GONE.items():
            owners["OPEN_COLLECTIVE", slug] = set(projects)
        for child, (parent, _) in open_collective.CHILDREN.items():
            owners["OPEN_COLLECTIVE", child] = set(open_collective.LISTED[parent][2])
        repos = {repo.id: repo for repo in world().repos}
        owned = ownership(
            {project.name: project.github for project in world().projects},
            {number: {name for _, name in repo.names} for number, repo in repos.items()},
            {number for number, repo in repos.items() if repo.is_fork},
        )
        held = listed({project.name: project.github for project in world().projects})
        for number, repo in repos.items():  # an owner's fork is nobody's, but it is counted
            if any(tracked(name, *held) for _, name in repo.names):
                owners["GITHUB", f"repo:{number}"] = set()
        for name, numbers in owned.items():
            for number in numbers:
                owners.setdefault(("GITHUB", f"repo:{number}"), set()).add(name)
        self.created = {f"repo:{number}": repo.created_on for number, repo in repos.items()}
        self.owners = owners
        self._statuses: dict[tuple[Artifact, str], tuple[list[int], list[int]]] = {}
        self.origin = date(2014, 1, 1)

    def born(self, artifact: Artifact) -> date:
        """The day that a source tells, else the source's first."""
        source, name = artifact
        if source == "GITHUB":
            return self.created[name]
        if source == "NPM" and npm.BY_NAME[name].versions:
            return npm.BY_NAME[name].created_on
        return (
            date(2019, 3, 1)
            if source == "OPEN_COLLECTIVE" and name not in open_collective.GONE
            else self.days[source][0]
        )

    def last_day(self, artifact: Artifact) -> date:
        """The last day of its life."""
        gone_on = npm.BY_NAME[artifact[1]].unpublished_on if artifact[0] == "NPM" else None
        return gone_on - ONE if gone_on else date.max

    def status(self, artifact: Artifact, family: str, day: date) -> str:
        """full, part or none."""
        source, name = artifact
        if family == "versions":
            known = npm.BY_NAME[name].versions and npm.BY_NAME[name].created_on <= day < self.read_on
        elif family == "dependents":
            first, last = self.days["DEPS_DEV"]
            known = any(first <= looked <= day <= last for looked in bigquery.snapshot_days())
        elif family == "repo_stats":
            counts = self.snapshots.get(day, {}).get(int(name.removeprefix("repo:")))
            return "none" if counts is None else "part" if None in counts.values() else "full"
        elif not self.days[source][0] <= day <= self.days[source][1]:
            known = False
        elif family == "downloads":
            known = npm.BY_NAME[name].usual is not None and not npm_lost(name, day)
        elif family == "ledger":
            known = name not in open_collective.GONE
        else:
            known = family == "transactions" or source == "MAINNET"
        if known and (artifact, day) in self.unpriced:
            return "part"
        return "full" if known else "none"

    def as_of(self, source: str, metric: Metric) -> date | None:
        """The last day with data; None if there is none."""
        if metric.families == _VERSIONS:
            return self.read_on - ONE
        return self.days[source][1] if source in self.days else None

    def entities(self) -> Iterator[tuple[str, str, set[Artifact], Callable[[Fact], bool]]]:
        """(level, id, artifacts, which of their facts count)."""
        for (source, name), _ in self.owners.items():
            yield "artifact", nid("artifact", source, name), {(source, name)}, lambda fact: True
        projects: dict[str, set[Artifact]] = {}
        for artifact, names in self.owners.items():
            for name in names:
                projects.setdefault(name, set()).add(artifact)

        def counts(fact: Fact, among: Iterable[str]) -> bool:
            """In one of these projects at least it is not money between the project's own accounts."""
            giver = ("OPEN_COLLECTIVE", fact.who)
            return any(
                fact.artifact in projects[name]
                and not (fact.type in ("CREDIT", "DEBIT") and fact.who and giver in projects[name])
                for name in among
            )

        for name, artifacts in projects.items():
            yield "project", entity_id("project", name), artifacts, lambda fact, among=(name,): counts(fact, among)
        for collection in world().collections:
            among = sorted({name for name in collection.projects if name in projects})
            if among:
                artifacts = set().union(*(projects[name] for name in among))
                yield (
                    "collection",
                    entity_id("collection", collection.name),
                    artifacts,
                    lambda fact, among=among: counts(fact, among),
                )

    def by_source(self) -> Iterator[tuple[str, str, str, list[Artifact], list[Fact]]]:
        """(level, id, source, its artifacts, their facts by day) of every entity and source that it has."""
        by_artifact: dict[Artifact, list[Fact]] = {}
        for fact in self.facts:
            by_artifact.setdefault(fact.artifact, []).append(fact)
        for level, its_id, artifacts, counted in self.entities():
            for source in METRICS:
                chosen = {"EVM": ("MAINNET", "OPTIMISM", "BASE"), "DEPS_DEV": ("NPM",)}.get(source, (source,))
                members = sorted(a for a in artifacts if a[0] in chosen)
                if members:
                    facts = [f for a in members for f in by_artifact.get(a, ()) if counted(f)]
                    yield level, its_id, source, members, sorted(facts, key=lambda f: f.day)

    def timeseries(self) -> dict[SeriesKey, tuple[Fraction, str, float]]:
        """Every row of timeseries_metrics_by_<level>_v1 of these sources: amount, quality, coverage."""
        found = {}
        for level, its_id, source, members, facts in self.by_source():
            for metric in METRICS[source]:
                for word in metric.words if facts and self.as_of(source, metric) else ():
                    if word == ALL_TIME:
                        continue
                    for window, amount, graded in self._rows(source, metric, members, facts, word):
                        found[level, its_id, source, metric.name, word, window.sample_date] = (amount, *graded)
        return found

    def _rows(self, source: str, metric: Metric, members: list[Artifact], facts: list[Fact], word: str):
        as_of, running, days = self.as_of(source, metric), False, [f.day for f in facts]
        for window in windows.series(word, facts[0].day, as_of):
            amount, cases = self.value(source, metric, facts, days, window)
            there = amount is not None if metric.kind in "RK" else bool(amount) or (metric.kind == "S" and cases > 0)
            if there or (word in ROLLING and running and metric.kind not in "RK"):
                graded = self.graded(source, metric, members, window)
                if graded[0] != "unknown":
                    yield window, amount, graded
            running = bool(amount)

    def value(
        self, source: str, metric: Metric, facts: list[Fact], days: list[date], window: Window
    ) -> tuple[Fraction | None, int]:
        """Amount and number of cases of one window; `facts` by day, `days` theirs."""
        end = bisect_right(days, min(window.end, self.as_of(source, metric)))
        return metric.value(View(facts[bisect_left(days, window.start) : end], facts[:end], window.start))

    def key_metrics(self) -> dict[tuple[str, str, str, str, str], KeyRow]:
        """Every row of key_metrics_by_<level>_v1 of these sources, by level, entity id, source, metric and word."""
        found = {}
        for level, its_id, source, members, facts in self.by_source():
            for metric in METRICS[source]:
                for word in (w for w in metric.words if w not in CALENDAR or metric.kind == "K"):
                    found[level, its_id, source, metric.name, word] = self._key(source, metric, members, facts, word)
        return found

    def _key(self, source: str, metric: Metric, members: list[Artifact], facts: list[Fact], word: str) -> KeyRow:
        as_of, days = self.as_of(source, metric), [f.day for f in facts]
        if as_of is None:
            return KeyRow(None, None, None, "unknown", 0.0)
        if metric.kind == "K":
            window = windows.calendar(word, as_of)
        else:
            window = windows.all_time(as_of) if word == ALL_TIME else windows.rolling(word, as_of)

        def dense(one: Window | None):
            if one is None or self.graded(source, metric, members, one)[0] == "unknown":
                return None
            return self.value(source, metric, facts, days, one)[0]

        quality, share = self.graded(source, metric, members, window)
        if metric.kind == "K" and dense(window) is None:
            quality = "unknown"
        return KeyRow(as_of, dense(window), dense(window.previous()), quality, share)

    def graded(self, source: str, metric: Metric, members: list[Artifact], window: Window) -> tuple[str, float]:
        """Quality and coverage of a window by 1.3; of a stock by 3.1, if a snapshot tells it."""
        own = self._counts(source, metric, members, window.start, window.end)
        if metric.kind == "K":
            return "ok" if own[0] == own[1] else "partial", grade(*own)[1]
        if grade(*own)[0] == "unknown":
            return "unknown", grade(*own)[1]
        if metric.first_ever:
            return grade(*self._counts(source, metric, members, date.min, window.end))
        return grade(*own)

    def _counts(self, source: str, metric: Metric, members: list[Artifact], start: date, end: date):
        required = full = part = 0
        for artifact in members:
            born, last = max(start, self.born(artifact)), min(end, self.last_day(artifact))
            # inside EVM a chain without traces counts as none for what needs them
            lacks = source == "EVM" and "traces" in metric.families and artifact[0] != "MAINNET"
            for family in metric.families:
                required += max(0, (last - born).days + 1)
                until = min(last, self.as_of(source, metric))
                if not lacks and until >= born:
                    fulls, parts = self._summed(artifact, family)
                    low, high = (born - self.origin).days, (until - self.origin).days + 1
                    full += fulls[high] - fulls[low]
                    part += parts[high] - parts[low]
        return required, full, part

    def _summed(self, artifact: Artifact, family: str) -> tuple[list[int], list[int]]:
        """How many days before each day were full and part, from `origin` on."""
        if (artifact, family) not in self._statuses:
            full, part = [0], [0]
            for day in span(self.origin, self.read_on):
                status = self.status(artifact, family, day)
                full.append(full[-1] + (status == "full"))
                part.append(part[-1] + (status == "part"))
            self._statuses[artifact, family] = full, part
        return self._statuses[artifact, family]
