"""Blocks of 200 transactions through evm_rpc: at least 150 a second of CPU, and a day's peak memory that stays flat.

With traces of ten calls a transaction there is no goal for the speed, but one for the memory.
"""

import hashlib
import json
import multiprocessing
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bench.jobs import Cpu, in_turn, verdict

GOAL_BLOCKS, GOAL_PEAK = 150, 1.2
DAY, BLOCKS, TRACED, TRANSACTIONS, CALLS = date(2025, 9, 1), 7200, 1200, 200, 10
START = int(datetime(2025, 9, 1, tzinfo=UTC).timestamp())
BEFORE, AFTER = 10, 100  # blocks around the day


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """Blocks a second, and the peak of a day over that of a third of one."""
    third, whole = in_turn(1, (read_blocks, BLOCKS // 3), (read_blocks, BLOCKS))
    speed = whole["blocks"] / whole["cpu"]
    detail = f"{whole['cpu']:.1f} s for {whole['blocks']:.0f} blocks, {whole['rows']:.0f} transactions kept"
    yield verdict("blocks a second of CPU", speed, GOAL_BLOCKS, most=False, detail=detail)
    detail = f"{whole['rss_mb']:.0f} MB over {third['rss_mb']:.0f} MB"
    yield verdict("peak of a day / a third", whole["rss_mb"] / third["rss_mb"], GOAL_PEAK, detail=detail)
    third, whole = in_turn(1, (read_traced, TRACED // 3), (read_traced, TRACED))
    detail = f"{whole['cpu']:.1f} s for {whole['blocks']:.0f} blocks, {whole['traces']:.0f} traces kept"
    yield f"with traces, blocks a second of CPU: {whole['blocks'] / whole['cpu']:.0f} ({detail})"
    detail = f"{whole['rss_mb']:.0f} MB over {third['rss_mb']:.0f} MB"
    yield verdict("with traces, peak of a day / a third", whole["rss_mb"] / third["rss_mb"], GOAL_PEAK, detail=detail)


def read_traced(blocks: int) -> dict:
    """Job: read_blocks with traces."""
    return read_blocks(blocks, "&traces=on")


def read_blocks(blocks: int, options: str = "") -> dict:
    """Job: the source's own fetch of a day of so many blocks, to record batches; the node is another process."""
    context = multiprocessing.get_context("fork")
    port = context.Queue()
    node = context.Process(target=_serve, args=(blocks, port), daemon=True)
    node.start()
    url = f"http://127.0.0.1:{port.get()}#mainnet{options}"
    from include.http import HttpClient
    from include.sources.base import Batch, Connection, Context, Listed, Window
    from include.sources.evm_rpc import SOURCE

    listed = (Listed("x", "blockchain", _hash("to", 3)[:42], "mainnet", ("contract",)),)
    given = Context(connection=Connection(urls=(url,)), http=HttpClient(), now=datetime.now(UTC), listed=listed)
    found = {"blocks": 0, "transactions": 0, "traces": 0}
    with Cpu() as cpu:
        for item in SOURCE.fetch(Window.of(DAY), given):
            if isinstance(item, Batch) and item.stream in found:
                found[item.stream] += item.rows.num_rows
    node.terminate()
    node.join()
    return {"cpu": cpu.seconds, "rows": found["transactions"]} | {key: found[key] for key in ("blocks", "traces")}


def _hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()


class _Template:
    """JSON with holes for the block's hash, its number, and a prefix that makes its transaction hashes its own."""

    def __init__(self, value: object) -> None:
        self.pieces = re.split(rb"(@H|@N|@T)", json.dumps(value, separators=(",", ":")).encode())

    def of(self, number: int) -> bytes:
        """The JSON of one block."""
        holes = {b"@H": _hash("block", number).encode(), b"@N": hex(number).encode(), b"@T": b"0x%012x" % number}
        return b"".join([holes.get(piece, piece) for piece in self.pieces])


def _serve(blocks: int, port) -> None:
    """A node that has prepared all that its blocks have in common."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    sent, receipts, traces = [], [], []
    for n in range(TRANSACTIONS):
        own = "@T" + hashlib.sha256(b"%d" % n).hexdigest()[:52]
        place = {"blockHash": "@H", "blockNumber": "@N", "transactionHash": own, "transactionIndex": hex(n)}
        who = {"from": _hash("from", n)[:42], "to": _hash("to", n % 50)[:42], "type": "0x2"}
        log = place | {"address": who["to"], "topics": [_hash(n, t) for t in range(3)], "data": _hash(n)}
        log |= {"logIndex": hex(n), "removed": False}
        more = {"gas": "0x5208", "gasPrice": "0x3b9aca00", "input": "0xa9059cbb" + "00" * 64, "nonce": "0x1"}
        more |= {"value": "0x0", "accessList": [], "chainId": "0x1", "r": _hash("r"), "s": _hash("s"), "v": "0x0"}
        sent.append({"hash": own, "blockHash": "@H", "blockNumber": "@N", "transactionIndex": hex(n)} | who | more)
        fee = {"gasUsed": "0x5208", "cumulativeGasUsed": "0x5208", "effectiveGasPrice": "0x3b9aca00", "status": "0x1"}
        receipts.append(place | who | fee | {"contractAddress": None, "logs": [log], "logsBloom": "0x" + "00" * 256})
        frame = {
            "blockHash": "@H",
            "blockNumber": "@N",
            "transactionHash": own,
            "transactionPosition": n,
            "type": "call",
        }
        for call in range(CALLS):
            act = {"from": who["to"], "to": _hash("to", (n + call) % 50)[:42], "callType": "call", "gas": "0x5208"}
            act |= {"value": "0x0", "input": "0xa9059cbb" + "00" * 64}
            frame |= {"action": act, "traceAddress": [call - 1] if call else [], "subtraces": 0}
            traces.append(frame | {"result": {"gasUsed": "0x20", "output": "0x" + "00" * 32}})
    sent_of, receipts_of, traces_of = _Template(sent).of, _Template(receipts).of, _Template(traces).of

    def block(number: int, full: bool) -> bytes:
        at = START + (number - BEFORE) * 86_400 // blocks
        head = {"number": hex(number), "hash": _hash("block", number), "parentHash": _hash("block", number - 1)}
        head = json.dumps(head | {"timestamp": hex(at), "gasUsed": "0x1"}).encode()
        return b'%s,"transactions":%s}' % (head[:-1], sent_of(number) if full else b"[]")

    def answer(call: dict) -> bytes:
        if call["method"] == "eth_chainId":
            result = b'"0x1"'
        else:
            tag = call["params"][0]
            number = blocks + BEFORE + AFTER if tag == "finalized" else int(tag, 16)
            if call["method"] == "eth_getBlockByNumber":
                result = block(number, call["params"][1])
            else:
                result = (traces_of if call["method"] == "trace_block" else receipts_of)(number)
        return b'{"jsonrpc":"2.0","id":%d,"result":%s}' % (call["id"], result)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = b"[%s]" % b",".join(map(answer, asked)) if isinstance(asked, list) else answer(asked)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.serve_forever()
