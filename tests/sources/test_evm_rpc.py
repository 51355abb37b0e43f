"""Chains through nodes as they are: limits, lags, lies, two forms of everything."""

import csv
import http.server
import json
import logging
import random
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from demo import chain
from include import ingest
from include.errors import (
    BadCredentials,
    ContractBroken,
    FixNeeded,
    OpenImpactError,
    RateLimited,
    SuspectData,
    Unavailable,
)
from include.http import HttpClient
from include.sources import evm_rpc, get_source
from include.sources._evm_rpc_blocks import Day, operator_fee_of, rows_of
from include.sources._evm_rpc_wire import Network, quantity, shorter_span
from include.sources.base import Batch, Connection, Context, Coverage, Listed, Rejected, Window, off_reason

SOURCE = get_source("evm_rpc")
DAY = date(2025, 6, 10)  # day 40 of the world: the deployer makes a contract
LISTED = tuple(
    Listed(project, "blockchain", address.lower(), network, tuple(tags))
    for project, entries in chain.LISTED.items()
    for address, tags, networks in entries
    for network in networks
) + (Listed("coralnet", "blockchain", chain.CORAL, "any_evm", ("contract",)),)
KEY = "s3cr3tk3y0123456789"


class Nodes:
    """Nodes of the demo's chains on one port, at /<anything>/<network>.

    `first[path]` are (status, headers, body) answered before anything else; `change[path]` gets each call and its true
    answer and returns the one to send (None: no answer); `whole[path]` gets all calls and may return the whole answer.
    """

    def __init__(self):
        self.first, self.change, self.whole, self.sizes, self.asked = {}, {}, {}, {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                status, headers, body = outer.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if "Content-Length" in headers:
                    self.close_connection = True

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, path, body):
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        self.asked += [(path, c["method"], c["params"]) for c in calls]
        self.sizes.setdefault(path, []).append(len(asked) if isinstance(asked, list) else 0)
        if queue := self.first.get(path):
            return queue.pop(0) if len(queue) > 1 or queue[0][0] == 200 else queue[0]
        if path in self.whole and (sent := self.whole[path](asked)) is not None:
            return 200, {}, json.dumps(sent).encode()
        node = chain.node(path.rpartition("/")[2])
        sent = node.reply(body)
        if path in self.change:
            change, by_id = self.change[path], {c["id"]: c for c in calls}
            if isinstance(sent, list):
                sent = [c for c in (change(by_id[one["id"]], one) for one in sent) if c is not None]
            else:
                sent = change(calls[0], sent)
        return 200, {}, json.dumps(sent).encode()

    def at(self, name, network="mainnet", options=""):
        return f"{self.url}/{name}/{network}#{network}{options}"


@pytest.fixture
def nodes():
    nodes = Nodes()
    yield nodes
    nodes.server.shutdown()
    nodes.server.server_close()


class Landed:
    """What one fetch yielded, by kind."""

    def __init__(self, items):
        items = list(items)
        self.rejected = [i for i in items if isinstance(i, Rejected)]
        self.coverage = {(i.stream, i.part): i for i in items if isinstance(i, Coverage)}
        self.rows = {stream.name: [] for stream in SOURCE.streams}
        for item in items:
            if isinstance(item, Batch):
                self.rows[item.stream].extend(item.rows.to_pylist())

    def sent(self, *columns):
        return [tuple(row[c] for c in columns) for row in self.rows["transactions"]]


def fetch(*urls, day=DAY, listed=LISTED, waits=None, **more):
    sleep = (lambda s: None) if waits is None else waits.append
    connection = Connection(urls=urls)
    context = Context(
        connection=connection, http=HttpClient(sleep=sleep), now=datetime(2026, 6, 1, tzinfo=UTC), listed=listed, **more
    )
    return Landed(SOURCE.fetch(Window.of(day), context))


def truth(network, day=DAY, created=()):
    """(hash, status, fee) of every transaction that must be kept, straight from the demo's world."""
    followed = {a.identity for a in LISTED if a.network in (network, "any_evm")} | set(created)
    found = []
    for number in chain.numbers(network, day):
        for sent in chain.transactions(network, number):
            if sent.sender in followed or sent.to in followed:
                fee = 0 if sent.kind == 0x7E else sent.gas * sent.price + sent.l1_fee
                found.append((sent.hash, sent.status, str(fee)))
                if sent.created and sent.status == 1:
                    followed.add(sent.created)
    return found


# what is kept


@pytest.mark.parametrize("network", ["mainnet", "optimism"])
@pytest.mark.parametrize("day", [DAY, DAY + timedelta(days=5), chain.FIRST_DAY, chain.LAST_DAY])
def test_a_day_holds_the_transactions_of_followed_addresses_and_all_its_blocks(nodes, network, day):
    landed = fetch(nodes.at("x", network), day=day)
    assert landed.sent("hash", "receipt_status", "fee") == truth(network, day)
    blocks = landed.rows["blocks"]
    assert [b["number"] for b in blocks] == list(chain.numbers(network, day))
    assert {b["timestamp"].date() for b in blocks} == {day}
    everything = [chain.transactions(network, b["number"]) for b in blocks]
    assert [b["transaction_count"] for b in blocks] == [len(sent) for sent in everything]
    assert sum(b["kept_transaction_count"] for b in blocks) == len(truth(network, day)) > 10
    count = len(blocks)
    assert landed.coverage["blocks", network] == Coverage("blocks", network, count, count, "complete")
    assert landed.coverage["traces", network].status == "known_missing"


def test_a_contract_is_followed_from_its_making_on_and_on_later_days_by_the_former_landing(nodes):
    landed = fetch(nodes.at("x"))
    made = chain.made_contract("mainnet", DAY)
    first = chain.numbers("mainnet", DAY).start
    mine = [r for r in landed.rows["transactions"] if made in (r["receipt_contract_address"], r["to_address"])]
    # its making in block 5, the call of block 9; not the one of block 4, which came too early
    assert [r["block_number"] - first for r in mine] == [5, 9]
    later = DAY + timedelta(days=1)
    assert made not in [to for (to,) in fetch(nodes.at("x"), day=later).sent("to_address")]
    again = fetch(nodes.at("x"), day=later, created=frozenset({("mainnet", made), ("base", "0x" + "1" * 40)}))
    assert again.sent("hash", "receipt_status", "fee") == truth("mainnet", later, [made])
    assert len(truth("mainnet", later, [made])) == len(truth("mainnet", later)) + 2


def test_a_failed_creation_carries_an_address_that_is_not_followed(nodes):
    day = DAY + timedelta(days=5)
    (row,) = (r for r in fetch(nodes.at("x"), day=day).rows["transactions"] if r["to_address"] is None)
    assert (row["receipt_status"], row["receipt_contract_address"]) == (0, chain.address("failed/mainnet/45"))


def test_deposits_cost_nothing_and_only_the_systems_are_marked(nodes):
    system = Listed("x", "blockchain", chain.OP_SYSTEM, "optimism")
    landed = fetch(nodes.at("x", "optimism"), listed=(*LISTED, system))
    marked = [r for r in landed.rows["transactions"] if r["is_system"]]
    assert len(marked) == 96 == sum(b["system_transaction_count"] for b in landed.rows["blocks"])
    deposits = [r for r in landed.rows["transactions"] if r["transaction_type"] == 0x7E and not r["is_system"]]
    assert [(r["fee"], r["to_address"]) for r in deposits] == [("0", chain.VAULT)]


def test_values_beyond_64_bits_are_exact_and_forms_are_one(nodes):
    landed = fetch(nodes.at("x"))
    number = chain.numbers("mainnet", DAY).start + 7
    (row,) = (r for r in landed.rows["transactions"] if r["from_address"] == chain.TREASURY)
    assert row["value"] == str(2**255 + number) and len(row["value"]) == 77
    assert row["method_id"] == "0xa9059cbb" and row["to_address"] == chain.address("shop1")
    assert {r["value"] for r in landed.rows["transactions"]} == {"0", row["value"]}


def test_user_operations_of_followed_accounts_are_kept_and_all_are_counted(nodes):
    landed = fetch(nodes.at("x", "optimism"))
    (row,) = landed.rows["user_operations"]
    number = chain.numbers("optimism", DAY).start + 7
    assert (row["sender"], row["is_success"], row["actual_gas_cost"]) == (chain.ACCOUNT, True, str(10**14 + number))
    assert row["entry_point"] == chain.ENTRY_POINT and row["paymaster"] == "0x" + "0" * 40
    assert sum(b["user_operation_count"] for b in landed.rows["blocks"]) == 2


def test_a_log_that_only_looks_like_a_user_operation_is_none(nodes):
    def change(call, answer):
        if call["method"] == "eth_getBlockReceipts":
            for receipt in answer["result"]:
                for log in receipt["logs"]:
                    if log["topics"][0] == chain.USER_OPERATION:
                        log["data"] = "0x" + "zz" * 64
        return answer

    nodes.change["/x/optimism"] = change
    landed = fetch(nodes.at("x", "optimism"))
    assert landed.rows["user_operations"] == [] and landed.sent("hash", "receipt_status", "fee") == truth("optimism")


def test_an_unknown_field_survives(nodes):
    def change(call, answer):
        if call["method"] == "eth_getBlockByNumber" and call["params"][1]:
            for sent in answer["result"]["transactions"]:
                sent["timeboosted"] = True
        return answer

    nodes.change["/x/mainnet"] = change
    payloads = [json.loads(p) for (p,) in fetch(nodes.at("x")).sent("_payload")]
    assert payloads and all(p["transaction"]["timeboosted"] and p["receipt"]["gasUsed"] for p in payloads)


def test_a_network_without_a_node_or_an_address_is_unknown_not_empty(nodes):
    listed = (Listed("x", "blockchain", chain.MARKET, "mainnet"), Listed("y", "blockchain", chain.MARKET, "base"))
    landed = fetch(nodes.at("x"), nodes.at("x", "optimism"), listed=listed)
    for name, reason in (("base", "the connection names no node"), ("optimism", "the directory lists no address")):
        line = landed.coverage["blocks", name]
        assert (line.expected, line.observed, line.status) == (None, None, "known_missing") and reason in line.reason


def test_nothing_listed_asks_for_the_directory_first(nodes):
    with pytest.raises(FixNeeded, match="[Ll]and oss_directory first"):
        fetch(nodes.at("x"), listed=())


# the blocks of a day


def test_the_first_block_of_a_moment_is_found_on_odd_chains(monkeypatch):
    r = random.Random(7)
    for steps in ([12], [0, 0, 1], [1, 500, 0], [0, 86400]):
        times = [1000]
        while len(times) < 2000:
            times.append(times[-1] + r.choice(steps))
        asked = []
        monkeypatch.setattr(evm_rpc, "_time_of", lambda rpc, n, t=times, a=asked: a.append(n) or t[n])
        for moment in r.sample(range(times[0] + 1, times[-1] + 1), 50):
            first = next(n for n, t in enumerate(times) if t >= moment)
            assert evm_rpc._first_at(None, moment, (0, times[0]), (len(times) - 1, times[-1])) == first
        assert len(asked) <= 50 * 35


def test_a_day_that_is_not_final_waits(nodes):
    def change(call, answer):
        final = call["params"][:1] == ["finalized"]
        return answer | {"result": chain.node("mainnet").block(hex(last), False)} if final else answer

    last = chain.numbers("mainnet", DAY)[-1]
    nodes.change["/x/mainnet"] = change
    with pytest.raises(Unavailable, match=r"2025-06-10 is not final yet on mainnet: its last final block \d+ is of"):
        fetch(nodes.at("x"))
    last += 1  # the first one of the next day is final: no block of this day is missing
    assert len(fetch(nodes.at("x")).rows["blocks"]) == 48


def test_before_a_chain_began_it_has_no_day(nodes):
    landed = fetch(nodes.at("x"), day=date(2024, 1, 1))
    assert landed.coverage["blocks", "mainnet"].reason == "the chain began later" and not landed.rows["blocks"]


def test_a_node_without_a_finalized_tag_is_cut_by_confirmations(nodes):
    head = chain.numbers("optimism", DAY)[-1] + 1800  # base of seed networks.csv: 1800 confirmations

    def change(call, answer):
        return answer | {"result": hex(head)} if call["method"] == "eth_blockNumber" else answer

    nodes.change["/x/optimism"] = change
    with pytest.raises(Unavailable, match="not final yet on optimism"):
        fetch(nodes.at("x", "optimism"))
    head += 2  # two blocks share a time
    assert len(fetch(nodes.at("x", "optimism")).rows["blocks"]) == 96


@pytest.mark.parametrize("spoiled", [{"timestamp": None}, {"number": "0x1"}, {"timestamp": "soon"}, {"hash": 7}])
def test_a_head_that_is_not_the_one_asked_for_is_no_edge_of_a_day(nodes, spoiled):
    def change(call, answer):
        is_head = call["method"] == "eth_getBlockByNumber" and not call["params"][1]
        return answer | {"result": answer["result"] | spoiled} if is_head else answer

    nodes.change["/x/mainnet"] = change
    with pytest.raises(ContractBroken, match="node 1 of mainnet: a block head that cannot be read"):
        fetch(nodes.at("x"))


# batches and limits


def test_a_batch_that_is_refused_is_halved_and_stays_so(nodes):
    landed = fetch(nodes.at("x", options="&batch=400"))
    assert landed.sent("hash", "receipt_status", "fee") == truth("mainnet")
    assert max(nodes.sizes["/x/mainnet"]) == 96 and nodes.sizes["/x/mainnet"].count(96) == 1
    small = fetch(nodes.at("y", "optimism", "&batch=120"))
    assert small.sent("hash", "receipt_status", "fee") == truth("optimism")
    assert [n for n in nodes.sizes["/y/optimism"] if n > 50] == [120, 60]


@pytest.mark.parametrize(
    "refusal", [{"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no arrays"}}, "status", "html"]
)
def test_a_node_that_refuses_arrays_gets_single_calls(nodes, refusal):
    if isinstance(refusal, dict):
        nodes.whole["/x/mainnet"] = lambda asked: refusal if isinstance(asked, list) else None
    else:
        answer, true = (413 if refusal == "status" else 400), nodes.answer
        nodes.answer = lambda path, body: (answer, {}, b"<html>") if body[:1] == b"[" else true(path, body)
    landed = fetch(nodes.at("x"))
    assert landed.sent("hash", "receipt_status", "fee") == truth("mainnet")


def test_ids_may_come_back_as_text_and_what_is_missing_is_asked_again(nodes):
    lost = []

    def change(call, answer):
        if call["method"] == "eth_getBlockReceipts" and call["params"] not in lost:
            lost.append(call["params"])
            return None if len(lost) % 2 else answer | {"error": {"code": -32603, "message": "oops"}, "result": None}
        return answer | {"id": str(answer["id"])}

    nodes.change["/x/mainnet"] = change
    waits = []
    assert fetch(nodes.at("x"), waits=waits).sent("hash", "receipt_status", "fee") == truth("mainnet")
    assert len(lost) == 48 and set(waits) == {0.5}


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32005, "message": "daily request count exceeded, request rate limited"},
        {"code": -32016, "message": "over"},
        {"code": 429, "message": "Your app has exceeded its compute units per second capacity"},
    ],
)
def test_a_limit_inside_a_200_waits_and_asks_again(nodes, error):
    left = [3]

    def change(call, answer):
        if call["method"] == "eth_getBlockReceipts" and left[0]:
            left[0] -= 1
            return {"id": call["id"], "error": error}
        return answer

    nodes.change["/x/mainnet"], waits = change, []
    assert fetch(nodes.at("x"), waits=waits).sent("hash", "receipt_status", "fee") == truth("mainnet")
    assert waits
    left[0] = -1
    with pytest.raises(RateLimited, match="node 1 of mainnet"):
        fetch(nodes.at("x"))


def test_429_waits_as_told_or_ever_longer(nodes):
    waits, body = [], b"<html>slow down</html>"
    true, replies = nodes.answer, [(429, {"Retry-After": "7"}, body), (429, {}, body), (503, {}, body)]
    nodes.answer = lambda path, sent: replies.pop(0) if replies else true(path, sent)
    assert fetch(nodes.at("x"), waits=waits).sent("hash", "receipt_status", "fee") == truth("mainnet")
    assert waits == [7.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "reply", [(200, {}, b"<html>sorry</html>"), (200, {}, b'"odd"'), (200, {"Content-Length": "999"}, b'[{"id":0')]
)
def test_a_page_or_a_cut_answer_is_asked_for_again(nodes, reply):
    true, count = nodes.answer, [0]

    def answer(path, body):
        count[0] += 1
        return reply if count[0] % 3 == 2 else true(path, body)

    nodes.answer = answer
    assert fetch(nodes.at("x")).sent("hash", "receipt_status", "fee") == truth("mainnet")


# several nodes


@pytest.mark.parametrize("status", [503, 429, 401, 404])
def test_a_node_that_fails_is_left_for_the_next_and_not_asked_again(nodes, status):
    nodes.first["/a/mainnet"] = [(status, {}, b"no")]
    landed = fetch(nodes.at("a"), nodes.at("b"))
    assert landed.sent("hash", "receipt_status", "fee") == truth("mainnet")
    assert len(nodes.sizes["/a/mainnet"]) == (4 if status in (503, 429) else 1)


def test_without_a_node_that_works_the_day_fails(nodes):
    nodes.first["/a/mainnet"], nodes.first["/b/mainnet"] = [(503, {}, b"")], [(401, {}, b"")]
    with pytest.raises(BadCredentials, match="node 2 of mainnet: 401"):
        fetch(nodes.at("a"), nodes.at("b"))


def test_a_node_of_another_chain_is_refused_before_anything_is_read(nodes):
    with pytest.raises(FixNeeded, match="node 1 of mainnet says it is of chain 10, but mainnet is chain 1"):
        fetch(f"{nodes.url}/x/optimism#mainnet")
    assert {method for _, method, _ in nodes.asked} == {"eth_chainId"}
    nodes.first["/a/mainnet"] = [(503, {}, b"")]
    with pytest.raises(FixNeeded, match="node 2 of mainnet says"):
        fetch(nodes.at("a"), f"{nodes.url}/x/optimism#mainnet")


def test_null_for_a_final_block_is_a_lag_that_is_waited_for_or_left(nodes):
    left = [10]

    def change(call, answer):
        if call["method"] == "eth_getBlockByNumber" and call["params"][1] and left[0]:
            left[0] -= 1
            return answer | {"result": None}
        return answer

    nodes.change["/a/mainnet"] = change
    assert fetch(nodes.at("a")).sent("hash", "receipt_status", "fee") == truth("mainnet")
    left[0] = -1
    assert fetch(nodes.at("a"), nodes.at("b")).sent("hash", "receipt_status", "fee") == truth("mainnet")
    with pytest.raises(Unavailable, match="node 1 of mainnet lags: null to eth_getBlockByNumber"):
        fetch(nodes.at("a"))


def test_a_node_without_block_receipts_is_asked_for_each_transactions(nodes):
    by_hash = {
        receipt["transactionHash"]: receipt
        for number in chain.numbers("optimism", DAY)
        for receipt in chain.node("optimism").receipts(hex(number))
    }

    def change(call, answer):
        if call["method"] == "eth_getBlockReceipts":
            return {"id": call["id"], "error": {"code": -32601, "message": "the method does not exist"}}
        if call["method"] == "eth_getTransactionReceipt":
            return {"id": call["id"], "result": by_hash[call["params"][0]]}
        return answer

    nodes.change["/x/optimism"] = change
    landed = fetch(nodes.at("x", "optimism"))
    assert landed.sent("hash", "receipt_status", "fee") == truth("optimism")
    assert landed.coverage["blocks", "optimism"].status == "complete" and len(landed.rows["user_operations"]) == 1


# parts that do not fit


def spoil_receipts(nodes, path, wrong, times=-1, how=None):
    """Receipts of the blocks `wrong` are those of another block, `times` times."""
    left = {n: times for n in wrong}

    def change(call, answer):
        number = int(call["params"][0], 16) if call["method"] == "eth_getBlockReceipts" else None
        if left.get(number):
            left[number] -= 1
            return answer | {
                "result": (how or (lambda r: [x | {"blockHash": "0x" + "9" * 64} for x in r]))(answer["result"])
            }
        return answer

    nodes.change[path] = change


def busy_block(network="mainnet", day=DAY):
    return next(n for n in chain.numbers(network, day) if len(chain.transactions(network, n)) > 2)


def test_receipts_of_another_fork_are_read_again(nodes):
    spoil_receipts(nodes, "/x/mainnet", [busy_block()], times=2)
    landed = fetch(nodes.at("x"))
    assert landed.sent("hash", "receipt_status", "fee") == truth("mainnet") and not landed.rejected


@pytest.mark.parametrize("how", [None, lambda r: r[:-1], lambda r: r + r[:1], lambda r: r[::-1]])
def test_a_block_that_never_fits_costs_itself_only(nodes, how):
    bad = busy_block()
    spoil_receipts(nodes, "/x/mainnet", [bad], how=how)
    landed = fetch(nodes.at("x"))
    lost = {sent.hash for sent in chain.transactions("mainnet", bad)}
    assert landed.sent("hash", "receipt_status", "fee") == [row for row in truth("mainnet") if row[0] not in lost]
    (rejected,) = landed.rejected
    assert rejected.stream == "blocks" and rejected.part == "mainnet" and f"block {bad}: " in rejected.reason
    line = landed.coverage["blocks", "mainnet"]
    assert (line.expected, line.observed, line.status, line.reason) == (48, 47, "damaged", "1 blocks rejected")


def test_too_many_such_blocks_fail_the_day(nodes):
    spoil_receipts(nodes, "/x/mainnet", range(10**6), how=lambda r: r + [{}])
    with pytest.raises(SuspectData, match="3 blocks of mainnet do not fit together"):
        fetch(nodes.at("x"))


def test_a_block_with_another_parent_fails_the_day(nodes):
    where = chain.numbers("mainnet", DAY)[20]

    def change(call, answer):
        if call["method"] == "eth_getBlockByNumber" and call["params"] == [hex(where), True]:
            answer["result"]["parentHash"] = "0x" + "7" * 64
        return answer

    nodes.change["/x/mainnet"] = change
    with pytest.raises(Unavailable, match=f"blocks {where - 1} and {where} of mainnet are not of one chain"):
        fetch(nodes.at("x"))
    healed = fetch(nodes.at("x"), nodes.at("b"))  # the other node has the right one
    assert healed.sent("hash", "receipt_status", "fee") == truth("mainnet")


SENT = ["hash", "from", "to", "type", "value", "gasPrice", "input", "isSystemTx"]
RECEIPT = [
    *("transactionHash", "blockHash", "status", "gasUsed", "effectiveGasPrice", "contractAddress", "l1Fee"),
    *("operatorFeeScalar", "operatorFeeConstant", "blobGasUsed", "blobGasPrice"),
]
BLOCK = ["number", "hash", "parentHash", "timestamp", "transactions", "gasUsed", "baseFeePerGas"]
GONE = ...  # its name in the tests is the same in every process


@pytest.mark.parametrize("value", [GONE, {"new": 1}, "0x" + "f" * 65, -1, True, 1.5, "\x00💥"], ids=repr)
@pytest.mark.parametrize("field", [*SENT, *RECEIPT, *BLOCK])
def test_a_field_that_drifts_is_never_taken_for_another_fact(nodes, field, value):
    """Rows are right, null where the field is gone, or not landed at all."""
    target = "eth_getBlockReceipts" if field in RECEIPT else "eth_getBlockByNumber"

    def spoil(one):
        one.pop(field, None)
        return one if value is GONE else one | {field: value}

    def change(call, answer):
        if call["method"] == target and call["params"][-1] is not False:
            found = answer["result"]
            if field in BLOCK and field not in SENT and field not in ("gasUsed",):
                answer["result"] = spoil(found)
            elif field in RECEIPT:
                answer["result"] = [spoil(r) for r in found]
            else:
                found["transactions"] = [spoil(t) for t in found["transactions"]]
        return answer

    nodes.change["/x/optimism"] = change
    try:
        landed = fetch(nodes.at("x", "optimism", "&batch=100"))
    except OpenImpactError as error:
        assert isinstance(error, SuspectData | Unavailable) and "\x00" not in str(error)
        return
    right = {h: (s, f) for h, s, f in truth("optimism")}
    for tx, status, fee in landed.sent("hash", "receipt_status", "fee"):
        if tx in right and field not in ("l1Fee", "type"):
            assert status in (right[tx][0], None) and fee in (right[tx][1], None)
    if value is GONE and field in ("status", "gasUsed"):
        assert landed.coverage["blocks", "optimism"].status == "damaged"


# log mode


def test_log_mode_reads_the_blocks_with_logs_and_says_that_it_is_partial(nodes):
    landed = fetch(nodes.at("x", options="&mode=logs"))
    kept = landed.sent("hash", "receipt_status", "fee")
    assert set(kept) < set(truth("mainnet"))
    with_logs = {
        number
        for number in chain.numbers("mainnet", DAY)
        for sent in chain.transactions("mainnet", number)
        if sent.status and sent.to in (chain.MARKET, chain.CORAL)
    }
    assert {b["number"] for b in landed.rows["blocks"]} == with_logs
    line = landed.coverage["blocks", "mainnet"]
    assert (line.expected, line.observed, line.status) == (48, len(with_logs), "damaged")
    assert line.reason.startswith("log mode")


def test_ranges_of_logs_shrink_as_told_and_never_pass_the_days_end(nodes):
    seen = []

    def change(call, answer):
        if call["method"] == "eth_getLogs":
            first, last = (int(call["params"][0][k], 16) for k in ("fromBlock", "toBlock"))
            seen.append((first, last))
            if last - first >= 10:
                return {"id": call["id"], "error": {"code": -32005, "message": "query returned more than 10000 results. Try with this block range [0x1, 0xa]."}}  # fmt: skip  # noqa: E501
        return answer

    nodes.change["/x/mainnet"] = change
    fetch(nodes.at("x", options="&mode=logs"))
    days = chain.numbers("mainnet", DAY)
    assert seen[0] == (days[0], days[-1]) and seen[1] == (days[0], days[0] + 9)
    assert max(last for _, last in seen) == days[-1]


@pytest.mark.parametrize(
    ("text", "span", "next_span"),
    [
        ("Try with this block range [0x10, 0x1F].", 2000, 16),
        ("range 1000000 exceeds limit of 10000", 1_000_000, 10_000),
        ("up to a 500 block range", 2000, 500),
        ("up to a 500 block range", 500, 250),
        ("eth_getLogs is limited to a 10,000 range", 20_000, 10_000),
        ("exceeds the range allowed for your plan (2000 > 100)", 2000, 100),
        ("Max range: 1024", 2000, 1024),
        ("block range is too wide", 2000, 1000),
        ("query exceeds max results", 3, 1),
        ("backend response too large [0x, zz]", 2, 1),
        ("Try [0x5, 0x1]", 100, 50),
    ],
)
def test_hints_of_a_node(text, span, next_span):
    assert shorter_span(text, span) == next_span


# numbers and fees


@pytest.mark.parametrize(
    ("given", "number"),
    [("0x", 0), ("0x0", 0), ("0X1f", 31), ("12", 12), (7, 7), (None, None), ("0x" + "f" * 64, 2**256 - 1)],
)
def test_quantities_come_in_several_forms(given, number):
    assert quantity(given) == number


@pytest.mark.parametrize("given", ["", "-1", "0x-1", "1_0", "0x1_0", " 1", "1.5", -1, True, 1 << 256, "0x" + "1" * 65])
def test_what_is_no_quantity_is_refused(given):
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(given)


def test_the_operators_fee_by_fork_as_in_g13():
    receipt = msgspec.json.decode(
        b'{"transactionHash":"","blockHash":"","operatorFeeScalar":"0x1e8480","operatorFeeConstant":"500"}',
        type=evm_rpc_receipt(),
    )
    assert operator_fee_of(receipt, 100_000, is_jovian=False) == 200_500
    assert operator_fee_of(receipt, 100_000, is_jovian=True) == 20_000_000_000_500
    assert operator_fee_of(receipt, None, is_jovian=True) is None


def evm_rpc_receipt():
    from include.sources import _evm_rpc_blocks

    return _evm_rpc_blocks._Receipt


# the connection


def test_the_connection_names_networks_nodes_and_options():
    urls = ("https://a.example/v2/K#base&mode=logs&batch=5", "https://b.example#mainnet", "https://c.example/#base")
    base, mainnet = evm_rpc.configured(Connection(urls=urls))
    assert (base.name, base.chain_id, base.urls) == ("base", 8453, ("https://a.example/v2/K", "https://c.example/"))
    assert (base.mode, base.batch, mainnet.mode, mainnet.batch) == ("logs", 5, "blocks", 20)
    assert base.jovian_from == datetime(2025, 12, 2, 16, 0, 1, tzinfo=UTC) and mainnet.jovian_from is None


@pytest.mark.parametrize("end", ["", "#nowhere", "#mainnet&mode=all", "#mainnet&batch=x", "#mainnet&speed=9"])
def test_a_connection_that_cannot_be_used_is_refused_without_showing_it(end):
    with pytest.raises(FixNeeded, match="address 1 of AIRFLOW_CONN_EVM_RPC") as caught:
        evm_rpc.configured(Connection(urls=(f"https://a.example/{KEY}{end}",)))
    assert KEY not in str(caught.value)


def test_it_is_off_without_a_connection():
    assert off_reason(SOURCE, {}).startswith("evm_rpc is off: ")


def test_no_key_reaches_a_log_a_message_or_a_row(nodes, caplog):
    caplog.set_level(logging.DEBUG)

    def change(call, answer):
        if call["method"] == "eth_getBlockReceipts" and random.random() < 0.2:
            return {"id": call["id"], "error": {"code": -32000, "message": f"key {KEY} at /v2/{KEY}/mainnet is slow"}}
        return answer

    path = f"/v2/{KEY}/mainnet"
    nodes.change[path] = change
    nodes.first[f"/v3/{KEY}/mainnet"] = [(503, {}, KEY.encode())]
    urls = [f"{nodes.url}/v3/{KEY}/mainnet#mainnet", f"{nodes.url}{path}#mainnet"]
    landed = fetch(*urls)
    nodes.change[path] = lambda call, answer: {"id": call["id"], "error": {"code": 1, "message": f"bad {KEY}"}}
    with pytest.raises(OpenImpactError) as caught:
        fetch(*urls)
    assert KEY not in caplog.text + repr(caught.value) + repr(landed.__dict__)


# through the lake


def test_a_landed_day_brings_what_the_next_one_follows(tmp_path, monkeypatch):
    from tests.sources.standins import connect, rows, settings_in

    connect(monkeypatch, tmp_path / "up")
    settings = settings_in(tmp_path / "home")
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    ingest.land(SOURCE, Window(DAY, DAY + timedelta(days=2)), settings)
    made = chain.made_contract("mainnet", DAY)
    calls = [(d, to) for d, to in rows(settings, "evm_rpc__transactions", "_day", "to_address") if to == made]
    assert calls == [(DAY, made), (DAY + timedelta(days=1), made), (DAY + timedelta(days=1), made)]


# recordings


def answers_of(path: Path):
    """The answer lines of an execution-apis file."""
    return [json.loads(line[3:]) for line in path.read_text().splitlines() if line.startswith("<<")]


def read_block(block, receipts, followed, network="mainnet"):
    at = datetime.fromtimestamp(quantity(block["timestamp"]), UTC)
    day = Day(
        Network(name=network, chain_id=1, confirmations=1, jovian_from=None), followed, at, at + timedelta(days=1)
    )
    parts = msgspec.Raw(json.dumps(block).encode()), json.dumps(receipts).encode()
    rows = rows_of(day, quantity(block["number"]), parts, None)
    names = [s.schema.names for s in (evm_rpc.TRANSACTIONS, evm_rpc.BLOCKS)]
    return (
        [dict(zip(names[0], row, strict=True)) for row in rows.transactions],
        dict(zip(names[1], rows.block, strict=True)),
        day,
    )


def test_a_mainnet_block_of_2015_gives_the_rows_of_ethereum_etl(recordings):
    etl = recordings / "evm/ethereum-etl"
    folder = etl / "test_export_blocks_job/block_with_logs"
    block = json.loads((folder / "web3_response.eth_getBlockByNumber_0x76250_true.json").read_text())["result"]
    receipts = {}
    for file in (etl / "test_export_receipts_job/receipts_with_logs").glob("web3_response.*.json"):
        receipt = json.loads(file.read_text())["result"]
        receipts[receipt["transactionHash"]] = receipt
    listed = {t["from"] for t in block["transactions"]}
    rows, _, day = read_block(block, [receipts[t["hash"]] for t in block["transactions"]], listed)
    with (
        (folder / "expected_transactions.csv").open() as sent,
        (etl / "test_export_receipts_job/receipts_with_logs/expected_receipts.csv").open() as got,
    ):
        expected = {r["hash"]: r for r in csv.DictReader(sent)}
        expected_receipts = {r["transaction_hash"]: r for r in csv.DictReader(got)}
    assert {r["hash"] for r in rows} == expected.keys() and len(rows) >= 4
    for row in rows:
        one, receipt = expected[row["hash"]], expected_receipts[row["hash"]]
        assert (row["value"], row["from_address"]) == (one["value"], one["from_address"])
        assert (row["to_address"] or "") == one["to_address"]
        assert str(row["receipt_gas_used"]) == receipt["gas_used"] and row["receipt_status"] is None
        assert row["fee"] == str(int(receipt["gas_used"]) * int(one["gas_price"]))
    assert list(day.reasons) == ["receipts without a status"]


def test_receipts_of_a_real_node_by_block(recordings):
    folder = recordings / "evm/execution-apis/tests"
    for name in ("get-block-receipts-n", "get-block-receipts-latest", "get-block-receipts-by-hash"):
        (answer,) = answers_of(folder / f"eth_getBlockReceipts/{name}.io")
        receipts = answer["result"]
        sent = [
            {"hash": r["transactionHash"], "from": r["from"], "to": r["to"], "type": r["type"], "value": "0x0"}
            for r in receipts
        ]
        block = {
            "number": receipts[0]["blockNumber"], "hash": receipts[0]["blockHash"], "parentHash": "0x" + "0" * 64,
            "timestamp": "0x64", "transactions": sent,
        }  # fmt: skip
        rows, found, _ = read_block(block, receipts, {r["from"].lower() for r in receipts})
        assert found["transaction_count"] == len(receipts) == len(rows)
        assert [r["fee"] for r in rows] == [
            str(int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16)
                + int(r.get("blobGasUsed", "0x0"), 16) * int(r.get("blobGasPrice", "0x0"), 16))
            for r in receipts
        ]  # fmt: skip


def test_blocks_of_every_fork_can_be_read(recordings):
    folder = recordings / "evm/execution-apis/tests/eth_getBlockByNumber"
    for name in ("london", "merge", "shanghai", "cancun", "prague"):
        (answer,) = answers_of(folder / f"get-block-{name}-fork.io")
        block = answer["result"]
        full = [t for t in block["transactions"] if isinstance(t, dict)]
        receipts = [{"transactionHash": t["hash"], "blockHash": block["hash"], "status": "0x1"} for t in full]
        _, found, _ = read_block(block | {"transactions": full}, receipts, set())
        assert found["hash"] == block["hash"] and found["number"] == int(block["number"], 16)


def test_a_deposit_of_op_mainnet_is_a_system_transaction_without_a_fee(recordings):
    receipt, sent = (e["json"] for e in json.loads((recordings / "evm/op-stack/op-alloy-examples.json").read_text()))
    receipt |= {"blockHash": sent["blockHash"], "transactionHash": sent["hash"]}
    block = {
        "number": sent["blockNumber"], "hash": sent["blockHash"], "parentHash": "0x" + "0" * 64, "timestamp": "0x64",
        "transactions": [sent],
    }  # fmt: skip
    (row,), found, _ = read_block(block, [receipt], {sent["from"]}, "optimism")
    assert (row["is_system"], row["fee"], row["l1_fee"], row["transaction_type"]) == (True, "0", str(0x5BF1AB43D), 126)
    assert found["system_transaction_count"] == 1
