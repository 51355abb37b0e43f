"""Traces of chains: two methods, nodes without either, answers that do not fit; against the world's own calls."""

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from demo import chain
from include import ingest
from include.errors import FixNeeded, RateLimited, SuspectData, Unavailable
from include.sources import evm_rpc, get_source
from include.sources._evm_rpc_traces import BadTraces, fee_shares, frames_of
from include.sources._evm_rpc_wire import RpcError
from include.sources.base import Connection, Coverage, Window
from tests.sources.standins import connect, rows, settings_in
from tests.sources.test_evm_rpc import DAY, LISTED, Nodes, busy_block, fetch, truth

ON = "&traces=on"
METHODS = ("trace_block", "debug_traceBlockByNumber")
TARGETS = {"mainnet": [chain.MARKET, chain.CORAL], "optimism": [chain.VAULT, chain.CORAL]}
COLUMNS = ("transaction_hash", "trace_address", "trace_type", "from_address", "to_address", "is_reverted", "fee_share")


@pytest.fixture
def nodes():
    nodes = Nodes()
    yield nodes
    nodes.server.shutdown()
    nodes.server.server_close()


def shares_of(sent):
    """Wei of the fee by address, by the rule as it is written: own gas, rounded down, the rest to the called one."""
    fee = sent.gas * sent.price + sent.l1_fee
    called = sent.to or sent.created
    if not sent.status:
        return {called: fee} if sent.to else {}
    own, total = Counter(), 0
    for path, to, gas in [((), called, sent.gas), *((one.path, one.to, one.gas) for one in sent.inside)]:
        mine = gas - sum(one.gas for one in sent.inside if one.path[:-1] == path)
        own[to] += mine
        total += mine
    found = {to: fee * gas // total for to, gas in own.items() if to and to != called}
    return found | {called: fee - sum(found.values())}


def traces_of(network="mainnet", day=DAY, created=()):
    """The rows that must be kept, straight from the world."""
    followed = {a.identity for a in LISTED if a.network in (network, "any_evm")} | set(created)
    creators = {chain.DEPLOYER, chain.MARKET} if network == "mainnet" else {chain.DEPLOYER}
    found = []
    for number in chain.numbers(network, day):
        for sent in chain.transactions(network, number):
            shares = shares_of(sent) if sent.kind != 0x7E else {sent.to: 0}
            root = chain.Inner((), "call" if sent.to else "create", sent.sender, sent.to or sent.created, sent.gas)
            failed = [one.path for one in sent.inside if one.error]
            for one in (root, *sent.inside):
                undone = not sent.status or any(one.path[: len(path)] == path for path in failed)
                to = None if undone and one.kind.startswith("create") else one.to
                makes = one.kind.startswith("create") and one.sender in creators
                if makes and not undone:
                    followed.add(to)
                if to in followed or makes or (one.sender in followed and not one.kind.startswith("create")):
                    share = shares.pop(to, None)
                    path = ",".join(map(str, one.path))
                    found.append(
                        (sent.hash, path, one.kind, one.sender, to, undone, share if share is None else str(share))
                    )
    return found


def nested(entries):
    """callTracer's form of a block's flat traces, its roots with the gas that every transaction costs."""
    found = {}
    for one in entries:
        if "transactionHash" in one:
            action, result, path = one["action"], one["result"] or {}, one["traceAddress"]
            call = {
                "type": action.get("callType", action.get("creationMethod")).upper(),
                "from": action["from"],
                "calls": [],
            }
            call |= {"to": action.get("to", result.get("address")), "value": action["value"], "gas": action["gas"]}
            call |= {"gasUsed": result.get("gasUsed", action["gas"])} | (
                {"error": one["error"]} if "error" in one else {}
            )
            tops = found.setdefault(one["transactionHash"], call)
            if path:
                for step in path[:-1]:
                    tops = tops["calls"][step]
                tops["calls"].append(call)
    return [{"txHash": tx, "result": call} for tx, call in found.items()]


def by_debug(call, answer):
    """A geth: no trace_block, callTracer instead."""
    if call["method"] == "trace_block":
        return no_method(call, answer)
    if call["method"] == "debug_traceBlockByNumber":
        assert call["params"][1] == {"tracer": "callTracer"}
        return {"id": call["id"], "result": nested(chain.node("mainnet").traces(call["params"][0]))}
    return answer


def no_method(call, answer, code=-32601, message="the method does not exist/is not available"):
    return {"id": call["id"], "error": {"code": code, "message": message}} if call["method"] in METHODS else answer


def kept(landed):
    return [tuple(row[c] for c in COLUMNS) for row in landed.rows["traces"]]


# what is kept


@pytest.mark.parametrize("change", [None, by_debug])
@pytest.mark.parametrize("day", [DAY, DAY + timedelta(days=5), chain.LAST_DAY])
def test_frames_of_followed_addresses_are_kept_with_their_transactions(nodes, change, day):
    if change:
        nodes.change["/x/mainnet"] = change
    landed = fetch(nodes.at("x", options=ON), day=day)
    assert kept(landed) == traces_of(day=day)
    assert landed.coverage["traces", "mainnet"] == Coverage("traces", "mainnet", 48, 48, "complete")
    hashes = landed.sent("hash")
    assert {h for (h,) in hashes} >= {row[0] for row in kept(landed)} and len(hashes) == len(set(hashes))
    routers = [r for r in landed.rows["transactions"] if r["to_address"] == chain.address("router")]
    assert [(r["receipt_status"], r["receipt_gas_used"]) for r in routers] == [(1, 120_000), (0, 60_001)]
    assert sum(b["kept_transaction_count"] for b in landed.rows["blocks"]) == len(hashes)


def test_a_routed_call_as_counted_by_hand(nodes):
    landed = fetch(nodes.at("x", options=ON))
    number = chain.numbers("mainnet", DAY).start + 6
    done = next(s for s in chain.transactions("mainnet", number) if s.gas == 120_000)
    mine = {r[1]: r[2:] for r in kept(landed) if r[0] == done.hash}
    router, shop, market, coral = chain.address("router"), chain.address("shop2"), chain.MARKET, chain.CORAL
    wei = 10**9  # a unit of gas; market used 25,000 itself, coral 15,000 + 9,000 + 5,000
    assert mine == {
        "0": ("call", router, market, False, str(25_000 * wei)),
        "0,0": ("delegatecall", market, coral, False, str(29_000 * wei)),
        "1,0": ("call", shop, coral, True, None),
        "2": ("staticcall", router, coral, False, None),
    }


def test_what_a_factory_makes_is_followed_from_there_on(nodes):
    landed = fetch(nodes.at("x", options=ON))
    made, first = chain.spawned_contract("mainnet", DAY), chain.numbers("mainnet", DAY).start
    calls = [r["block_number"] - first for r in landed.rows["transactions"] if r["to_address"] == made]
    assert calls == [11]  # not that of block 8, which came before
    makings = [r for r in landed.rows["traces"] if r["trace_type"].startswith("create") and r["trace_address"]]
    assert [(r["to_address"], r["is_reverted"], r["error"]) for r in makings] == [
        (made, False, None),
        (None, True, "Out of gas"),
    ]
    payload = json.loads(makings[0]["_payload"])
    assert payload["action"]["init"] == "0x6080" and payload["subtraces"] == 0


@pytest.mark.parametrize("tags", [None, ("contract", "proxy")])
def test_a_contract_that_no_creator_makes_is_not_followed(nodes, tags):
    market = [replace(a, tags=tags) for a in LISTED if tags and a.identity == chain.MARKET]
    made = chain.spawned_contract("mainnet", DAY)
    landed = fetch(nodes.at("x", options=ON), listed=(*(a for a in LISTED if a.identity != chain.MARKET), *market))
    assert made not in [to for (to,) in landed.sent("to_address")]
    assert {r["to_address"] for r in landed.rows["traces"] if r["from_address"] == made} == {chain.CORAL}
    assert [r for r in landed.rows["traces"] if r["trace_address"] and r["trace_type"].startswith("create")] == []


def test_the_next_day_follows_what_a_factory_made(tmp_path, monkeypatch):
    connect(monkeypatch, tmp_path / "up")
    listing = tmp_path / "up" / "directory" / "data" / "projects" / "m" / "market.yaml"
    settings = settings_in(tmp_path / "home")
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(
        f"version: 7\nname: market\ndisplay_name: Market\nblockchain:\n  - address: '{chain.MARKET}'\n"
        "    tags: [contract, factory]\n    networks: [mainnet]\n"
    )
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    ingest.land(evm_rpc.SOURCE, Window(DAY, DAY + timedelta(days=2)), settings)
    made = chain.spawned_contract("mainnet", DAY)
    calls = [d for d, to in rows(settings, "evm_rpc__transactions", "_day", "to_address") if to == made]
    assert calls == [DAY, DAY + timedelta(days=1), DAY + timedelta(days=1)]


def test_payloads_leave_out_the_frames_below(nodes):
    nodes.change["/x/mainnet"] = by_debug
    payloads = [json.loads(r["_payload"]) for r in fetch(nodes.at("x", options=ON)).rows["traces"]]
    assert payloads and all("calls" not in p and p["gas"] for p in payloads)


def test_log_mode_traces_what_it_reads(nodes):
    landed = fetch(nodes.at("x", options=ON + "&mode=logs"))
    line = landed.coverage["traces", "mainnet"]
    assert (line.status, line.observed) == ("damaged", len(landed.rows["blocks"])) and line.observed < 48
    assert set(kept(landed)) < set(traces_of())


# which node answers what


def test_nothing_is_asked_without_the_option(nodes):
    landed = fetch(nodes.at("x"), nodes.at("y", "optimism", "&traces=off"))
    assert not {method for _, method, _ in nodes.asked} & set(METHODS) and not landed.rows["traces"]
    for network, count in (("mainnet", 48), ("optimism", 96)):
        line = landed.coverage["traces", network]
        assert (line.expected, line.observed, line.status) == (count, 0, "known_missing")
        assert f"address of {network} with &traces=on" in line.reason


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32601, "the method trace_block does not exist/is not available"),
        (-32600, "Unsupported method: trace_block. See available methods"),
        (-32600, "debug_traceBlockByNumber is not available on the Free tier - upgrade to Pay As You Go"),
        (-32000, "required historical state unavailable (reexec=128)"),
        (-32000, "missing trie node 1234 (path ) state 0x12 is not available"),
    ],
)
def test_without_a_method_the_day_lands_and_its_traces_are_known_missing(nodes, code, message):
    nodes.change["/x/mainnet"] = lambda call, answer: no_method(call, answer, code, message)
    landed = fetch(nodes.at("x", options=ON))
    assert landed.sent("hash", "receipt_status", "fee") == truth("mainnet") and not landed.rows["traces"]
    assert landed.coverage["blocks", "mainnet"].status == "complete"
    line = landed.coverage["traces", "mainnet"]
    assert (line.observed, line.status) == (0, "known_missing")
    assert line.reason == f"no node answers trace_block or debug_traceBlockByNumber: {message}"
    asked = Counter(method for _, method, _ in nodes.asked)
    assert [asked[method] for method in METHODS] == [4, 4]  # one request of four blocks each, never again


def test_the_node_that_traces_is_found_among_several(nodes):
    for name in ("a", "b"):
        nodes.change[f"/{name}/mainnet"] = no_method
    nodes.first["/d/mainnet"] = [(503, {}, b"")]
    landed = fetch(*(nodes.at(name, options=ON) for name in "abcd"))
    assert kept(landed) == traces_of()
    asked = Counter((path, method) for path, method, _ in nodes.asked if method in METHODS)
    assert asked == {(f"/{name}/mainnet", method): 4 for name in "ab" for method in METHODS} | {
        ("/c/mainnet", METHODS[0]): 48
    }


def test_a_node_that_stops_tracing_is_left_for_one_with_the_other_method(nodes):
    count = [0]

    def dies(call, answer):
        count[0] += call["method"] == "trace_block"
        return {"id": call["id"], "error": {"code": -32000, "message": "oops"}} if count[0] > 20 else answer

    nodes.change["/a/mainnet"], nodes.change["/b/mainnet"] = dies, by_debug
    landed = fetch(nodes.at("a", options=ON), nodes.at("b"))
    assert kept(landed) == traces_of() and landed.coverage["traces", "mainnet"].status == "complete"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ({"code": -32000, "message": "execution timeout"}, Unavailable),
        ({"code": -32016, "message": "over"}, RateLimited),
    ],
)
def test_a_node_that_offers_traces_and_fails_fails_the_day(nodes, error, raised):
    nodes.change["/x/mainnet"] = lambda call, answer: (
        {"id": call["id"], "error": error} if call["method"] == "trace_block" else answer
    )
    with pytest.raises(raised, match="node 1 of mainnet"):
        fetch(nodes.at("x", options=ON))


def test_nulls_and_lost_answers_are_asked_again(nodes):
    lost = []

    def change(call, answer):
        if call["method"] == "trace_block" and call["params"] not in lost:
            lost.append(call["params"])
            return None if len(lost) % 2 else answer | {"result": None}
        return answer | {"id": str(answer["id"])}

    nodes.change["/x/mainnet"] = change
    assert kept(fetch(nodes.at("x", options=ON))) == traces_of() and len(lost) == 48


def test_batches_of_traces_are_small_and_halve_without_those_of_blocks(nodes):
    def whole(asked):
        sizes.append((asked[0]["method"], len(asked)) if isinstance(asked, list) else (asked["method"], 1))
        too_large = isinstance(asked, list) and asked[0]["method"] == "trace_block" and len(asked) > 2
        return {"id": None, "error": {"code": -32003, "message": "response is too big"}} if too_large else None

    sizes = []
    nodes.whole["/x/mainnet"] = whole
    assert kept(fetch(nodes.at("x", options=ON))) == traces_of()
    assert [n for method, n in sizes if method == "trace_block"] == [4, *[2] * 24]
    assert max(n for method, n in sizes if method == "eth_getBlockByNumber") == 20


def test_the_option_is_on_or_off():
    (network,) = evm_rpc.configured(Connection(urls=("https://a.example#mainnet&traces=on",)))
    assert network.traces is True
    with pytest.raises(FixNeeded, match=r"traces=on\|off"):
        evm_rpc.configured(Connection(urls=("https://a.example#mainnet&traces=yes",)))


# traces that do not fit


def spoil(nodes, wrong, how, times=-1):
    """Traces of the blocks `wrong` are changed, `times` times."""
    left = {n: times for n in wrong}

    def change(call, answer):
        number = int(call["params"][0], 16) if call["method"] == "trace_block" else None
        if left.get(number):
            left[number] -= 1
            return answer | {"result": how(answer["result"])}
        return answer

    nodes.change["/x/mainnet"] = change


WRONG = {
    "another block": lambda r: [t | {"blockHash": "0x" + "9" * 64} for t in r],
    "empty": lambda r: [],
    "a transaction lost": lambda r: [t for t in r if t.get("transactionPosition") != 0],
    "a root lost": lambda r: [t for t in r if t["traceAddress"] or t.get("transactionPosition") != 0],
    "a root twice": lambda r: r + r[:1],
    "a child alone": lambda r: [*r, r[0] | {"traceAddress": [7, 1]}],
    "a success as failure": lambda r: [t | {"error": "Reverted"} for t in r],
    "no address": lambda r: [t | {"action": t["action"] | {"from": "0x12"}} for t in r],
    "no number": lambda r: [t | {"action": t["action"] | {"value": -1}} for t in r],
    "an object": lambda r: {"odd": r},
}


@pytest.mark.parametrize("how", WRONG.values(), ids=WRONG)
def test_traces_that_never_fit_cost_themselves_only(nodes, how):
    bad = next(n for n in chain.numbers("mainnet", DAY) if any(s.status for s in chain.transactions("mainnet", n)))
    spoil(nodes, [bad], how)
    landed = fetch(nodes.at("x", options=ON))
    lost = {sent.hash for sent in chain.transactions("mainnet", bad)}
    assert kept(landed) == [row for row in traces_of() if row[0] not in lost]
    assert {row[0] for row in truth("mainnet")} <= {h for (h,) in landed.sent("hash")}
    (rejected,) = landed.rejected
    assert (rejected.stream, rejected.part) == ("traces", "mainnet") and f"block {bad}: " in rejected.reason
    line = landed.coverage["traces", "mainnet"]
    assert (line.expected, line.observed, line.status) == (48, 47, "damaged") and "did not fit" in line.reason
    assert landed.coverage["blocks", "mainnet"].status == "complete"


def test_traces_that_fit_the_second_time_are_whole(nodes):
    spoil(nodes, [busy_block()], WRONG["another block"], times=2)
    landed = fetch(nodes.at("x", options=ON))
    assert kept(landed) == traces_of() and not landed.rejected


def test_too_many_such_traces_fail_the_day(nodes):
    spoil(nodes, range(10**6), WRONG["a transaction lost"])
    with pytest.raises(SuspectData, match="3 blocks of mainnet do not fit together.*without traces=on"):
        fetch(nodes.at("x", options=ON))


@pytest.mark.parametrize("value", [None, {"new": 1}, "0x" + "f" * 65, -1, True, 1.5, "\x00💥"], ids=repr)
@pytest.mark.parametrize("field", ["type", "from", "to", "value", "gasUsed", "error", "calls", "txHash", "result"])
def test_a_field_of_call_tracer_that_drifts_is_never_taken_for_another_fact(field, value):
    """Read as it is meant, or refused; never a frame too few or of other addresses."""
    call = {"type": "CALL", "from": "0x" + "1" * 40, "to": "0x" + "2" * 40, "value": "0x1", "gasUsed": "0x5"}
    call["calls"] = [dict(call, type="DELEGATECALL")]
    whole = {"txHash": "0xt", "result": call}
    (whole if field in whole else call)[field] = value
    try:
        ((root, *below),) = frames_of(METHODS[1], json.dumps([whole]).encode(), "0xb", [("0xt", None, 9)])
    except BadTraces:
        return
    assert (root.kind, root.sender, root.gas, len(below)) == (
        "call" if field != "type" else str(value).lower(),
        "0x" + "1" * 40,
        9,
        1,
    )
    assert root.to == (None if field == "to" else "0x" + "2" * 40)


@pytest.mark.parametrize("depth", [1, 1024])
def test_calls_are_read_as_deep_as_the_machine_allows_them(depth):
    call = f'{{"type":"CALL","from":"0x{"1" * 40}","to":"0x{"2" * 40}","gasUsed":"0x1"'
    answer = f'{call},"calls":[' * depth + call + "}" + "]}" * depth
    ((*frames,),) = frames_of(METHODS[1], f'[{{"txHash":"0xt","result":{answer}}}]'.encode(), "0xb", [("0xt", 1, 9)])
    assert [f.path for f in frames] == [(0,) * n for n in range(depth + 1)]
    with pytest.raises(BadTraces, match="cannot be read"):
        frames_of(METHODS[1], b'[{"txHash":"0xt","result":' + b'{"a":[' * 50_000 + b"]", "0xb", [("0xt", 1, 9)])


def test_shares_of_a_fee_as_in_g13():
    """t3: K (40000) calls L (15000), L staticcalls Z (5000); 4e10 wei."""
    k, ell, z, u1 = ("0x" + c * 40 for c in "abcd")
    inner = {"type": "STATICCALL", "from": ell, "to": z, "gasUsed": "0x1388"}
    middle = {"type": "CALL", "from": k, "to": ell, "gasUsed": "0x3a98", "calls": [inner]}
    call = {"type": "CALL", "from": u1, "to": k, "gasUsed": "0x1", "calls": [middle]}
    answer = json.dumps([{"txHash": "0xt3", "result": call}]).encode()
    (frames,) = frames_of(METHODS[1], answer, "0xb", [("0xt3", 1, 40_000)])
    assert fee_shares(frames, 4 * 10**10) == {k: 25 * 10**9, ell: 10**10, z: 5 * 10**9}
    (failed,) = frames_of(METHODS[1], answer, "0xb", [("0xt3", 0, 40_000)])
    assert fee_shares(failed, 4 * 10**10) == {k: 4 * 10**10} and all(f.is_undone for f in failed)
    assert sum(fee_shares(frames, 10**10 + 7).values()) == 10**10 + 7  # nothing is lost by rounding


# recordings


@pytest.mark.parametrize(
    "name", ["block_with_create", "block_with_error", "block_with_subtraces", "block_with_suicide"]
)
def test_blocks_of_mainnet_give_the_traces_of_ethereum_etl(recordings, name):
    folder = recordings / "evm/ethereum-etl/test_export_traces_job" / name
    (file,) = folder.glob("*.json")
    answer = json.loads(file.read_text())["result"]
    hashes = list(dict.fromkeys(t["transactionHash"] for t in answer if t.get("transactionHash")))
    found = frames_of(
        METHODS[0], msgspec.json.encode(answer), answer[0]["blockHash"], [(h, None, None) for h in hashes]
    )
    with (folder / "expected_traces.csv").open() as given:
        expected = [r for r in csv.DictReader(given) if r["transaction_hash"]]
    mine = [(tx, frame) for tx, frames in zip(hashes, found, strict=True) for frame in frames]
    assert len(mine) == len(expected) > 0
    for (tx, frame), row in zip(mine, expected, strict=True):
        assert (tx, ",".join(map(str, frame.path))) == (row["transaction_hash"], row["trace_address"])
        kinds = {"create": "create", "suicide": "selfdestruct"}
        assert frame.kind == kinds.get(row["trace_type"], row["call_type"])
        assert (frame.sender, str(frame.value)) == (row["from_address"], row["value"])
        assert frame.to == (row["to_address"] or None) and frame.gas == int(row["gas_used"] or 0)
        assert (frame.error or "", frame.is_undone) == (row["error"], row["status"] == "0")


def test_a_fee_is_not_shared_where_the_gas_of_a_frame_is_unknown(nodes):
    """OpenEthereum tells no gas of a call that reverted; the events stay, the shares do not."""
    mine = [t for t in traces_of() if t[6] is not None]
    spoil(nodes, range(10**6), lambda r: [t | {"result": None} if t.get("error") == "Reverted" else t for t in r])
    landed = fetch(nodes.at("x", options=ON))
    assert [row[:6] for row in kept(landed)] == [row[:6] for row in traces_of()]
    routed = next(
        s.hash for n in chain.numbers("mainnet", DAY) for s in chain.transactions("mainnet", n) if s.gas == 120_000
    )
    assert [row for row in kept(landed) if row[6] is not None] == [row for row in mine if row[0] != routed]
    line = landed.coverage["traces", "mainnet"]
    assert (line.observed, line.status) == (48, "damaged") and "cannot be shared" in line.reason


def test_errors_that_mean_no_method_and_those_that_do_not():
    assert not RpcError(-32000, "execution timeout").no_method and not RpcError(-32000, "header not found").no_method
    assert RpcError(-32600, "Method not found").no_method and RpcError(0, "Unsupported method: trace_block").no_method
