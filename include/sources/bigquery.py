"""Public data sets in Google BigQuery: GitHub Archive days, chain transactions, dependents, PyPI downloads.

Facts that shape this file (checked 2026-11):
- One source with a stream for each raw shape: they share the day, the project that pays and its quota. A query that is
  refused costs its own parts of the day; only if all are refused, or BigQuery itself fails, the day fails.
- Every query reads one day's partition and runs only after its dry run was below its limit (_bigquery_queries.py).
- The copy of GitHub Archive has its losses and its rows over 2 MiB are gone; a day's table can be absent. Its streams
  have the columns of github_archive, so that the two can be united by event id.
- Chains are asked for listed addresses alone. A chain's day is complete if its blocks are contiguous from midnight to
  midnight and hold as many transactions as the table of transactions does.
- deps.dev takes a snapshot about once a week; it is read on its day, never twice.
- PyPI's table names no zero, so packages that are downloaded all the time prove that an hour is there.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa

from include.errors import BadCredentials, ContractBroken, FixNeeded, Unavailable
from include.sources._archive_parse import (
    CLEAR_EMAIL,
    SURROGATE,
    Actor,
    Event,
    Repo,
    commit_rows,
    event_row,
    hash_emails,
    read_payload,
    refuse_lone_surrogates,
)
from include.sources._bigquery_client import ABSENT, DENIED, Refused, Warehouse
from include.sources._bigquery_queries import (
    DEPENDENTS,
    ETHEREUM_BLOCKS,
    ETHEREUM_TRANSACTIONS,
    GITHUB_EVENTS,
    GITHUB_TYPE_COUNTS,
    PYPI_DOWNLOADS,
    SNAPSHOTS,
    SUPERCHAIN_BLOCKS,
    SUPERCHAIN_TRANSACTIONS,
    Query,
)
from include.sources.base import (
    TIMESTAMP,
    Batch,
    Context,
    Coverage,
    Item,
    Listed,
    Pool,
    Rejected,
    Source,
    Stream,
    Window,
    batches,
    column,
    sample_of,
)
from include.sources.github_archive import EVENTS, PUSH_COMMITS, REPOSITORIES, TYPE_COUNTS

BATCH_ROWS = 5_000
LATE_AFTER = timedelta(hours=18)  # after the end of the day; what is not there then is missing
DAY_EDGE = timedelta(minutes=10)  # within which a chain's day has its first and its last block
YARDSTICKS = ("boto3", "packaging", "requests", "urllib3")  # PyPI projects downloaded every minute
CODE_TAGS = {"contract", "proxy", "factory", "bridge"}
NO_CODE_TAGS = {"eoa", "wallet", "safe", "deployer"}
CREATOR_TAGS = {"deployer", "eoa", "creator", "factory"}
CHAINS = {  # OP Labs' name of a chain: the directory's network
    **{"op": "optimism", "fraxtal": "frax"},
    **{
        c: c
        for c in ("base", "bob", "ink", "lisk", "metal", "mode", "soneium", "swell", "unichain", "worldchain", "zora")
    },
}

INT, TEXT = pa.int64(), pa.string()


def _sibling(stream: Stream) -> Stream:
    """The stream of github_archive with the same columns."""
    return Stream(name=f"github_{stream.name}", doc=stream.doc, key=stream.key, schema=stream.schema)


GITHUB = {stream.name: _sibling(stream) for stream in (EVENTS, PUSH_COMMITS, TYPE_COUNTS, REPOSITORIES)}
TRANSACTIONS = Stream(
    name="transactions",
    doc="One row per transaction that calls a listed contract, or by which a listed address creates one.",
    key=("network", "transaction_hash"),
    schema=pa.schema(
        [
            column("network", TEXT, "Chain, as the directory names it"),
            column("transaction_hash", TEXT, "Hash of the transaction, lower case"),
            column("block_number", INT, "Number of its block"),
            column("block_hash", TEXT, "Hash of its block"),
            column("block_timestamp", TIMESTAMP, "When the block was made, UTC"),
            column("transaction_index", INT, "Place in the block, from 0"),
            column("transaction_type", INT, "EIP-2718 type; 126 is an OP stack deposit; null on old rows"),
            column("from_address", TEXT, "Who sent it, lower case"),
            column("to_address", TEXT, "What was called, lower case; null for a creation"),
            column("value", TEXT, "Wei sent along, a decimal string"),
            column("gas_price", INT, "Wei per gas that was offered; null for deposits"),
            column("receipt_gas_used", INT, "Gas that the transaction used"),
            column("receipt_effective_gas_price", INT, "Wei per gas that was paid; null on old rows"),
            column("receipt_status", INT, "1 success, 0 failure; null before Byzantium"),
            column("receipt_contract_address", TEXT, "Contract created, also of a failed creation; lower case"),
            column("receipt_blob_gas_used", INT, "Blob gas used; null unless it carries blobs"),
            column("receipt_blob_gas_price", INT, "Wei per blob gas"),
            column("receipt_l1_fee", INT, "Wei paid for the data on L1; null on L1 and for deposits"),
        ]
    ),
)
DEPENDENT_PACKAGES = Stream(
    name="dependents",
    doc="One row per listed package and package whose latest release depends on it directly, at a deps.dev snapshot.",
    key=("kind", "name", "dependent_name"),
    schema=pa.schema(
        [
            column("kind", TEXT, "Kind of artifact as the directory names it: npm, pypi, crates or go"),
            column("name", TEXT, "Listed package, as the directory names it"),
            column("dependent_name", TEXT, "Package that depends on it, as deps.dev spells it"),
            column("dependent_version", TEXT, "That package's latest release with a resolution"),
            column("snapshot_at", TIMESTAMP, "When deps.dev took the snapshot, UTC"),
        ]
    ),
)
DOWNLOADS = Stream(
    name="pypi_downloads",
    doc="One row per listed PyPI project that was downloaded that day.",
    key=("project",),
    schema=pa.schema(
        [
            column("project", TEXT, "Project in its normal form"),
            column("download_count", INT, "Files downloaded, mirrors included"),
            column("mirror_count", INT, "Those of them by the mirror client bandersnatch"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """What the public data sets say of one UTC day about what the registry lists.

    Raises:
        FixNeeded: nothing is listed yet, or no project is named.
        BadCredentials: no query may be run, or none of the tables may be read.
        ContractBroken: every query was refused for another reason.
        Unavailable, RateLimited: BigQuery failed, or a table is late; nothing may be landed.
    """
    day = _Day(window, context)
    steps = {"GitHub": _github, "chains": _chains, "dependents": _dependents, "PyPI": _pypi}
    for done, (label, step) in enumerate(steps.items()):
        context.progress(done, len(steps), f"{window.start} {label}")
        yield from step(day)
    day.refuse_nothing_read()
    context.progress(len(steps), len(steps), f"{window.start}")


class _Day:
    """One day's queries: what was asked and what was refused."""

    def __init__(self, window: Window, context: Context) -> None:
        self.date, self.context, self.log = window.start, context, context.log
        self.start = datetime.combine(window.start, time(), UTC)
        self.end = datetime.combine(window.end, time(), UTC)
        tracked = context.tracked
        self.tracked = tracked if tracked and (tracked.names or tracked.owners or tracked.repo_ids) else None
        if self.tracked is None and not context.listed:
            raise FixNeeded(
                "bigquery: the registry names nothing to look for. Land oss_directory first: "
                "python -m include land oss_directory"
            )
        self.warehouse = Warehouse(context.connection, window.start, context.http.cost)
        self.asked = 0
        self.refused: list[Refused] = []

    def rows(self, query: Query, **parameters) -> Iterator[dict]:
        """The answer of a query."""
        self.asked += 1
        try:
            yield from self.warehouse.rows(query, self.log, **parameters)
        except Refused as refused:
            self.log.warning("bigquery %s", refused)
            self.refused.append(refused)
            raise

    def names(self, kind: str) -> list[str]:
        """The listed artifacts of a kind, sorted."""
        return sorted({one.identity for one in self.context.listed if one.kind == kind})

    def refuse_late(self, what: str) -> None:
        """Fails the day while what is not there may still come.

        Raises:
            Unavailable: it may.
        """
        if self.context.now < self.end + LATE_AFTER:
            raise Unavailable(
                f"bigquery: {what} of {self.date} is not published yet; it is late, not missing, until "
                f"{self.end + LATE_AFTER:%Y-%m-%d %H:%M} UTC. Nothing of this day was landed; the task retries."
            )

    def refuse_nothing_read(self) -> None:
        """A day of which every query was refused is no day.

        Raises:
            BadCredentials, ContractBroken: that is so.
        """
        if self.asked and len(self.refused) == self.asked:
            error = BadCredentials if all(r.kind == DENIED for r in self.refused) else ContractBroken
            raise error(
                f"bigquery: all {self.asked} queries of {self.date} were refused, the first one {self.refused[0]}. "
                "See docs/runbooks/bigquery.md; the former content of the day was kept."
            )


def _github(day: _Day) -> Iterator[Item]:
    """The streams of github_archive, and coverage by hour of creation."""
    if day.tracked is None:
        return
    try:
        counts = list(day.rows(GITHUB_TYPE_COUNTS))
        lines = [0] * 24
        for row in counts:
            lines[row["hour"]] += row["event_count"]
        if not all(lines):
            day.refuse_late(f"hour {lines.index(0)} of GitHub Archive's copy")
        tracked = day.tracked
        found = day.rows(
            GITHUB_EVENTS,
            repo_ids=sorted(tracked.repo_ids),
            names=sorted(tracked.names),
            owners=sorted(tracked.owners),
        )
        yield from _github_rows(found)
    except Refused as refused:
        if refused.kind == ABSENT:
            day.refuse_late("the table of GitHub Archive's copy")
        yield Coverage("github_events", "day", 24, 0, "missing", str(refused))
        return
    cells = sorted((row["hour"], row["type"], row["event_count"]) for row in counts)
    yield from batches(GITHUB["type_counts"], cells)
    for hour, count in enumerate(lines):
        status, reason = ("complete", None) if count else ("missing", "no event of this hour in the day's table")
        yield Coverage("github_events", f"{hour:02d}", 1, count, status, reason)


def _github_rows(found: Iterator[dict]) -> Iterator[Item]:
    names: dict[tuple[int, str], list[datetime]] = {}
    events: list[tuple] = []
    commits: list[tuple] = []

    def flush() -> Iterator[Batch]:
        yield from batches(GITHUB["events"], events)
        yield from batches(GITHUB["push_commits"], commits)
        events.clear()
        commits.clear()

    for row in found:
        try:
            event, payload, raw = _event(row)
        except (ValueError, RecursionError) as error:  # msgspec's errors and UnicodeError are ValueErrors
            sample = sample_of(f"{row['id']} {row['type']} {row['payload']}")
            yield Rejected("github_events", str(error)[:300], sample, "day")
            continue
        events.append(event_row(event, payload, raw, event.created_at.hour))
        commits += commit_rows(event, payload)
        span = names.setdefault((event.repo.id, event.repo.name), [event.created_at, event.created_at])
        span[:] = min(span[0], event.created_at), max(span[1], event.created_at)
        if len(events) >= BATCH_ROWS:
            yield from flush()
    yield from flush()
    rows = ((repo_id, name, name.partition("/")[0].lower(), *span) for (repo_id, name), span in sorted(names.items()))
    yield from batches(GITHUB["repositories"], rows)


def _event(row: dict) -> tuple:
    """The event, its payload's columns and the payload's text with e-mails hashed.

    Raises:
        ValueError: a field that every event has is missing, or the payload is no JSON.
    """
    for name in ("id", "type", "repo_id", "repo_name", "created_at"):
        if row[name] in (None, ""):
            raise ValueError(f"no {name}")
    if not row["public"]:
        raise ValueError("public is false")
    raw = row["payload"] or "{}"
    if SURROGATE.search(raw.encode()):
        refuse_lone_surrogates(raw.encode())
    payload = read_payload(raw.encode())
    if payload.commits and CLEAR_EMAIL.search(raw.encode()):
        raw = hash_emails(raw)
        payload = read_payload(raw.encode())
    event = Event(
        id=row["id"],
        type=row["type"],
        repo=Repo(id=row["repo_id"], name=row["repo_name"]),
        created_at=row["created_at"].astimezone(UTC),
        public=True,
        actor=Actor(id=row["actor_id"], login=row["actor_login"]),
        org=Actor(id=row["org_id"], login=row["org_login"]),
    )
    return event, payload, raw


def _chains(day: _Day) -> Iterator[Item]:
    """Transactions of Ethereum and of the Superchain, and coverage by chain."""
    listed = [one for one in day.context.listed if one.kind == "blockchain"]
    targets = _addresses(listed, lambda tags: tags & CODE_TAGS and not tags & NO_CODE_TAGS)
    creators = _addresses(listed, lambda tags: tags & CREATOR_TAGS)
    times = {"start": day.start, "end": day.end}
    if targets.get("mainnet") or creators.get("mainnet"):
        wanted = {"targets": sorted(targets["mainnet"]), "creators": sorted(creators["mainnet"])}
        yield from _chain_group(
            day, {"mainnet": "mainnet"}, (ETHEREUM_BLOCKS, times), (ETHEREUM_TRANSACTIONS, times | wanted)
        )
    chains = {chain: network for chain, network in CHAINS.items() if targets.get(network) or creators.get(network)}
    if chains:
        wanted = {
            name: sorted(f"{chain}:{one}" for chain, network in chains.items() for one in found[network])
            for name, found in (("targets", targets), ("creators", creators))
        }
        asked = {"chains": sorted(chains)}
        yield from _chain_group(day, chains, (SUPERCHAIN_BLOCKS, asked), (SUPERCHAIN_TRANSACTIONS, asked | wanted))


def _addresses(listed: list[Listed], is_wanted: Callable[[set[str]], object]) -> dict[str, set[str]]:
    """Addresses by network, those of any_evm on every network that is read."""
    found: dict[str, set[str]] = {network: set() for network in ("mainnet", *CHAINS.values())}
    for one in listed:
        if is_wanted(set(one.tags)):
            for network in found if one.network == "any_evm" else {one.network} & found.keys():
                found[network].add(one.identity)
    return found


def _chain_group(day: _Day, chains: dict[str, str], blocks: tuple, transactions: tuple) -> Iterator[Item]:
    """One data set's chains; `blocks` and `transactions` are a query and its parameters."""
    try:
        counted = {row["network"]: row for row in day.rows(blocks[0], **blocks[1])}
        states = {chain: _chain_state(day, counted.get(chain)) for chain in chains}
        for chain, (status, reason) in states.items():
            if status != "complete" and counted.get(chain) and counted[chain]["block_count"]:
                day.refuse_late(f"{chains[chain]} ({reason})")
        kept = dict.fromkeys(chains, 0)
        yield from _transaction_rows(day.rows(transactions[0], **transactions[1]), chains, kept)
    except Refused as refused:
        for network in chains.values():
            yield Coverage("transactions", network, None, 0, "missing", str(refused))
        return
    for chain, network in chains.items():
        row = counted.get(chain) or {}
        status, reason = states[chain]
        seen = row.get("landed_count") or 0
        what = f"{kept[chain]:,} of {seen:,} transactions are of listed addresses" if seen else None
        reason = "; ".join(filter(None, (reason, what)))
        yield Coverage("transactions", network, row.get("transaction_count"), seen, status, reason)


def _chain_state(day: _Day, row: dict | None) -> tuple[str, str | None]:
    """Status of a chain's day by its blocks, and why."""
    if not row or not row["block_count"]:
        return "missing", "no block of this day"
    first_at, last_at = _moment(row["first_at"]), _moment(row["last_at"])
    if row["last_number"] - row["first_number"] + 1 != row["block_count"]:
        return "damaged", f"{row['block_count']:,} blocks from {row['first_number']} to {row['last_number']}"
    if first_at - day.start > DAY_EDGE or day.end - last_at > DAY_EDGE:
        return "damaged", f"blocks from {first_at:%H:%M} to {last_at:%H:%M} only"
    if row["transaction_count"] != row["landed_count"]:
        return "damaged", f"its blocks hold {row['transaction_count']:,} transactions"
    return "complete", None


def _transaction_rows(found: Iterator[dict], chains: dict[str, str], kept: dict[str, int]) -> Iterator[Item]:
    rows: list[tuple] = []
    for row in found:
        try:
            rows.append(_transaction(row, chains))
        except ValueError as error:
            yield Rejected("transactions", str(error), sample_of(repr(row)), str(chains.get(row["network"])))
            continue
        kept[row["network"]] += 1
        if len(rows) >= BATCH_ROWS:
            yield from batches(TRANSACTIONS, rows)
            rows = []
    yield from batches(TRANSACTIONS, rows)


def _transaction(row: dict, chains: dict[str, str]) -> tuple:
    """A row of the transactions stream.

    Raises:
        ValueError: it lacks what every transaction has.
    """
    for name in ("transaction_hash", "block_number", "block_timestamp", "from_address", "receipt_gas_used"):
        if row[name] is None:
            raise ValueError(f"no {name}")
    if row["network"] not in chains:
        raise ValueError(f"a chain that was not asked for: {str(row['network'])[:40]!r}")
    found = row | {"network": chains[row["network"]], "block_timestamp": _moment(row["block_timestamp"])}
    for name in ("transaction_hash", "block_hash", "from_address", "to_address", "receipt_contract_address"):
        found[name] = found[name].lower() if found[name] else None
    return tuple(found[name] for name in TRANSACTIONS.schema.names)


def _moment(value: datetime | int) -> datetime:
    """A timestamp, given as one or as seconds since 1970."""
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value


def _dependents(day: _Day) -> Iterator[Item]:
    """The dependents at the snapshot of this day, if there was one, and coverage by kind."""
    wanted = {kind: names for kind in DEPENDENTS if (names := day.names(kind))}
    if not wanted:
        return
    try:
        (snapshot,) = day.rows(SNAPSHOTS, start=day.start, end=day.end)
    except Refused as refused:
        for kind, names in wanted.items():
            yield Coverage("dependents", kind, len(names), 0, "missing", str(refused))
        return
    at = snapshot["snapshot_at"]
    for kind, names in wanted.items():
        if at is None:
            yield Coverage("dependents", kind, 0, 0, "complete", "deps.dev took no snapshot on this day")
            continue
        try:
            found = list(day.rows(DEPENDENTS[kind], snapshot_at=at, names=names))
        except Refused as refused:
            yield Coverage("dependents", kind, len(names), 0, "missing", str(refused))
            continue
        asked = set(names)
        good = [row for row in found if row["name"] in asked and row["dependent_name"]]
        for row in found:
            if row["name"] not in asked or not row["dependent_name"]:
                yield Rejected("dependents", "a package that was not asked for, or no name", sample_of(repr(row)), kind)
        yield from batches(
            DEPENDENT_PACKAGES,
            ((kind, row["name"], row["dependent_name"], row["dependent_version"], at) for row in good),
        )
        counts = Counter(row["name"] for row in good)
        reason = f"snapshot of {at:%Y-%m-%d %H:%M} UTC; {len(counts)} of the packages have dependents"
        yield Coverage("dependents", kind, len(names), len(names), "complete", reason)
        for name in names:  # without dependents is not the same as not asked for
            yield Coverage("dependents", f"{kind} {name}", counts[name], counts[name], "complete")


def _pypi(day: _Day) -> Iterator[Item]:
    """Downloads of the listed projects, and coverage by project in hours."""
    names = day.names("pypi")
    if not names:
        return
    asked = sorted({*names, *YARDSTICKS})
    try:
        found = {row["project"]: row for row in day.rows(PYPI_DOWNLOADS, start=day.start, end=day.end, projects=asked)}
    except Refused as refused:
        for name in names:
            yield Coverage("pypi_downloads", name, 24, 0, "missing", str(refused))
        return
    hours = max((found[name]["hour_count"] for name in YARDSTICKS if name in found), default=0)
    if hours < 24:
        day.refuse_late("the last hour of PyPI's downloads")
    for project in found.keys() - set(asked):
        yield Rejected("pypi_downloads", "a project that was not asked for", sample_of(str(project)), "day")
    kept = [(name, found[name]["download_count"], found[name]["mirror_count"]) for name in names if name in found]
    yield from batches(DOWNLOADS, kept)
    status = "complete" if hours == 24 else "damaged" if hours else "missing"
    for name in names:
        reason = None if hours == 24 else f"{hours} hours of the day are there, by projects that never rest"
        if name not in found and hours:
            reason = "; ".join(filter(None, (reason, "no download")))
        yield Coverage("pypi_downloads", name, 24, hours, status, reason)


SOURCE = Source(
    name="bigquery",
    doc="GitHub Archive days, chain transactions, dependents and PyPI downloads from public BigQuery data sets.",
    owner="events",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=12),
    tier=3,
    window="day",
    pool=Pool("bigquery", slots=1),
    connection="google_cloud",
    default_urls=("https://bigquery.googleapis.com",),
    streams=(*GITHUB.values(), TRANSACTIONS, DEPENDENT_PACKAGES, DOWNLOADS),
    fetch=fetch,
    reject_threshold=0.001,
    first_day=date(2015, 1, 1),
    first_day_reason="events before 2015 have no id and another form (the Timeline API)",
    tracks="github",
    lists=("blockchain", *DEPENDENTS),
    may_be_off="its queries need a Google Cloud project that pays for them",
    runbook="docs/runbooks/bigquery.md",
    licence="CC-BY-4.0 (GitHub Archive, deps.dev), MIT (crypto_ethereum), PyPI and OP Labs terms",
    docs_url="https://cloud.google.com/bigquery/public-data",
)
