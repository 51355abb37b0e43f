"""Transactions of the registry's chain addresses, from JSON-RPC nodes of every EVM network that the connection names.

Facts that shape this file (checked 2026-11):
- A day is the blocks whose timestamp lies in it, found by search; only finalized blocks are landed.
- Two calls a block: eth_getBlockByNumber with transactions and eth_getBlockReceipts. They may come from different
  nodes behind one address, so hashes, counts and the parent chain are compared.
- A failed creation still carries a contractAddress; status decides. Before Byzantium there is no status.
- Values have up to 78 digits: decimal text, never a number.
- Traces are a third call, of nodes that are asked for them only: they may be ten times as large as all the rest.
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
from include.sources._evm_rpc_streams import BLOCKS, TRACES, TRANSACTIONS, USER_OPERATIONS
from include.sources._evm_rpc_traces import MOST_BLOCKS, BadTraces, Tracer
from include.sources._evm_rpc_wire import Network, Raw, Rpc, RpcError, is_null, logs, utc
from include.sources.base import (
    Batch,
    Connection,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Window,
    sample_of,
)

NETWORKS = Path(__file__).parents[2] / "dbt/seeds/networks.csv"
ANY = "any_evm"
BATCH_ROWS = 5_000
BATCH_BYTES = 16 << 20  # of payloads held before they are written
CREATORS = {"deployer", "eoa", "creator", "factory"}  # tags of those whose contracts are the project's
STREAMS = (BLOCKS, TRANSACTIONS, USER_OPERATIONS, TRACES)
READINGS = 4  # of a block whose parts do not fit
MOST_BAD = 0.001  # of a network's blocks; two are always tolerated
LOG_ADDRESSES = 500  # of one eth_getLogs


@dataclass
class _Reading:
    """What is read of one network's day."""

    rpc: Rpc
    day: Day
    first: int
    end: int  # exclusive
    tracer: Tracer | None  # None: traces are not asked for
    by_block: bool = True  # the nodes offer eth_getBlockReceipts
    read: int = 0
    traced: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def network(self) -> Network:
        return self.rpc.network

    def bad(self, stream: str) -> int:
        """Blocks that were rejected, or whose traces were."""
        return sum(one.stream == stream for one in self.rejected)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """The finalized blocks of one UTC day on every network of the connection, one after the other.

    Raises:
        FixNeeded: the connection names no known network, a node is of another chain, or nothing is listed.
        Unavailable: the day is not final yet, or no node of a network gives its blocks; nothing may be landed.
        SuspectData: more than 0.1 % of a network's blocks do not fit together.
    """
    networks = configured(context.connection)
    listed: dict[str, set[str]] = {}
    creators: dict[str, set[str]] = {}
    for artifact in context.listed:
        listed.setdefault(artifact.network or "", set()).add(artifact.identity)
        if CREATORS & set(artifact.tags):
            creators.setdefault(artifact.network or "", set()).add(artifact.identity)
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
            makers = creators.get(network.name, set()) | creators.get(ANY, set())
            day = Day(network, followed, _midnight(window.start), _midnight(window.end), makers)
            tracer = Tracer(Rpc(network, context)) if network.traces else None
            readings.append(_Reading(rpc, day, *found, tracer))
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
            if "traces" in options:
                given["traces"] = {"on": True, "off": False}[options.pop("traces")]
            if "batch" in options:
                given["batch"] = max(1, int(options.pop("batch")))
            if "per_minute" in options:
                given["per_minute"] = float(options.pop("per_minute"))
            if options:
                raise ValueError
        except (KeyError, ValueError):
            raise FixNeeded(
                f"evm_rpc: the options of address {place} of AIRFLOW_CONN_EVM_RPC cannot be used. "
                "Known are mode=blocks|logs, traces=on|off, batch=<calls a request>, per_minute=<requests>."
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
        blocks = _ask_blocks(reading, chunk)
        for number, parts, traces in zip(chunk, blocks, _ask_traces(reading, chunk), strict=True):
            parent = before[1] if before[0] == number - 1 else None
            if found := _sound(reading, number, parts, parent, traces, context):
                rows.add(found)
                reading.read += 1
                reading.traced += found.traces is not None
                before = number, found.hash
            yield from rows.batches(BATCH_ROWS, BATCH_BYTES)
    yield from rows.batches(0, 0)
    context.progress((place + 1) * 1000, places * 1000, network.name)
    yield from reading.rejected
    reasons = list(reading.day.reasons)
    if network.mode == "logs":
        reasons.insert(0, "log mode: only blocks with a log of a listed address were read")
    if bad := reading.bad("blocks"):
        reasons.append(f"{bad} blocks rejected")
    whole = reading.read == total and not reasons
    yield Coverage(
        "blocks", network.name, total, reading.read, "complete" if whole else "damaged", "; ".join(reasons) or None
    )
    yield _traces_coverage(reading, total)


def _traces_coverage(reading: _Reading, total: int) -> Coverage:
    name, reasons = reading.network.name, list(reading.day.trace_reasons)
    if not reading.tracer:
        reasons = [f"not asked for: an address of {name} with &traces=on asks"]
    elif reading.traced < total:
        reasons.append(reading.tracer.none_offers or "blocks that were not read, or whose traces did not fit")
    status = "complete" if not reasons else "damaged" if reading.traced else "known_missing"
    return Coverage("traces", name, total, reading.traced, status, "; ".join(reasons) or None)


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


def _ask_traces(reading: _Reading, numbers: Sequence[int]) -> Iterator[tuple[str, Raw] | None]:
    """Method and answer for each block, a few blocks held at a time; None where no node traces."""
    for start in range(0, len(numbers), MOST_BLOCKS):
        some = numbers[start : start + MOST_BLOCKS]
        yield from (reading.tracer and reading.tracer.ask(some)) or [None] * len(some)


def _sound(
    reading: _Reading,
    number: int,
    parts: tuple[Raw, Any],
    parent: str | None,
    traces: tuple[str, Raw] | None,
    context: Context,
) -> BlockRows | None:
    """The rows of a block whose parts fit, asked for again where they do not; None if it is rejected.

    Traces that never fit cost the block its traces only.

    Raises:
        Unavailable: it stays no child of the block before, so the nodes are not of one mind.
        SuspectData: too many blocks of this network, or their traces, are rejected.
    """
    for left in range(READINGS - 1, -1, -1):
        try:
            return rows_of(reading.day, number, parts, parent, traces)
        except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
            reason = reading.rpc.masked(str(error))
            broken, bad_traces = isinstance(error, NoParent), isinstance(error, BadTraces)
        if left:
            context.log.warning("%s: block %d: %s; reading it again", reading.rpc.place, number, reason)
            reading.rpc.next_node()
            context.http.pause(0.5 * 2 ** (READINGS - 1 - left))
            (parts,) = _ask_blocks(reading, [number])
            if traces:
                reading.tracer.rpc.next_node()
                (traces,) = _ask_traces(reading, [number])
    if broken:
        raise Unavailable(
            f"evm_rpc: blocks {number - 1} and {number} of {reading.network.name} are not of one chain ({reason}). "
            "Its nodes disagree about final blocks; nothing was landed, the task reads the day again."
        )
    stream, sample = ("traces", traces[1]) if bad_traces else ("blocks", parts[0])
    sample = sample_of(bytes(sample)[:200])
    reading.rejected.append(Rejected(stream, f"block {number}: {reason}", sample, reading.network.name))
    if (bad := reading.bad(stream)) > max(2, MOST_BAD * (reading.end - reading.first)):
        raise SuspectData(
            f"evm_rpc: {bad} blocks of {reading.network.name} do not fit together, the last one "
            f"{number}: {reason}. Nothing was landed. Name another node in AIRFLOW_CONN_EVM_RPC, or adapt "
            "include/sources/evm_rpc.py if the chain's answers have changed"
            + ("; without traces=on the day lands without traces." if bad_traces else ".")
        )
    return _sound(reading, number, parts, parent, None, context) if bad_traces else None


# rows


class _Rows:
    """Rows held until a batch is full."""

    def __init__(self) -> None:
        self.held: dict[str, list[tuple]] = {stream.name: [] for stream in STREAMS}
        self.payload_bytes = 0

    def add(self, rows: BlockRows) -> None:
        """Takes the rows of a block."""
        self.held["blocks"].append(rows.block)
        self.held["transactions"] += rows.transactions
        self.held["user_operations"] += rows.operations
        self.held["traces"] += rows.traces or []
        self.payload_bytes += sum(len(row[-1]) for row in (*rows.transactions, *(rows.traces or [])))

    def batches(self, least_rows: int, least_bytes: int) -> Iterator[Batch]:
        """The held rows, if there are so many of a stream or so many bytes of payload."""
        if max(map(len, self.held.values())) < least_rows and self.payload_bytes < least_bytes:
            return
        for stream in STREAMS:
            if rows := self.held[stream.name]:
                columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), stream.schema, strict=True)]
                yield Batch(stream.name, pa.record_batch(columns, schema=stream.schema))
                rows.clear()
        self.payload_bytes = 0


SOURCE = Source(
    name="evm_rpc",
    doc="Transactions, creations, fees, user operations and traces of the registry's addresses on EVM chains.",
    owner="chains",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=3),  # rollups are final when their batch on L1 is, often an hour late
    tier=2,
    window="day",
    pool=Pool("evm_rpc", slots=1),
    connection="evm_rpc",
    default_urls=(),
    streams=STREAMS,
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
