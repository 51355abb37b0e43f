"""The source evm_rpc against a real node, anvil: its blocks, receipts, logs, traces and reorgs."""

import socket
import subprocess
import time
from datetime import UTC, datetime

import pytest

from include.errors import Unavailable
from include.http import HttpClient
from include.sources import _evm_rpc_traces
from include.sources.base import Listed
from tests.cluster.tools import MissingTool, find_anvil
from tests.conftest import missing
from tests.sources.test_evm_rpc import fetch


@pytest.fixture
def anvil():
    """A running node whose first block is of the last minute before the day that `fetch` asks for."""
    try:
        binary = find_anvil()
    except MissingTool as lacking:
        missing(str(lacking))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = int(datetime(2025, 6, 9, 23, 59, tzinfo=UTC).timestamp())
    command = [binary, "--silent", "--host", "127.0.0.1", "--port", str(port), "--chain-id", "1", "--no-mining"]
    command += ["--timestamp", str(start), "--slots-in-an-epoch", "2", "--mnemonic-seed-unsafe", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    node = Anvil(f"http://127.0.0.1:{port}")
    try:
        node.wait()
        yield node
    finally:
        process.kill()
        process.wait()


class Anvil:
    """Calls to a running anvil."""

    def __init__(self, url):
        self.url, self.http = url, HttpClient(attempts=1)

    def wait(self):
        for _ in range(100):
            try:
                return self.call("eth_chainId")
            except Unavailable:
                time.sleep(0.1)
        raise AssertionError("anvil does not answer")

    def receipt(self, transaction):
        return self.call("eth_getTransactionReceipt", transaction)

    def call(self, method, *params):
        answer = self.http.json(self.url, body={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).value
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, **fields):
        return self.call("eth_sendTransaction", {"from": self.call("eth_accounts")[0], "gas": "0x30000"} | fields)

    def mine(self, blocks, seconds):
        self.call("anvil_mine", hex(blocks), hex(seconds))


def creation(runtime):
    """Code that makes a contract of at most 255 bytes of runtime code."""
    return f"0x60{len(runtime) // 2:02x}600c60003960{len(runtime) // 2:02x}6000f3{runtime}"


def test_a_real_node_gives_what_was_sent_and_a_reorg_changes_only_what_is_not_final(anvil):
    first, other = anvil.call("eth_accounts")[:2]
    runtime = "602a6000527f" + "ab" * 32 + "60206000a100"  # LOG1 with that topic
    made = anvil.send(data=creation(runtime))
    failed = anvil.send(data="0xfe")
    anvil.mine(1, 60)
    contract = anvil.receipt(made)["contractAddress"]
    assert anvil.receipt(failed)["contractAddress"]  # though its status is 0
    called = anvil.send(to=contract)
    stranger = anvil.send(to=other, value="0x1")
    anvil.mine(1, 60)
    anvil.mine(150, 600)  # past the end of the day
    listed = (Listed("x", "blockchain", contract, "mainnet"),)
    landed = fetch(f"{anvil.url}#mainnet", listed=listed)
    (row,) = landed.rows["transactions"]
    receipt = anvil.receipt(called)
    assert (row["hash"], row["receipt_status"]) == (called, 1)
    assert row["fee"] == str(int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16))
    assert landed.coverage["blocks", "mainnet"].status == "complete"
    by_deployer = fetch(f"{anvil.url}#mainnet", listed=(Listed("x", "blockchain", first, "mainnet"),))
    assert {made, failed, called, stranger} == {h for (h,) in by_deployer.sent("hash")}

    by_logs = fetch(f"{anvil.url}#mainnet&mode=logs", listed=listed)
    assert by_logs.sent("hash") == [(called,)] and by_logs.coverage["blocks", "mainnet"].status == "damaged"

    hashes = [b["hash"] for b in landed.rows["blocks"]]
    head = int(anvil.call("eth_blockNumber"), 16)
    gone = anvil.call("eth_getBlockByNumber", hex(head), False)["hash"]
    anvil.call("anvil_reorg", 2, [])
    assert anvil.call("eth_getBlockByHash", gone, False) is None
    again = fetch(f"{anvil.url}#mainnet", listed=listed)
    assert [b["hash"] for b in again.rows["blocks"]] == hashes and again.rows["transactions"] == landed.rows[
        "transactions"
    ]

    # a day that still reaches past the final blocks is not landed, so no reorg can reach what is
    last_final = int(anvil.call("eth_getBlockByNumber", "finalized", False)["timestamp"], 16)
    with pytest.raises(Unavailable, match="is not final yet on mainnet"):
        fetch(f"{anvil.url}#mainnet", listed=listed, day=datetime.fromtimestamp(last_final, UTC).date())


LEAF = "602a60005260206000f3"  # returns 42
FAILING = "60006000fd"  # reverts


def calling(address, static=False):
    """Code that calls an address with 65,535 gas and ignores what comes back."""
    return "6000" * (4 if static else 5) + f"73{address[2:]}61ffff" + ("fa50" if static else "f150")


@pytest.mark.parametrize("method", _evm_rpc_traces.METHODS)
def test_a_real_node_tells_what_a_factory_makes_and_whom_a_contract_calls(anvil, monkeypatch, method):
    """A contract calls another, also statically, one that reverts, and makes one; short of gas it fails at that."""
    monkeypatch.setattr(_evm_rpc_traces, "METHODS", {method: _evm_rpc_traces.METHODS[method]})
    leaf, failing = anvil.send(data=creation(LEAF)), anvil.send(data=creation(FAILING))
    anvil.mine(1, 60)
    leaf, failing = anvil.receipt(leaf)["contractAddress"], anvil.receipt(failing)["contractAddress"]
    init = creation(LEAF)[2:]
    make = f"75{init}600052" + "6016600a6000f050"  # 22 bytes at the end of a word
    maker = anvil.send(data=creation(calling(leaf) + calling(leaf, static=True) + calling(failing) + make + "00"))
    anvil.mine(1, 60)
    maker = anvil.receipt(maker)["contractAddress"]
    used = anvil.send(to=maker, gas="0x60000")
    starved = anvil.send(to=maker, gas="0xea60")  # 60,000: enough for all but the 2,024 of the new code
    anvil.mine(1, 60)
    receipt = anvil.receipt(used)
    assert (receipt["status"], anvil.receipt(starved)["status"]) == ("0x1", "0x1")
    made = anvil.call("debug_traceTransaction", used, {"tracer": "callTracer"})["calls"][3]["to"]
    assert anvil.call("eth_getCode", made, "latest") == f"0x{LEAF}"
    later = anvil.send(to=made)
    anvil.mine(1, 60)
    anvil.mine(150, 600)

    listed = (
        Listed("x", "blockchain", maker, "mainnet", ("factory",)),
        Listed("y", "blockchain", leaf, "mainnet", ("contract",)),
    )
    landed = fetch(f"{anvil.url}#mainnet&traces=on", listed=listed)
    rows = [r for r in landed.rows["traces"] if r["transaction_hash"] == used]
    told = [(r["trace_address"], r["trace_type"], r["from_address"], r["to_address"], r["is_reverted"]) for r in rows]
    assert told == [
        ("", "call", receipt["from"], maker, False),
        ("0", "call", maker, leaf, False),
        ("1", "staticcall", maker, leaf, False),
        ("2", "call", maker, failing, True),
        ("3", "create", maker, made, False),
    ]
    # by hand: PUSH1 MSTORE PUSH1s RETURN cost 18 a call of the leaf, 6 before the revert, 24 and 200 a byte to make
    assert [r["gas_used"] for r in rows[1:]] == [18, 18, 6, 24 + 200 * len(LEAF) // 2]
    gas, price = int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)
    assert rows[0]["gas_used"] == gas
    shares = {r["to_address"]: int(r["fee_share"]) for r in rows if r["fee_share"]}
    assert shares == {leaf: 36 * price, failing: 6 * price, made: 2024 * price, maker: (gas - 2066) * price}
    tried = [r for r in landed.rows["traces"] if r["transaction_hash"] == starved and r["trace_type"] == "create"]
    assert [(r["to_address"], r["is_reverted"]) for r in tried] == [(None, True)]
    assert later in [h for (h,) in landed.sent("hash")]
    assert landed.coverage["traces", "mainnet"].status == "complete" and not landed.rejected
    without = fetch(f"{anvil.url}#mainnet", listed=listed)
    assert without.coverage["traces", "mainnet"].status == "known_missing" and not without.rows["traces"]
    assert later not in [h for (h,) in without.sent("hash")]  # nobody told that it was made


def test_a_file_that_is_not_the_pinned_one_is_refused_and_not_kept(tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho odd > anvil.tgz\n")
    npm.chmod(0o755)
    monkeypatch.delenv("ANVIL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(MissingTool, match="is not the pinned file, but sha512-"):
        find_anvil()
    assert list((tmp_path / ".cache" / "openimpact").rglob("*.tgz")) == []
