"""What ran inside transactions: the two methods by which nodes tell it, their answers, and fees shared among contracts.

Facts that shape this file (anvil 1.7.1, geth's and Erigon's documentation; checked 2026-11):
- trace_block (Erigon, Nethermind, Reth) is a flat list with paths; a node that lacks the block may give an empty one.
- debug_traceBlockByNumber with callTracer (geth) nests; how deep, whoever sends a transaction decides (1,024 at most).
- The gas of a root is without the intrinsic gas in the one and with it in the other, so a receipt's gas is taken.
- trace_block tells the gas of what reverted (OpenEthereum did not), not of what failed otherwise and burnt all it had.
- Only a frame that failed itself has an error; what it called before was undone with it.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from include.errors import Unavailable
from include.sources._evm_rpc_wire import Quantity, Raw, Rpc, RpcError, address_of, quantity

METHODS: dict[str, list] = {"trace_block": [], "debug_traceBlockByNumber": [{"tracer": "callTracer"}]}
MOST_BLOCKS = 4  # of one request: the traces of a block may be some megabytes
CREATES = {"create", "create2"}
NAMES = {"suicide": "selfdestruct"}
BURNS = re.compile(
    "out of gas|bad instruction|invalid opcode|bad jump|invalid jump|stack|out of bounds|write protection|mutable call",
    re.I,
)
DEEPEST = 4_000  # levels of JSON, two a call


class BadTraces(ValueError):
    """Traces that are not those of the block, or cannot be read."""


class Frame(NamedTuple):
    """One call, creation or self-destruction in a transaction."""

    path: tuple[int, ...]  # place in the tree of calls; () is the transaction itself
    kind: str  # call, callcode, delegatecall, staticcall, create, create2 or selfdestruct
    sender: str
    to: str | None  # the created address of a creation; None if it failed
    value: int | None  # wei
    gas: int | None  # used, that of its children included; None if the node does not say
    error: str | None
    is_undone: bool  # it failed, or one that it is part of
    raw: Raw  # as the node wrote it


class Tracer:
    """Asks the nodes of a network for traces, each by the method that it answers."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.refused: dict[tuple[int, str], str] = {}

    def ask(self, numbers: Sequence[int]) -> list[tuple[str, Raw]] | None:
        """Method and answer for each block; None if no node has a method for them.

        Raises:
            Unavailable, RateLimited, BadCredentials: as Rpc.ask.
        """
        nodes = len(self.rpc.network.urls)
        for _ in range(nodes * len(METHODS) + 1):  # a node that fails leads to the next, which may have refused before
            order = [(n % nodes, method) for n in range(self.rpc.at, self.rpc.at + nodes) for method in METHODS]
            pair = next((pair for pair in order if pair not in self.refused), None)
            if pair is None:
                return None
            self.rpc.at, method = pair
            answers = self.rpc.ask([(method, [hex(n), *METHODS[method]]) for n in numbers], known=True)
            error = next((answer for answer in answers if isinstance(answer, RpcError)), None)
            if error is None:
                return [(method, answer) for answer in answers]
            self.refused[self.rpc.at, method] = error.text
            self.rpc.context.log.warning("%s does not answer %s: %s", self.rpc.place, method, error.text)
        raise Unavailable(
            f"{self.rpc.place}: the node that traces blocks fails, and no other offers {' or '.join(METHODS)}."
        )

    @property
    def none_offers(self) -> str | None:
        """Why no node traces, for a coverage line; None as long as one may."""
        if len(self.refused) < len(METHODS) * len(self.rpc.network.urls):
            return None
        return f"no node answers {' or '.join(METHODS)}: {next(reversed(self.refused.values()))}"


class _Call(msgspec.Struct, gc=False):
    type: str
    sender: str = msgspec.field(name="from")
    to: str | None = None
    value: Quantity = None
    gasUsed: Quantity = None
    error: str | None = None
    calls: list[Raw] = []


class _Traced(msgspec.Struct, gc=False):
    txHash: str
    result: Raw


class _Action(msgspec.Struct, gc=False):
    sender: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    value: Quantity = None
    gas: Quantity = None
    callType: str | None = None
    creationMethod: str | None = None
    address: str | None = None
    refundAddress: str | None = None
    balance: Quantity = None


class _Result(msgspec.Struct, gc=False):
    gasUsed: Quantity = None
    address: str | None = None


class _Entry(msgspec.Struct, gc=False):
    type: str
    action: _Action
    blockHash: str
    traceAddress: list[int]
    transactionHash: str | None = None
    result: _Result | None = None
    error: str | None = None


_call = msgspec.json.Decoder(_Call).decode
_traced = msgspec.json.Decoder(list[_Traced]).decode
_entry = msgspec.json.Decoder(_Entry).decode
_raws = msgspec.json.Decoder(list[Raw]).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def frames_of(
    method: str, answer: Raw, block_hash: str, sent: Sequence[tuple[str, int | None, int | None]]
) -> list[list[Frame]]:
    """The frames of each transaction, a parent before its children; `sent` are (hash, status, gas) of the receipts.

    Raises:
        BadTraces: they are of another block, a transaction has none or a success is told as a failure, or a field
            cannot be read.
    """
    levels = sys.getrecursionlimit()
    sys.setrecursionlimit(max(levels, DEEPEST))  # counts the levels of JSON too
    try:
        if method == "trace_block":
            found = _flat(answer, block_hash)
        else:
            found = {one.txHash.lower(): list(_nested(one.result)) for one in _traced(answer)}
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadTraces(f"its traces cannot be read: {error}") from None
    finally:
        sys.setrecursionlimit(levels)
    if found.keys() != {tx for tx, *_ in sent}:
        raise BadTraces(f"{len(found)} traces for {len(sent)} transactions, or of others")
    for tx, status, gas in sent:
        frames = found[tx]
        if status == 1 and frames[0].is_undone:
            raise BadTraces(f"transaction {tx} went through, but its trace says {frames[0].error!r}")
        if gas is not None:
            frames[0] = frames[0]._replace(gas=gas)
        if status == 0:
            frames[:] = [frame._replace(is_undone=True) for frame in frames]
    return [found[tx] for tx, *_ in sent]


def _nested(root: Raw) -> Iterator[Frame]:
    stack: list[tuple[tuple[int, ...], Raw, bool]] = [((), root, False)]
    while stack:
        path, raw, undone = stack.pop()
        call = _call(raw)
        undone = undone or bool(call.error)
        yield _frame(path, call.type, call.sender, call.to, call.value, call.gasUsed, call.error, undone, raw)
        stack += [((*path, n), call.calls[n], undone) for n in range(len(call.calls) - 1, -1, -1)]


def _flat(answer: Raw, block_hash: str) -> dict[str, list[Frame]]:
    found: dict[str, dict[tuple[int, ...], Frame]] = {}
    for raw in _raws(answer):
        entry = _entry(raw)
        if entry.blockHash.lower() != block_hash:
            raise ValueError(f"they are of block {entry.blockHash}")
        if not entry.transactionHash:  # a reward
            continue
        frames, path = found.setdefault(entry.transactionHash.lower(), {}), tuple(entry.traceAddress)
        parent = frames.get(path[:-1]) if path else None
        if path in frames or (path and not parent):
            raise ValueError(f"the trace at {list(path)} of {entry.transactionHash} has no parent, or comes twice")
        undone = bool(entry.error) or bool(parent and parent.is_undone)
        act, result = entry.action, entry.result
        kind, sender, to, value = act.callType or entry.type, act.sender, act.to, act.value
        if entry.type == "create":
            kind, to = act.creationMethod or "create", result and result.address
        elif entry.type == "suicide":
            sender, to, value = act.address, act.refundAddress, act.balance
        gas = result.gasUsed if result else act.gas if entry.error and BURNS.search(entry.error) else None
        frames[path] = _frame(path, kind, sender, to, value, gas, entry.error, undone, raw)
    return {tx: list(frames.values()) for tx, frames in found.items()}


def _frame(path, kind, sender, to, value, gas, error, is_undone, raw) -> Frame:
    kind = kind.lower()
    to = None if kind in CREATES and is_undone or not to else address_of(to)
    kind, sender = NAMES.get(kind, kind), address_of(sender)
    gas = 0 if kind == "selfdestruct" else quantity(gas)
    return Frame(path, kind, sender, to, quantity(value), gas, error or None, is_undone, raw)


def payload_of(frame: Frame) -> str:
    """The frame as the node wrote it, without the frames below it."""
    fields = _fields(frame.raw)
    fields.pop("calls", None)
    return msgspec.json.encode(fields).decode()


def fee_shares(frames: Sequence[Frame], fee: int) -> dict[str, int] | None:
    """Wei of a transaction's fee by the address whose code used the gas, that of frames below it left out.

    A share is rounded down and the called address has the rest: all of it where the transaction failed. None if the
    gas of a frame is not known.
    """
    root = frames[0]
    if root.is_undone:
        return {root.to: fee} if root.to else {}
    if any(frame.gas is None for frame in frames):
        return None
    own = Counter({frame.path: frame.gas for frame in frames})
    for frame in frames[1:]:
        own[frame.path[:-1]] -= frame.gas
    total = sum(max(0, amount) for amount in own.values())
    by_address: Counter[str] = Counter()
    for frame in frames:
        if frame.to and frame.kind != "selfdestruct":
            by_address[frame.to] += max(0, own[frame.path])
    shares = {at: fee * amount // total if total else 0 for at, amount in by_address.items() if at != root.to}
    return shares | {root.to: fee - sum(shares.values())}
