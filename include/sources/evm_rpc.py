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
import re
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
from include.sources._evm_rpc_wire import Network, Raw, Rpc, RpcError, is_null, logs, quantity, utc
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
DEPOSIT, ARBITRUM_INTERNAL = 0x7E, 0x6A
SYSTEM_TYPES = {"0x7e", "0x7E", DEPOSIT, "0x6a", "0x6A", ARBITRUM_INTERNAL}
OP_SYSTEM = "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"
USER_OPERATION = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
HASH, ADDRESS = re.compile("0x[0-9a-f]{64}"), re.compile("0x[0-9a-f]{40}")
WORDS = re.compile("0x" + "([0-9a-fA-F]{64})" * 4)

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

Quantity = str | int | None


class _Transaction(msgspec.Struct, gc=False):
    hash: str
    sender: str = msgspec.field(name="from")
    to: str | None = None
    type: Quantity = None
    value: Quantity = None
    gasPrice: Quantity = None
    input: str | None = None
    isSystemTx: bool | None = None


class _Log(msgspec.Struct, gc=False):
    address: str
    topics: list[str]
    data: str = "0x"
    logIndex: Quantity = None


class _Receipt(msgspec.Struct, gc=False):
    transactionHash: str
    blockHash: str
    status: Quantity = None
    gasUsed: Quantity = None
    effectiveGasPrice: Quantity = None
    contractAddress: str | None = None
    blobGasUsed: Quantity = None
    blobGasPrice: Quantity = None
    l1Fee: Quantity = None
    operatorFeeScalar: Quantity = None
    operatorFeeConstant: Quantity = None


class _LoggedReceipt(_Receipt, gc=False):
    logs: list[_Log] = []


class _Header(msgspec.Struct, gc=False):
    number: Quantity
    hash: str
    timestamp: Quantity
    parentHash: str | None = None


class _Block(_Header, gc=False, kw_only=True):
    transactions: list[_Transaction]
    gasUsed: Quantity = None
    baseFeePerGas: Quantity = None


class _Parts(msgspec.Struct, gc=False):
    transactions: list[msgspec.Raw]


_header = msgspec.json.Decoder(_Header | None).decode
_block = msgspec.json.Decoder(_Block).decode
_receipts = msgspec.json.Decoder(list[_Receipt]).decode
_logged_receipts = msgspec.json.Decoder(list[_LoggedReceipt]).decode
_parts = msgspec.json.Decoder(_Parts).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _LogPlace(msgspec.Struct, gc=False):
    blockNumber: Quantity
    removed: bool | None = None


_log_places = msgspec.json.Decoder(list[_LogPlace]).decode


@dataclass
class _Reading:
    """What is read of one network's day."""

    rpc: Rpc
    followed: set[str]  # addresses, lower case
    start: datetime
    stop: datetime  # exclusive
    first: int
    end: int  # exclusive
    by_block: bool = True  # the nodes offer eth_getBlockReceipts
    read: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    reasons: dict[str, None] = field(default_factory=dict)  # why the network is not complete

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
            readings.append(_Reading(rpc, followed, _midnight(window.start), _midnight(window.end), *found))
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
    return _read_header(rpc, answer)[1]


def _finalized(rpc: Rpc) -> tuple[int, int]:
    """Number and time of the last final block; where a node has no such tag, the head less the confirmations."""
    answer = rpc.one("eth_getBlockByNumber", "finalized", False)
    if isinstance(answer, Raw) and not is_null(answer):
        return _read_header(rpc, answer)
    (head,) = rpc.ask([("eth_blockNumber", [])], known=True)
    try:
        number = quantity(msgspec.json.decode(_given(rpc, head))) or 0
    except (msgspec.DecodeError, ValueError) as error:
        raise _strange(rpc, error) from None
    number = max(0, number - rpc.network.confirmations)
    return number, _time_of(rpc, number)


def _read_header(rpc: Rpc, answer: Raw | RpcError) -> tuple[int, int]:
    try:
        header = _header(_given(rpc, answer))
        return quantity(header.number) or 0, quantity(header.timestamp) or 0
    except (msgspec.DecodeError, ValueError, AttributeError) as error:
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
    reasons = list(reading.reasons)
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
    addresses = sorted(reading.followed)
    for start in range(0, len(addresses), LOG_ADDRESSES):
        for answer in logs(reading.rpc, reading.first, reading.end, addresses[start : start + LOG_ADDRESSES]):
            try:
                found |= {quantity(one.blockNumber) or 0 for one in _log_places(answer) if not one.removed}
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
            hashes = [t.hash for t in _block(block).transactions]
        except msgspec.DecodeError:
            hashes = []  # _sound says what is wrong with it
        receipts = [_given(rpc, r) for r in rpc.ask([("eth_getTransactionReceipt", [h]) for h in hashes], known=True)]
        found.append((block, b"[" + b",".join(bytes(r) for r in receipts) + b"]"))
    return found


class _NoParent(ValueError):
    """A block that does not follow the one before it."""


def _sound(reading: _Reading, number: int, parts: tuple[Raw, Any], parent: str | None, context: Context):
    """The rows of a block whose parts fit, asked for again where they do not; None if it is rejected.

    Raises:
        Unavailable: it stays no child of the block before, so the nodes are not of one mind.
        SuspectData: too many blocks of this network are rejected.
    """
    for left in range(READINGS - 1, -1, -1):
        try:
            return _rows_of(reading, number, parts, parent)
        except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
            reason = reading.rpc.masked(str(error))
            broken = isinstance(error, _NoParent)
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


@dataclass
class _BlockRows:
    """The rows of one block."""

    hash: str
    block: tuple
    transactions: list[tuple]
    operations: list[tuple]


class _Rows:
    """Rows held until a batch is full."""

    def __init__(self) -> None:
        self.held: dict[str, list[tuple]] = {stream.name: [] for stream in (BLOCKS, TRANSACTIONS, USER_OPERATIONS)}
        self.payload_bytes = 0

    def add(self, rows: _BlockRows) -> None:
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


def _rows_of(reading: _Reading, number: int, parts: tuple[Raw, Any], parent: str | None) -> _BlockRows:
    """What is kept of one block.

    Raises:
        ValueError, msgspec.DecodeError: block and receipts do not fit together, or a field cannot be read.
        _NoParent: it does not follow the block before.
    """
    block = _block(parts[0])
    with_operations = USER_OPERATION.encode() in bytes(parts[1])
    receipts = (_logged_receipts if with_operations else _receipts)(parts[1])
    block_hash, parent_hash = _hash(block.hash), _hash(block.parentHash)
    if quantity(block.number) != number:
        raise ValueError(f"it is numbered {block.number!r}")
    if len(receipts) != len(block.transactions):
        raise ValueError(f"{len(receipts)} receipts for {len(block.transactions)} transactions")
    if parent is not None and parent_hash != parent:
        raise _NoParent(f"its parent is {parent_hash}, the block before is {parent}")
    at = utc(_whole(block.timestamp))
    if not reading.start <= at < reading.stop:
        raise ValueError(f"it is of {at:%Y-%m-%d %H:%M:%S} UTC, on another day")
    followed, kept, system_count = reading.followed, [], 0
    for index, (sent, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        if receipt.blockHash.lower() != block_hash or receipt.transactionHash.lower() != sent.hash.lower():
            raise ValueError(f"receipt {index} is of another block or transaction")
        sender, to = sent.sender.lower(), sent.to.lower() if sent.to else None
        system_count += sent.type in SYSTEM_TYPES and _is_system(sent, sender)
        if sender in followed or to in followed:
            kept.append(index)
            if to is None and receipt.contractAddress and quantity(receipt.status) == 1:
                followed.add(_address(receipt.contractAddress))
    rows = []
    if kept:
        sent_json, receipt_json = _parts(parts[0]).transactions, _raws(parts[1])
        for index in kept:
            payload = b'{"transaction":%b,"receipt":%b}' % (bytes(sent_json[index]), bytes(receipt_json[index]))
            place = (number, at, block_hash, index)
            rows.append(_row(reading, place, block.transactions[index], receipts[index], payload.decode()))
    kept_set, operation_count, operations = set(kept), 0, []
    if with_operations:
        for index, receipt in enumerate(receipts):
            for found in _operations(receipt):
                operation_count += 1
                if index in kept_set or found[3] in followed or found[4] in followed:  # sender, paymaster
                    log_index, *rest = found
                    place = (reading.network.name, _hash(receipt.transactionHash), log_index, number, at)
                    operations.append((*place, *rest))
    if any(receipt.status is None for receipt in receipts):
        reading.reasons["receipts without a status"] = None
    base_fee = quantity(block.baseFeePerGas)
    row = (
        *(reading.network.name, number, block_hash, parent_hash, at, _whole_or_none(block.gasUsed), _text(base_fee)),
        *(len(receipts), system_count, len(rows), operation_count),
    )
    return _BlockRows(block_hash, row, rows, operations)


def _row(reading: _Reading, place: tuple, sent: _Transaction, receipt: _Receipt, payload: str) -> tuple:
    """A row of the transactions stream; `place` is block number, time, hash, and place in the block."""
    network, kind = reading.network, _whole_or_none(sent.type)
    sender, to = _address(sent.sender), _address(sent.to) if sent.to else None
    created = _address(receipt.contractAddress) if receipt.contractAddress else None
    status, gas = _whole_or_none(receipt.status), _whole_or_none(receipt.gasUsed)
    price = quantity(receipt.effectiveGasPrice if receipt.effectiveGasPrice is not None else sent.gasPrice)
    l1_fee, blob_fee = quantity(receipt.l1Fee), None
    operator_fee = operator_fee_of(
        receipt, gas, is_jovian=bool(network.jovian_from and place[1] >= network.jovian_from)
    )
    if receipt.blobGasUsed is not None and receipt.blobGasPrice is not None:
        blob_fee = quantity(receipt.blobGasUsed) * quantity(receipt.blobGasPrice)
    fee = None
    if kind == DEPOSIT:
        fee = 0  # paid on L1; its receipt may carry the fee fields all the same
    elif gas is not None and price is not None:
        fee = gas * price + (l1_fee or 0) + (blob_fee or 0) + (operator_fee or 0)
    else:
        reading.reasons["transactions without gas or price"] = None
    method = sent.input[:10].lower() if sent.input and len(sent.input) >= 10 else None
    return (
        *(
            network.name,
            network.chain_id,
            _hash(sent.hash),
            *place,
            sender,
            to,
            _text(quantity(sent.value)),
            method,
            kind,
        ),
        *(status, gas, _text(price), created, _text(l1_fee), _text(operator_fee), _text(blob_fee), _text(fee)),
        *(_is_system(sent, sender), payload),
    )


def operator_fee_of(receipt: _Receipt, gas: int | None, *, is_jovian: bool) -> int | None:
    """The operator's fee in wei, by the rule of the fork (Isthmus, Jovian); None where the receipt has none."""
    scalar, constant = quantity(receipt.operatorFeeScalar), quantity(receipt.operatorFeeConstant)
    if gas is None or (scalar is None and constant is None):
        return None
    share = gas * (scalar or 0) * 100 if is_jovian else gas * (scalar or 0) // 10**6
    return share + (constant or 0)


def _is_system(sent: _Transaction, sender: str) -> bool:
    kind = quantity(sent.type)
    return kind == ARBITRUM_INTERNAL or (kind == DEPOSIT and (bool(sent.isSystemTx) or sender == OP_SYSTEM))


def _operations(receipt: _LoggedReceipt) -> Iterator[tuple]:
    """(log index, operation hash, entry point, sender, paymaster, success, cost, gas) of each user operation.

    Anybody may log such a topic: one of another shape is no operation.
    """
    for log in receipt.logs:
        if len(log.topics) != 4 or log.topics[0].lower() != USER_OPERATION:
            continue
        try:
            _, success, cost, gas = (int(w, 16) for w in WORDS.fullmatch(log.data).groups())
            sender, paymaster = (_address(f"0x{topic[-40:]}") for topic in log.topics[2:])
            place = (_whole(log.logIndex), _hash(log.topics[1]), _address(log.address))
        except (AttributeError, ValueError):
            continue
        yield *place, sender, paymaster, success == 1, str(cost), str(gas)


def _hash(value: str | None) -> str:
    return _matching(HASH, value, "hash")


def _address(value: str | None) -> str:
    return _matching(ADDRESS, value, "address")


def _matching(form: re.Pattern, value: str | None, what: str) -> str:
    if not (found := form.fullmatch((value or "").lower())):
        raise ValueError(f"{str(value)[:80]!r} is no {what}")
    return found[0]


def _whole_or_none(value: Quantity) -> int | None:
    number = quantity(value)
    if number is not None and number >= 1 << 63:
        raise ValueError(f"{number} does not fit 64 bits")
    return number


def _whole(value: Quantity) -> int:
    number = _whole_or_none(value)
    if number is None:
        raise ValueError("a number is missing")
    return number


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


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
