"""Two chains of the world and a node of each: blocks, receipts and logs over JSON-RPC, as real nodes write them.

On purpose: batches limited and answered in turn, quantities in several forms, blocks that share a time, no `finalized`
tag on the rollup, system and user deposits, failed creations that carry an address, user operations, huge values.
Only mainnet's node traces: calls inside transactions, some undone by a caller, and contracts that a factory makes.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from demo.world import FIRST_DAY, LAST_DAY, SEED

CHAIN_IDS = {"mainnet": 1, "optimism": 10}
SECONDS = {"mainnet": 1800, "optimism": 900}  # a block, on average
MOST_CALLS = {"mainnet": 100, "optimism": 50}
MOST_RANGE = 400  # blocks of one eth_getLogs
START = datetime.combine(FIRST_DAY - timedelta(days=1), time(), UTC)
HEAD_AT = datetime.combine(LAST_DAY + timedelta(days=22), time(), UTC)
OP_SYSTEM = "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"
USER_OPERATION = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
ENTRY_POINT = "0x0000000071727de22e5e9d8baf0edac6f37da032"
CORAL = "0xabcdef0123456789abcdef0123456789abcdef01"  # any_evm of coralnet, and tidewater's on optimism


def digest(*parts: object) -> str:
    """64 hex digits that follow from the parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def address(name: str) -> str:
    """The address of a made-up contract or account."""
    return f"0x{digest('address', name)[:40]}"


VAULT, MARKET, DEPLOYER, TREASURY, ACCOUNT = map(address, ("vault", "market", "deployer", "treasury", "account"))
LISTED = {  # by project: address as typed, tags, networks
    "brindle": [(VAULT.upper().replace("0X", "0x"), ["contract"], ["optimism"]), (DEPLOYER, ["deployer", "eoa"], ["mainnet", "optimism"])],
    "sprout": [(MARKET, ["contract", "factory", "proxy"], ["mainnet"]), (ACCOUNT, ["wallet"], ["optimism"])],
    "steady": [(TREASURY, ["safe", "wallet"], ["mainnet"])],
    "tidewater": [(CORAL, ["contract"], ["optimism"])],
}  # fmt: skip


@dataclass(frozen=True)
class Inner:
    """A call or creation inside a transaction; its gas is that of all below it too."""

    path: tuple[int, ...]
    kind: str
    sender: str
    to: str | None
    gas: int
    error: str | None = None


@dataclass(frozen=True)
class Sent:
    """One transaction as it really was; amounts in wei."""

    hash: str
    sender: str
    to: str | None
    status: int = 1
    kind: int = 2
    gas: int = 21_000
    price: int = 10**9
    l1_fee: int = 0
    value: int = 0
    created: str | None = None
    is_system: bool = False
    operations: tuple[tuple[str, bool, int], ...] = field(default=())  # sender, success, cost
    inside: tuple[Inner, ...] = ()


def moment(network: str, number: int) -> int:
    """The second of a block; two blocks of the rollup share one."""
    number = number if network == "mainnet" else number - number % 2
    return int(START.timestamp()) + number * SECONDS[network]


def head(network: str) -> int:
    """The newest block."""
    return int((HEAD_AT - START).total_seconds()) // SECONDS[network]


def numbers(network: str, day: date) -> range:
    """The blocks of a day."""
    a_day = 86_400 // SECONDS[network]
    first = (day - START.date()).days * a_day
    return range(first, first + a_day)


def made_contract(network: str, day: date) -> str | None:
    """The contract that the deployer made on a day: one every tenth day."""
    age = (day - FIRST_DAY).days
    return address(f"made/{network}/{age}") if 0 <= age and age % 10 == 0 else None


def spawned_contract(network: str, day: date) -> str | None:
    """The contract that a call of the network's first target made on a day: one every tenth day."""
    age = (day - FIRST_DAY).days
    return address(f"spawned/{network}/{age}") if 0 <= age and age % 10 == 0 else None


def _routed(target: str) -> tuple[Inner, ...]:
    """A router that calls a target, and CORAL only by way of others, one of which is undone."""
    router, shop = address("router"), address("shop2")
    return (
        Inner((0,), "call", router, target, 40_000),
        Inner((0, 0), "delegatecall", target, CORAL, 15_000),
        Inner((1,), "call", router, shop, 30_000, "Reverted"),
        Inner((1, 0), "call", shop, CORAL, 9_000),
        Inner((2,), "staticcall", router, CORAL, 5_000),
    )


@lru_cache(maxsize=4096)
def transactions(network: str, number: int, seed: int = SEED) -> tuple[Sent, ...]:
    """What a block holds, in order; the rollup's begin with its system deposit."""
    r = Random(f"{seed}/{network}/{number}")
    day = datetime.fromtimestamp(moment(network, number), UTC).date()
    place = number - numbers(network, day).start
    found: list[dict[str, Any]] = []
    if network == "optimism":
        found.append(
            {"sender": OP_SYSTEM, "to": address("l1block"), "kind": 0x7E, "price": 0, "gas": 64_013, "is_system": True}
        )
    if not FIRST_DAY <= day <= LAST_DAY:
        return tuple(Sent(hash=f"0x{digest(seed, network, number, n)}", **one) for n, one in enumerate(found))
    rollup = {"l1_fee": 10**10 + place} if network == "optimism" else {}
    targets = {"mainnet": [MARKET, CORAL], "optimism": [VAULT, CORAL]}[network]
    for _ in range(r.randint(0, 4)):
        found.append(
            {"sender": address(f"stranger{r.randrange(500)}"), "to": address(f"shop{r.randrange(90)}"), **rollup}
        )
    for _ in range(r.choice([0, 0, 1, 2])):
        user = address(f"user{r.randrange(40)}")
        status = int(r.random() > 0.15)
        found.append({"sender": user, "to": r.choice(targets), "status": status, "gas": r.randint(30_000, 90_000),
                      "price": 10**9 + number, **rollup})  # fmt: skip
    age = (day - FIRST_DAY).days
    last_made = made_contract(network, day - timedelta(days=age % 10))
    if place == 5 and (made := made_contract(network, day)):
        found.append({"sender": DEPLOYER, "to": None, "created": made, "gas": 900_000, **rollup})
    if place == 5 and age % 10 == 5:
        found.append(
            {
                "sender": DEPLOYER,
                "to": None,
                "created": address(f"failed/{network}/{age}"),
                "status": 0,
                "gas": 53_000,
                **rollup,
            }
        )
    if place in (4, 9):  # on the day of its making, one call comes too early
        found.append({"sender": address("user1"), "to": last_made, "gas": 45_000, **rollup})
    if place == 7 and network == "mainnet":
        found.append({"sender": TREASURY, "to": address("shop1"), "value": 2**255 + number, "kind": 0})
    if place == 7 and network == "optimism":
        found.append({"sender": address("user2"), "to": VAULT, "kind": 0x7E, "price": 0, "gas": 70_000})
        operation = ((ACCOUNT, True, 10**14 + number), (address("stranger1"), False, 5))
        found.append(
            {"sender": address("bundler"), "to": ENTRY_POINT, "operations": operation, "gas": 400_000, **rollup}
        )
    if place == 6:
        inside = _routed(targets[0])
        found.append({"sender": address("user3"), "to": address("router"), "gas": 120_000, "inside": inside, **rollup})
        lost = (Inner((0,), "call", address("router"), targets[0], 20_000),)
        failed = {"status": 0, "gas": 60_001, "inside": lost}
        found.append({"sender": address("user4"), "to": address("router"), **failed, **rollup})
    if place == 10 and (made := spawned_contract(network, day)):
        inside = (
            Inner((0,), "create2", targets[0], made, 500_000),
            Inner((0, 0), "call", made, CORAL, 3_000),
            Inner((1,), "create", targets[0], None, 1_000, "Out of gas"),
        )
        found.append({"sender": address("user5"), "to": targets[0], "gas": 700_000, "inside": inside, **rollup})
    if place in (8, 11):  # on the day of its making, one call comes too early
        made = spawned_contract(network, day - timedelta(days=age % 10))
        found.append({"sender": address("user6"), "to": made, "gas": 45_000, **rollup})
    return tuple(Sent(hash=f"0x{digest(seed, network, number, n)}", **one) for n, one in enumerate(found))


def block_hash(network: str, number: int, seed: int = SEED) -> str:
    """The hash of a block."""
    return f"0x{digest(seed, network, number)}"


class Node:
    """A node of one network; `reply` answers the body of a request."""

    def __init__(self, network: str, seed: int = SEED) -> None:
        self.network, self.seed = network, seed
        self.methods: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(CHAIN_IDS[network]),
            "eth_blockNumber": lambda: hex(head(network)),
            "eth_getBlockByNumber": self.block,
            "eth_getBlockReceipts": self.receipts,
            "eth_getLogs": self.logs,
        }
        if network == "mainnet":
            self.methods["trace_block"] = self.traces

    def reply(self, body: bytes) -> Any:
        """The JSON value that answers a request: one object, or the answers of a batch, last first."""
        try:
            asked = json.loads(body)
        except ValueError:
            return _error(None, -32700, "Parse error")
        if not isinstance(asked, list):
            return self.answer(asked)
        if len(asked) > MOST_CALLS[self.network]:
            return _error(
                None, -32000, f"batch limit {MOST_CALLS[self.network]} exceeded (can increase by --rpc.batch.limit)"
            )
        return [self.answer(call) for call in reversed(asked)]

    def answer(self, call: dict) -> dict:
        """The answer to one call."""
        method = self.methods.get(call.get("method"))
        if method is None:
            return _error(call.get("id"), -32601, f"the method {call.get('method')} does not exist/is not available")
        try:
            return {"jsonrpc": "2.0", "id": call.get("id"), "result": method(*call.get("params", []))}
        except _Refused as refused:
            return _error(call.get("id"), *refused.args)

    def _number(self, tag: str) -> int | None:
        """The block of a tag; None if there is none yet."""
        if tag == "finalized":
            if self.network == "optimism":
                raise _Refused(-32602, "invalid argument 0: hex string without 0x prefix")
            return head(self.network) - 64
        number = head(self.network) if tag == "latest" else int(tag, 16)
        return number if number <= head(self.network) else None

    def block(self, tag: str, full: bool) -> dict | None:
        """eth_getBlockByNumber."""
        if (number := self._number(tag)) is None:
            return None
        network, sent = self.network, transactions(self.network, number, self.seed)
        return {
            "number": hex(number), "hash": block_hash(network, number, self.seed), "logsBloom": "0x" + "00" * 256,
            "parentHash": block_hash(network, number - 1, self.seed) if number else "0x" + "00" * 32,
            "timestamp": hex(moment(network, number)), "gasUsed": hex(sum(s.gas for s in sent)), "baseFeePerGas": "0x7",
            "transactions": [self._transaction(number, n) if full else s.hash for n, s in enumerate(sent)],
        }  # fmt: skip

    def _transaction(self, number: int, index: int) -> dict:
        sent = transactions(self.network, number, self.seed)[index]
        found = {
            "blockHash": block_hash(self.network, number, self.seed), "blockNumber": hex(number), "hash": sent.hash,
            "transactionIndex": hex(index), "from": sent.sender, "to": sent.to and sent.to.upper().replace("0X", "0x"),
            "type": hex(sent.kind), "value": hex(sent.value) if sent.value else "0x", "gas": hex(sent.gas * 2), "gasPrice": hex(sent.price),
            "input": "0xA9059CBB" + "00" * 32 if sent.to else "0x6080", "nonce": "0x1",
        }  # fmt: skip
        return found | ({"isSystemTx": sent.is_system, "mint": "0x0"} if sent.kind == 0x7E else {})

    def receipts(self, tag: str) -> list[dict] | None:
        """eth_getBlockReceipts."""
        if (number := self._number(tag)) is None:
            return None
        found, log_index = [], 0
        for index, sent in enumerate(transactions(self.network, number, self.seed)):
            logs = list(self._logs(number, index, log_index))
            log_index += len(logs)
            found.append({
                "blockHash": block_hash(self.network, number, self.seed), "blockNumber": hex(number),
                "transactionHash": sent.hash, "transactionIndex": hex(index), "from": sent.sender, "to": sent.to,
                "type": hex(sent.kind).upper().replace("0X", "0x"), "status": hex(sent.status), "gasUsed": str(sent.gas),
                "effectiveGasPrice": sent.price, "contractAddress": sent.created, "logs": logs, "logsBloom": "0x" + "00" * 256,
                **({"l1Fee": hex(sent.l1_fee), "l1FeeScalar": "0.684"} if self.network == "optimism" and sent.kind != 0x7E else {}),
            })  # fmt: skip
        return found

    def traces(self, tag: str) -> list[dict]:
        """trace_block; empty for a block that is not there yet."""
        if (number := self._number(tag)) is None:
            return []
        found, block = [], {"blockHash": block_hash(self.network, number, self.seed), "blockNumber": number}
        for index, sent in enumerate(transactions(self.network, number, self.seed)):
            kind = "call" if sent.to else "create"
            error = None if sent.status else "Reverted"
            # a root's gas is without the 21,000 that every transaction costs
            root = Inner((), kind, sent.sender, sent.to or sent.created, max(0, sent.gas - 21_000), error)
            place = block | {"transactionHash": sent.hash, "transactionPosition": index}
            found += [place | _trace(one, sent.value if one is root else 0) for one in (root, *sent.inside)]
        reward = {"author": address("miner"), "rewardType": "block", "value": "0x1bc16d674ec80000"}
        return [
            *found,
            block | {"action": reward, "result": None, "subtraces": 0, "traceAddress": [], "type": "reward"},
        ]

    def _logs(self, number: int, index: int, first: int) -> Iterator[dict]:
        sent = transactions(self.network, number, self.seed)[index]
        place = {
            "blockNumber": hex(number), "blockHash": block_hash(self.network, number, self.seed), "removed": False,
            "transactionHash": sent.hash, "transactionIndex": hex(index),
        }  # fmt: skip
        for n, (sender, success, cost) in enumerate(sent.operations):
            words = (1, int(success), cost, 90_000)
            topics = [
                USER_OPERATION,
                f"0x{digest(sent.hash, n)}",
                *(f"0x{'0' * 24}{a[2:]}" for a in (sender, "0x" + "0" * 40)),
            ]
            yield place | {
                "address": ENTRY_POINT,
                "topics": topics,
                "data": "0x" + "".join(f"{w:064x}" for w in words),
                "logIndex": hex(first + n),
            }
        if sent.to and sent.status and sent.kind == 2 and not sent.operations:
            yield place | {"address": sent.to, "topics": [f"0x{digest('Moved')}"], "data": "0x", "logIndex": hex(first)}

    def logs(self, wanted: dict) -> list[dict]:
        """eth_getLogs by addresses and a range."""
        first, last = (int(wanted[key], 16) for key in ("fromBlock", "toBlock"))
        if last > head(self.network):
            raise _Refused(-32602, "block range extends beyond current head block")
        if last - first >= MOST_RANGE:
            raise _Refused(-32600, f"You can make eth_getLogs requests with up to a {MOST_RANGE + 100} block range.")
        addresses = {a.lower() for a in wanted["address"]}
        return [
            log for n in range(first, last + 1) for r in self.receipts(hex(n)) or [] for log in r["logs"] if log["address"] in addresses
        ]  # fmt: skip


def _trace(one: Inner, value: int) -> dict:
    """A frame as Erigon and Reth write it."""
    creates = one.kind.startswith("create")
    burnt = one.error not in (None, "Reverted")  # all the gas it had, and no result tells so
    action = {"from": one.sender, "gas": hex(one.gas if burnt else one.gas * 2), "value": hex(value)}
    result = {"gasUsed": hex(one.gas)}
    if creates:
        action |= {"init": "0x6080", "creationMethod": one.kind}
        result |= {} if one.error else {"address": one.to, "code": "0x60"}
    else:
        action |= {"callType": one.kind, "to": one.to.upper().replace("0X", "0x"), "input": "0x"}
        result |= {"output": "0x"}
    found = {"action": action, "result": None if burnt else result, "traceAddress": list(one.path)}
    found |= {"subtraces": 0, "type": "create" if creates else "call"}
    return found | ({"error": one.error} if one.error else {})


class _Refused(Exception):
    """An error as its code and message."""


def _error(number: Any, code: int, message: str) -> dict:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


@lru_cache(maxsize=8)
def node(network: str, seed: int = SEED) -> Node:
    """The node of a network of the world of that seed."""
    return Node(network, seed)
