"""Blocks, receipts and logs as nodes write them, and the rows that are kept of them.

Quantities come as hex, decimal text or JSON numbers, names in any case; what does not fit raises, and costs the block.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from include.sources._evm_rpc_streams import TRANSACTIONS
from include.sources._evm_rpc_traces import CREATES, Frame, fee_shares, frames_of, payload_of
from include.sources._evm_rpc_wire import Network, Quantity, Raw, address_of, matching, quantity, utc

DEPOSIT, ARBITRUM_INTERNAL = 0x7E, 0x6A
SYSTEM_TYPES = {"0x7e", "0x7E", DEPOSIT, "0x6a", "0x6A", ARBITRUM_INTERNAL}
OP_SYSTEM = "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"
USER_OPERATION = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
HASH = re.compile("0x[0-9a-f]{64}")
WORDS = re.compile("0x" + "([0-9a-fA-F]{64})" * 4)
HASH_AT, FEE = map(TRANSACTIONS.schema.get_field_index, ("hash", "fee"))


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


header_of = msgspec.json.Decoder(_Header).decode
block_of = msgspec.json.Decoder(_Block).decode
_receipts = msgspec.json.Decoder(list[_Receipt]).decode
_logged_receipts = msgspec.json.Decoder(list[_LoggedReceipt]).decode
_parts = msgspec.json.Decoder(_Parts).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _LogPlace(msgspec.Struct, gc=False):
    blockNumber: Quantity
    removed: bool | None = None


log_places_of = msgspec.json.Decoder(list[_LogPlace]).decode


@dataclass
class Day:
    """What must be known to read the blocks of one network's day."""

    network: Network
    followed: set[str]  # addresses, lower case; contracts that they create join
    start: datetime
    stop: datetime  # exclusive
    creators: set[str] = field(default_factory=set)  # listed addresses whose contracts are followed, made in calls too
    reasons: dict[str, None] = field(default_factory=dict)  # why the day is not complete
    trace_reasons: dict[str, None] = field(default_factory=dict)  # why its traces are not


class NoParent(ValueError):
    """A block that does not follow the one before it."""


@dataclass
class BlockRows:
    """The rows of one block."""

    hash: str
    block: tuple
    transactions: list[tuple]
    operations: list[tuple]
    traces: list[tuple] | None  # None: not asked


def rows_of(
    day: Day, number: int, parts: tuple[Raw, Any], parent: str | None, traces: tuple[str, Raw] | None = None
) -> BlockRows:
    """What is kept of one block; `parts` are it and its receipts, `traces` the method and its answer.

    Raises:
        ValueError, msgspec.DecodeError: block and receipts do not fit together, or a field cannot be read.
        BadTraces: block and receipts do, but its traces do not; nothing of it is followed yet.
        NoParent: it does not follow the block before.
    """
    block = block_of(parts[0])
    with_operations = USER_OPERATION.encode() in bytes(parts[1])
    receipts = (_logged_receipts if with_operations else _receipts)(parts[1])
    block_hash, parent_hash = _hash(block.hash), _hash(block.parentHash)
    if quantity(block.number) != number:
        raise ValueError(f"it is numbered {block.number!r}")
    if len(receipts) != len(block.transactions):
        raise ValueError(f"{len(receipts)} receipts for {len(block.transactions)} transactions")
    if parent is not None and parent_hash != parent:
        raise NoParent(f"its parent is {parent_hash}, the block before is {parent}")
    at = utc(whole(block.timestamp))
    if not day.start <= at < day.stop:
        raise ValueError(f"it is of {at:%Y-%m-%d %H:%M:%S} UTC, on another day")
    for index, (sent, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        if receipt.blockHash.lower() != block_hash or receipt.transactionHash.lower() != sent.hash.lower():
            raise ValueError(f"receipt {index} is of another block or transaction")
    frames: list[list[Frame]] = []
    if traces:
        outcomes = [(r.transactionHash.lower(), quantity(r.status), quantity(r.gasUsed)) for r in receipts]
        frames = frames_of(*traces, block_hash, outcomes)
    followed, kept, system_count = day.followed, {}, 0
    for index, (sent, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        sender, to = sent.sender.lower(), sent.to.lower() if sent.to else None
        system_count += sent.type in SYSTEM_TYPES and _is_system(sent, sender)
        is_kept = sender in followed or to in followed
        if is_kept and to is None and receipt.contractAddress and quantity(receipt.status) == 1:
            followed.add(address_of(receipt.contractAddress))
        inside = _followed_frames(day, frames[index]) if frames else []
        if is_kept or inside:
            kept[index] = inside
    rows, traced = [], []
    if kept:
        sent_json, receipt_json = _parts(parts[0]).transactions, _raws(parts[1])
        for index, inside in kept.items():
            payload = b'{"transaction":%b,"receipt":%b}' % (bytes(sent_json[index]), bytes(receipt_json[index]))
            place = (number, at, block_hash, index)
            rows.append(_row(day, place, block.transactions[index], receipts[index], payload.decode()))
            if inside:
                fee = rows[-1][FEE]
                shares = None if fee is None else fee_shares(frames[index], int(fee))
                if shares is None:
                    day.trace_reasons["fees that cannot be shared, for want of a frame's gas or of the fee"] = None
                    shares = {}
                where = (day.network.name, rows[-1][HASH_AT], number, at, index)
                traced += [_trace_row(where, frame, shares.pop(frame.to, None)) for frame in inside]
    operation_count, operations = 0, []
    if with_operations:
        for index, receipt in enumerate(receipts):
            for found in _operations(receipt):
                operation_count += 1
                if index in kept or found[3] in followed or found[4] in followed:  # sender, paymaster
                    log_index, *rest = found
                    place = (day.network.name, _hash(receipt.transactionHash), log_index, number, at)
                    operations.append((*place, *rest))
    if any(receipt.status is None for receipt in receipts):
        day.reasons["receipts without a status"] = None
    base_fee = quantity(block.baseFeePerGas)
    row = (
        *(day.network.name, number, block_hash, parent_hash, at, _whole_or_none(block.gasUsed), _text(base_fee)),
        *(len(receipts), system_count, len(rows), operation_count),
    )
    return BlockRows(block_hash, row, rows, operations, traced if traces else None)


def _followed_frames(day: Day, frames: list[Frame]) -> list[Frame]:
    """Those from or to a followed address; what a creator creates is followed from there on."""
    found = []
    for frame in frames:
        creates, by_creator = frame.kind in CREATES, frame.sender in day.creators
        if creates and by_creator and frame.to:
            day.followed.add(frame.to)
        if frame.to in day.followed or (frame.sender in day.followed and (by_creator or not creates)):
            found.append(frame)
    return found


def _trace_row(place: tuple, frame: Frame, share: int | None) -> tuple:
    """A row of the traces stream; `place` is network, transaction, block number, time, and place in the block."""
    error = frame.error and "".join(c if c.isprintable() else " " for c in frame.error[:200])
    return (
        *(*place, ",".join(map(str, frame.path)), frame.kind, frame.sender, frame.to, _text(frame.value)),
        *(_whole_or_none(frame.gas), error, frame.is_undone, _text(share), payload_of(frame)),
    )


def _row(day: Day, place: tuple, sent: _Transaction, receipt: _Receipt, payload: str) -> tuple:
    """A row of the transactions stream; `place` is block number, time, hash, and place in the block."""
    network, kind = day.network, _whole_or_none(sent.type)
    sender, to = address_of(sent.sender), address_of(sent.to) if sent.to else None
    created = address_of(receipt.contractAddress) if receipt.contractAddress else None
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
        day.reasons["transactions without gas or price"] = None
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
            sender, paymaster = (address_of(f"0x{topic[-40:]}") for topic in log.topics[2:])
            place = (whole(log.logIndex), _hash(log.topics[1]), address_of(log.address))
        except (AttributeError, ValueError):
            continue
        yield *place, sender, paymaster, success == 1, str(cost), str(gas)


def _hash(value: str | None) -> str:
    return matching(HASH, value, "hash")


def _whole_or_none(value: Quantity) -> int | None:
    number = quantity(value)
    if number is not None and number >= 1 << 63:
        raise ValueError(f"{number} does not fit 64 bits")
    return number


def whole(value: Quantity) -> int:
    """A number that must be there and fits 64 bits.

    Raises:
        ValueError: it is missing, too large or no quantity.
    """
    number = _whole_or_none(value)
    if number is None:
        raise ValueError("a number is missing")
    return number


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
