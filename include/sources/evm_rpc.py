"""Transactions of the registry's chain addresses, from JSON-RPC nodes of every EVM network that the connection names.

Facts that shape this file (checked 2026-11):
- A day is the blocks whose timestamp lies in it, found by search; only finalized blocks are landed.
- Two calls a block: eth_getBlockByNumber with transactions and eth_getBlockReceipts. They may come from different
  nodes behind one address, so hashes, counts and the parent chain are compared.
- A failed creation still carries a contractAddress; status decides. Before Byzantium there is no status.
- Values have up to 78 digits: decimal text, never a number.
- A landing replaces the whole day of all networks, so a network that fails fails the day: the rows that it had stay.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urldefrag

import msgspec
import pyarrow as pa

from include.errors import ContractBroken, FixNeeded, SuspectData, Unavailable
from include.sources._evm_rpc_blocks import BlockRows, Day, NoParent, block_of, header_of, log_places_of, rows_of, whole
from include.sources._evm_rpc_wire import Network, Raw, Rpc, RpcError, is_null, logs, utc
from include.sources.base import (
    TIMESTAMP,
    Batch,
    Connection,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Window,
    column,
    sample_of,
)

NETWORKS = Path(__file__).parents[2] / "dbt/seeds/networks.csv"
ANY = "any_evm"
BATCH_ROWS = 5_000
BATCH_BYTES = 16 << 20  # of payloads held before they are written
READINGS = 4  # of a block whose parts do not fit
MOST_BAD = 0.001  # of a network's blocks; two are always tolerated
LOG_ADDRESSES = 500  # of one eth_getLogs

INT, TEXT, BOOL = pa.int64(), pa.string(), pa.bool_()
_NETWORK = column("network", TEXT, "Chain as the directory names it, such as mainnet")
_BLOCK = (
    column("block_number", INT, "Block that holds it"),
    column("block_timestamp", TIMESTAMP, "Time of the block, UTC"),
)
BLOCKS = Stream(
    name="blocks",
    doc="One row per finalized block that was read; in log mode those with a log of a listed address only.",
    key=("network", "number"),
    schema=pa.schema(
        [
            _NETWORK,
            column("number", INT, "Block number"),
            column("hash", TEXT, "Block hash"),
            column("parent_hash", TEXT, "Hash of the block before"),
            column("timestamp", TIMESTAMP, "Time of the block, UTC"),
            column("gas_used", INT, "Gas of all its transactions"),
            column("base_fee_per_gas", TEXT, "Base fee in wei, decimal; null before London"),
            column("transaction_count", INT, "Its transactions, system deposits included"),
            column("system_transaction_count", INT, "Those that the chain itself put there"),
            column("kept_transaction_count", INT, "Those from or to an address that is followed"),
            column("user_operation_count", INT, "ERC-4337 user operations in it"),
        ]
    ),
)
TRANSACTIONS = Stream(
    name="transactions",
    doc="One row per transaction from or to a listed address, or to a contract that a listed address created.",
    key=("network", "hash"),
    schema=pa.schema(
        [
            _NETWORK,
            column("chain_id", INT, "EIP-155 id of the chain"),
            column("hash", TEXT, "Transaction hash"),
            *_BLOCK,
            column("block_hash", TEXT, "Hash of the block"),
            column("transaction_index", INT, "Place in the block, from 0"),
            column("from_address", TEXT, "Sender, lower case"),
            column("to_address", TEXT, "Receiver, lower case; null for a creation"),
            column("value", TEXT, "Wei sent, decimal"),
            column("method_id", TEXT, "First four bytes of the input as 0x text; null without"),
            column("transaction_type", INT, "EIP-2718 type; 126 is a deposit of the OP stack"),
            column("receipt_status", INT, "1 done, 0 failed; null before Byzantium"),
            column("receipt_gas_used", INT, "Gas that it used"),
            column("receipt_effective_gas_price", TEXT, "Wei paid for a unit of gas, decimal"),
            column("receipt_contract_address", TEXT, "Contract that a creation made, or would have made if it failed"),
            column("l1_fee", TEXT, "Fee for the data on L1 in wei, decimal; null off the OP stack"),
            column("operator_fee", TEXT, "Operator's fee in wei, decimal; null where the receipt has none"),
            column("blob_fee", TEXT, "Fee for blobs in wei, decimal; null without blobs"),
            column("fee", TEXT, "The whole fee in wei, decimal; null if the gas or its price is not known"),
            column("is_system", BOOL, "The chain itself put it there; nobody's activity"),
            column("_payload", TEXT, "Transaction and receipt as JSON text"),
        ]
    ),
)
USER_OPERATIONS = Stream(
    name="user_operations",
    doc="One row per ERC-4337 user operation whose sender or paymaster is listed, or in a kept transaction.",
    key=("network", "transaction_hash", "log_index"),
    schema=pa.schema(
        [
            _NETWORK,
            column("transaction_hash", TEXT, "Transaction of the bundler"),
            column("log_index", INT, "Place of the event in the block"),
            *_BLOCK,
            column("user_operation_hash", TEXT, "Id of the operation"),
            column("entry_point", TEXT, "Contract that ran it"),
            column("sender", TEXT, "Smart account, lower case"),
            column("paymaster", TEXT, "Who pays, lower case; the zero address for nobody else"),
            column("is_success", BOOL, "Whether its call went through"),
            column("actual_gas_cost", TEXT, "Wei that it cost, decimal"),
            column("actual_gas_used", TEXT, "Gas that it used, decimal"),
        ]
    ),
)


@dataclass
class _Reading:
    """What is read of one network's day."""

    rpc: Rpc
    day: Day
    first: int
    end: int  # exclusive
    by_block: bool = True  # the nodes offer eth_getBlockReceipts
    read: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def network(self) -> Network:
        return self.rpc.network


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """The finalized blocks of one UTC day on every network of the connection, one after the other.

    Raises:
        FixNeeded: the connection names no known network, a node is of another chain, or nothing is listed.
        Unavailable: the day is not final yet, or no node of a network gives its blocks; nothing may be landed.
        SuspectData: more than 0.1 % of a network's blocks do not fit together.
    """
    networks = configured(context.connection)
    listed: dict[str, set[str]] = {}
    for artifact in context.listed:
        listed.setdefault(artifact.network or "", set()).add(artifact.identity)
    if not listed:
        raise FixNeeded(
            "evm_rpc: the registry lists no chain address, so there is nothing to look for. "
            "Land oss_directory first: python -m include land oss_directory"
        )
    readings = []
    for network in networks:
        followed = listed.get(network.name, set()) | listed.get(ANY, set())
        if not followed:
            yield _unread(network.name, "the directory lists no address on it")
            continue
        followed |= {address for name, address in context.created if name == network.name}
        rpc = Rpc(network, context)
        if (found := _blocks_of(window, rpc)) is None:
            yield _unread(network.name, "the chain began later")
        else:
            day = Day(network, followed, _midnight(window.start), _midnight(window.end))
            readings.append(_Reading(rpc, day, *found))
    for number, reading in enumerate(readings):
        yield from _read(reading, number, len(readings), context)
    for name in sorted(listed.keys() - {n.name for n in networks} - {ANY, ""}):
        yield _unread(name, "the connection names no node of it")


def _unread(network: str, reason: str) -> Coverage:
    return Coverage("blocks", network, None, None, "known_missing", reason)


def configured(connection: Connection) -> list[Network]:
    """The networks that the addresses of the connection name behind '#', with their nodes in the given order.

    `https://node.example/v2/KEY#base&mode=logs&batch=50&per_minute=300`: options of any address hold for its network.

    Raises:
        FixNeeded: an address names no network of seed networks.csv, or an option is not usable.
    """
    with NETWORKS.open(newline="") as file:
        known = {row["network"]: row for row in csv.DictReader(file)}
    found: dict[str, dict[str, Any]] = {}
    for place, address in enumerate(connection.urls, start=1):
        url, name_and_options = urldefrag(address)
        name, _, rest = name_and_options.partition("&")
        if name not in known:
            raise FixNeeded(
                f"evm_rpc: address {place} of AIRFLOW_CONN_EVM_RPC names no network behind its '#' "
                f"(found {name[:40]!r}). Write https://…#mainnet; known are {', '.join(known)}."
            )
        options = dict(parse_qsl(rest, keep_blank_values=True))
        try:
            given: dict[str, Any] = {}
            if "mode" in options:
                given["mode"] = {"blocks": "blocks", "logs": "logs"}[options.pop("mode")]
            if "batch" in options:
                given["batch"] = max(1, int(options.pop("batch")))
            if "per_minute" in options:
                given["per_minute"] = float(options.pop("per_minute"))
            if options:
                raise ValueError
        except (KeyError, ValueError):
            raise FixNeeded(
                f"evm_rpc: the options of address {place} of AIRFLOW_CONN_EVM_RPC cannot be used. "
                "Known are mode=blocks|logs, batch=<calls a request>, per_minute=<requests>."
            ) from None
        one = found.setdefault(name, {"urls": ()})
        one |= given | {"urls": (*one["urls"], url)}
    return [
        Network(
            name=name,
            chain_id=int(known[name]["chain_id"]),
            confirmations=int(known[name]["confirmations"]),
            jovian_from=_moment(known[name]["jovian_from"]),
            **given,
        )
        for name, given in found.items()
    ]


def _moment(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) if text else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# the blocks of a day


def _blocks_of(window: Window, rpc: Rpc) -> tuple[int, int] | None:
    """The block numbers [first, end) whose timestamps lie in the window; None before the chain began.

    Raises:
        Unavailable: the last finalized block is before the window's end.
    """
    start, end = (int(_midnight(day).timestamp()) for day in (window.start, window.end))
    number, moment = _finalized(rpc)
    if moment < end:
        raise Unavailable(
            f"evm_rpc: {window.start} is not final yet on {rpc.network.name}: its last final block {number} is of "
            f"{utc(moment):%Y-%m-%d %H:%M:%S} UTC. Nothing of this day was landed; the task retries."
        )
    genesis = _time_of(rpc, 0)
    if genesis >= end:
        return None
    first = 0 if genesis >= start else _first_at(rpc, start, (0, genesis), (number, moment))
    return first, _first_at(rpc, end, (0, genesis), (number, moment))


def _first_at(rpc: Rpc, moment: int, low: tuple[int, int], high: tuple[int, int]) -> int:
    """The first block at or after a moment; `low` and `high` are (number, time) before it and not before it.

    Blocks may share a time. Interpolates, and halves every third step, so that an odd chain ends too.
    """
    step = 0
    while high[0] - low[0] > 1:
        step += 1
        if step % 3 == 0:
            number = (low[0] + high[0]) // 2
        else:
            number = low[0] + (moment - low[1]) * (high[0] - low[0]) // max(1, high[1] - low[1])
            number = min(max(number, low[0] + 1), high[0] - 1)
        found = (number, _time_of(rpc, number))
        if found[1] < moment:
            low = found
        else:
            high = found
    return high[0]


def _time_of(rpc: Rpc, number: int) -> int:
    (answer,) = rpc.ask([("eth_getBlockByNumber", [hex(number), False])], known=True)
    found, moment = _read_header(rpc, answer)
    if found != number:
        raise _strange(rpc, ValueError(f"block {found} came for {number}"))
    return moment


def _finalized(rpc: Rpc) -> tuple[int, int]:
    """Number and time of the last final block; where a node has no such tag, the head less the confirmations."""
    answer = rpc.one("eth_getBlockByNumber", "finalized", False)
    if isinstance(answer, Raw) and not is_null(answer):
        return _read_header(rpc, answer)
    (head,) = rpc.ask([("eth_blockNumber", [])], known=True)
    try:
        number = whole(msgspec.json.decode(_given(rpc, head)))
    except (msgspec.DecodeError, ValueError) as error:
        raise _strange(rpc, error) from None
    number = max(0, number - rpc.network.confirmations)
    return number, _time_of(rpc, number)


def _read_header(rpc: Rpc, answer: Raw | RpcError) -> tuple[int, int]:
    try:
        header = header_of(_given(rpc, answer))
        return whole(header.number), whole(header.timestamp)
    except (msgspec.DecodeError, ValueError) as error:
        raise _strange(rpc, error) from None


def _given(rpc: Rpc, answer: Raw | RpcError) -> Raw:
    if isinstance(answer, RpcError):
        raise ContractBroken(
            f"{rpc.place} does not offer a method that is needed: {answer.text}. Name another node in "
            "AIRFLOW_CONN_EVM_RPC; nothing was landed."
        )
    return answer


def _strange(rpc: Rpc, error: Exception) -> ContractBroken:
    return ContractBroken(f"{rpc.place}: a block head that cannot be read ({rpc.masked(str(error))}).")


# reading


def _read(reading: _Reading, place: int, places: int, context: Context) -> Iterator[Item]:
    """Every item of one network; its blocks in order, so that a contract counts from its creation on."""
    network, total = reading.network, reading.end - reading.first
    numbers: Sequence[int] = range(reading.first, reading.end)
    if network.mode == "logs":
        numbers = sorted(_logged_blocks(reading))
    rows, before, todo = _Rows(), (-1, ""), iter(numbers)
    while chunk := list(islice(todo, max(1, reading.rpc.batch // 2))):
        done = 1000 * (chunk[0] - reading.first) // max(1, total)
        context.progress(place * 1000 + done, places * 1000, f"{network.name} block {chunk[0]}")
        for number, parts in zip(chunk, _ask_blocks(reading, chunk), strict=True):
            parent = before[1] if before[0] == number - 1 else None
            if found := _sound(reading, number, parts, parent, context):
                rows.add(found)
                reading.read += 1
                before = number, found.hash
        yield from rows.batches(BATCH_ROWS, BATCH_BYTES)
    yield from rows.batches(0, 0)
    context.progress((place + 1) * 1000, places * 1000, network.name)
    yield from reading.rejected
    reasons = list(reading.day.reasons)
    if network.mode == "logs":
        reasons.insert(0, "log mode: only blocks with a log of a listed address were read")
    if reading.rejected:
        reasons.append(f"{len(reading.rejected)} blocks rejected")
    whole = reading.read == total and not reasons
    yield Coverage(
        "blocks", network.name, total, reading.read, "complete" if whole else "damaged", "; ".join(reasons) or None
    )
    yield Coverage("traces", network.name, total, 0, "known_missing", "traces are not read")


def _logged_blocks(reading: _Reading) -> set[int]:
    """The numbers of the day's blocks in which a followed address logged."""
    found: set[int] = set()
    addresses = sorted(reading.day.followed)
    for start in range(0, len(addresses), LOG_ADDRESSES):
        for answer in logs(reading.rpc, reading.first, reading.end, addresses[start : start + LOG_ADDRESSES]):
            try:
                found |= {whole(one.blockNumber) for one in log_places_of(answer) if not one.removed}
            except (msgspec.DecodeError, ValueError) as error:
                raise _strange(reading.rpc, error) from None
    return {number for number in found if reading.first <= number < reading.end}


def _ask_blocks(reading: _Reading, numbers: Sequence[int]) -> list[tuple[Raw, Any]]:
    """Each block and its receipts, as JSON."""
    rpc = reading.rpc
    blocks = [("eth_getBlockByNumber", [hex(n), True]) for n in numbers]
    if reading.by_block:
        receipts = [("eth_getBlockReceipts", [hex(n)]) for n in numbers]
        answers = rpc.ask([call for pair in zip(blocks, receipts, strict=True) for call in pair], known=True)
        if not any(isinstance(a, RpcError) for a in answers[1::2]):
            return [(_given(rpc, b), r) for b, r in zip(answers[::2], answers[1::2], strict=True)]
        rpc.context.log.warning("%s offers no eth_getBlockReceipts; asking each transaction's receipt", rpc.place)
        reading.by_block = False
    found = []
    for answer in rpc.ask(blocks, known=True):
        block = _given(rpc, answer)
        try:
            hashes = [t.hash for t in block_of(block).transactions]
        except msgspec.DecodeError:
            hashes = []  # _sound says what is wrong with it
        receipts = [_given(rpc, r) for r in rpc.ask([("eth_getTransactionReceipt", [h]) for h in hashes], known=True)]
        found.append((block, b"[" + b",".join(bytes(r) for r in receipts) + b"]"))
    return found


def _sound(reading: _Reading, number: int, parts: tuple[Raw, Any], parent: str | None, context: Context):
    """The rows of a block whose parts fit, asked for again where they do not; None if it is rejected.

    Raises:
        Unavailable: it stays no child of the block before, so the nodes are not of one mind.
        SuspectData: too many blocks of this network are rejected.
    """
    for left in range(READINGS - 1, -1, -1):
        try:
            return rows_of(reading.day, number, parts, parent)
        except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
            reason = reading.rpc.masked(str(error))
            broken = isinstance(error, NoParent)
        if left:
            context.log.warning("%s: block %d: %s; reading it again", reading.rpc.place, number, reason)
            reading.rpc.next_node()
            context.http.pause(0.5 * 2 ** (READINGS - 1 - left))
            (parts,) = _ask_blocks(reading, [number])
    if broken:
        raise Unavailable(
            f"evm_rpc: blocks {number - 1} and {number} of {reading.network.name} are not of one chain ({reason}). "
            "Its nodes disagree about final blocks; nothing was landed, the task reads the day again."
        )
    sample = sample_of(bytes(parts[0])[:200])
    reading.rejected.append(Rejected("blocks", f"block {number}: {reason}", sample, reading.network.name))
    if len(reading.rejected) > max(2, MOST_BAD * (reading.end - reading.first)):
        raise SuspectData(
            f"evm_rpc: {len(reading.rejected)} blocks of {reading.network.name} do not fit together, the last one "
            f"{number}: {reason}. Nothing was landed. Name another node in AIRFLOW_CONN_EVM_RPC, or adapt "
            "include/sources/evm_rpc.py if the chain's answers have changed."
        )
    return None


# rows


class _Rows:
    """Rows held until a batch is full."""

    def __init__(self) -> None:
        self.held: dict[str, list[tuple]] = {stream.name: [] for stream in (BLOCKS, TRANSACTIONS, USER_OPERATIONS)}
        self.payload_bytes = 0

    def add(self, rows: BlockRows) -> None:
        """Takes the rows of a block."""
        self.held["blocks"].append(rows.block)
        self.held["transactions"] += rows.transactions
        self.held["user_operations"] += rows.operations
        self.payload_bytes += sum(len(row[-1]) for row in rows.transactions)

    def batches(self, least_rows: int, least_bytes: int) -> Iterator[Batch]:
        """The held rows, if there are so many of a stream or so many bytes of payload."""
        if max(map(len, self.held.values())) < least_rows and self.payload_bytes < least_bytes:
            return
        for stream in (BLOCKS, TRANSACTIONS, USER_OPERATIONS):
            if rows := self.held[stream.name]:
                columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), stream.schema, strict=True)]
                yield Batch(stream.name, pa.record_batch(columns, schema=stream.schema))
                rows.clear()
        self.payload_bytes = 0


SOURCE = Source(
    name="evm_rpc",
    doc="Transactions, creations, fees and user operations of the registry's addresses on EVM chains.",
    owner="chains",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=3),  # rollups are final when their batch on L1 is, often an hour late
    tier=2,
    window="day",
    pool=Pool("evm_rpc", slots=1),
    connection="evm_rpc",
    default_urls=(),
    streams=(BLOCKS, TRANSACTIONS, USER_OPERATIONS),
    fetch=fetch,
    reject_threshold=MOST_BAD,
    first_day=date(2015, 7, 30),
    first_day_reason="the oldest chain, Ethereum, began that day",
    tracks="contracts",
    lists=("blockchain",),
    may_be_off="it reads nodes of your own choice, and no public node gives whole days",
    runbook="docs/runbooks/evm_rpc.md",
    licence="none: public chain data",
    docs_url="https://ethereum.github.io/execution-apis/",
)
