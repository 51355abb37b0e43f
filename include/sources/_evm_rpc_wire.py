"""JSON-RPC as nodes and their resellers speak it: batches, errors inside a 200, lagging balancers, several providers.

An address is a secret (its path or host often holds the key), so messages name a node by network and number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from include.errors import BadCredentials, ContractBroken, FixNeeded, OpenImpactError, RateLimited, Unavailable
from include.sources.base import Context

TRIES = 5  # of a node that answers, but not with what was asked
RATE_CODES = {-32016, -32029, -32097}
RATE_TEXT = re.compile(
    r"rate.?limit|too many requests|request count|capacity exceeded|compute units|throughput|per second", re.I
)
NO_METHOD_TEXT = re.compile(
    r"method.*(not (found|supported|available|whitelisted|allowed)|does not exist)|unsupported method"
    r"|not available on the .*(tier|plan)"
    r"|historical state|missing trie node|state .*(unavailable|not available|pruned)",
    re.I,
)
RANGE = re.compile(r"\[\s*(0x[0-9a-f]+)\s*,\s*(0x[0-9a-f]+)\s*\]", re.I)
NUMBER = re.compile(r"(?<![0-9a-zA-Z])\d{1,3}(?:[,_]\d{3})+(?![\da-zA-Z])|(?<![0-9a-zA-Z])\d+(?![\da-zA-Z])")
QUANTITY = re.compile(r"0[xX]([0-9a-fA-F]{0,64})|([0-9]{1,78})")
ADDRESS = re.compile("0x[0-9a-f]{40}")
U256 = 1 << 256

Call = tuple[str, list]
Quantity = str | int | None
Raw = msgspec.Raw


class _Answer(msgspec.Struct, gc=False):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: Any = None


_decode = msgspec.json.Decoder(list[_Answer] | _Answer).decode


@dataclass(frozen=True)
class RpcError:
    """An error that a node gave to one call."""

    code: int
    text: str

    @property
    def no_method(self) -> bool:
        """The node does not offer the method, or no longer for a block so old."""
        return self.code == -32601 or bool(NO_METHOD_TEXT.search(self.text))

    @property
    def is_rate(self) -> bool:
        """Too many calls; -32005 says that too, but also that a range of logs is too long."""
        return self.code in RATE_CODES or bool(RATE_TEXT.search(self.text))


@dataclass(frozen=True, kw_only=True)
class Network:
    """A chain of seed networks.csv, and how its nodes are asked."""

    name: str
    chain_id: int
    confirmations: int
    jovian_from: datetime | None
    urls: tuple[str, ...] = ()
    mode: str = "blocks"
    batch: int = 20  # calls a request
    traces: bool = False
    per_minute: float | None = None


class _BatchRefused(Exception):
    """A node refused a whole batch."""


class Rpc:
    """The nodes of one network; a node that fails is left for the next, and the one that worked stays."""

    def __init__(self, network: Network, context: Context) -> None:
        self.network, self.context = network, context
        self.batch = network.batch
        self.at = 0
        self.checked: set[int] = set()

    def one(self, method: str, *params: Any) -> Raw | RpcError:
        """One call; its answer or the node's error."""
        return self.ask([(method, list(params))])[0]

    def ask(self, calls: Sequence[Call], *, known: bool = False) -> list[Raw | RpcError]:
        """An answer or error for each call, in their order; a missing method is an error, never a failure.

        With `known` every answer must be there: null and errors are asked again, then from the next node.

        Raises:
            Unavailable: no node gave them, after all attempts.
            RateLimited: the quota of the last node is spent.
            BadCredentials: the last node refused the key.
            FixNeeded: a node is of another chain.
        """
        found, start = [], 0
        while start < len(calls):
            chunk = calls[start : start + self.batch]
            try:
                found += self._send(chunk, known)
            except (_BatchRefused, Unavailable) as error:
                if len(chunk) == 1:
                    raise self._broken(error) from None
                self.batch = max(1, len(chunk) // 2)
                self.context.log.warning("%s: batches of %d calls from here on: %s", self.place, self.batch, error)
                continue
            start += len(chunk)
        return found

    @property
    def place(self) -> str:
        """The present node in messages."""
        return f"evm_rpc: node {self.at + 1} of {self.network.name}"

    def next_node(self) -> None:
        """Leaves the present node."""
        self.at = (self.at + 1) % len(self.network.urls)

    def _broken(self, error: Exception) -> OpenImpactError:
        return (
            error if isinstance(error, OpenImpactError) else Unavailable(f"{self.place} refuses single calls: {error}")
        )

    def _send(self, chunk: Sequence[Call], known: bool) -> list[Raw | RpcError]:
        nodes = len(self.network.urls)
        for left in range(nodes - 1, -1, -1):
            try:
                self._check_chain()
                return self._exchange(chunk, known)
            except (Unavailable, RateLimited, BadCredentials, ContractBroken, _BatchRefused) as error:
                if not left or (isinstance(error, _BatchRefused) and len(chunk) > 1):
                    raise
                self.context.log.warning("%s; asking the next node", error)
                self.next_node()
        raise AssertionError("a network has a node")

    def _check_chain(self) -> None:
        """The chain id of a node, before it is first used."""
        if self.at in self.checked:
            return
        (answer,) = self._exchange([("eth_chainId", [])], known=True)
        try:
            found = quantity(msgspec.json.decode(answer)) if isinstance(answer, Raw) else None
        except ValueError:
            found = None
        if found != self.network.chain_id:
            raise FixNeeded(
                f"{self.place} says it is of chain {found}, but {self.network.name} is chain "
                f"{self.network.chain_id} (dbt/seeds/networks.csv). Correct AIRFLOW_CONN_EVM_RPC; nothing was landed."
            )
        self.checked.add(self.at)

    def _exchange(self, chunk: Sequence[Call], known: bool) -> list[Raw | RpcError]:
        """The answers of the present node; what is limited, unanswered or null but known is asked again."""
        found: dict[int, Raw | RpcError] = {}
        failure: OpenImpactError = Unavailable(f"{self.place}: no answer")
        for attempt in range(TRIES):
            left = [n for n in range(len(chunk)) if n not in found]
            answers = self._post([(n, *chunk[n]) for n in left])
            for n in left:
                answer = answers.get(n)
                if answer is None:
                    failure = Unavailable(f"{self.place}: a batch came back without an answer to {chunk[n][0]}.")
                elif isinstance(answer, RpcError) and answer.is_rate:
                    failure = RateLimited(f"{self.place}: {answer.text}. The task retries then.")
                elif known and isinstance(answer, RpcError) and not answer.no_method:
                    failure = Unavailable(f"{self.place}: {chunk[n][0]}: {answer.text} ({answer.code}).")
                elif known and is_null(answer):
                    failure = Unavailable(f"{self.place} lags: null to {chunk[n][0]} of a block that is final.")
                else:
                    found[n] = answer
            if len(found) == len(chunk):
                return [found[n] for n in range(len(chunk))]
            if attempt < TRIES - 1:
                self.context.http.pause(0.5 * 2**attempt)
        raise failure

    def _post(self, calls: list[tuple[int, str, list]]) -> dict[int, Raw | RpcError]:
        """Answers by number; whoever refuses arrays gets a single call as a plain object."""
        sent = [{"jsonrpc": "2.0", "id": n, "method": method, "params": params} for n, method, params in calls]
        answer = self.context.http.json(
            self.network.urls[self.at],
            body=sent if len(sent) > 1 else sent[0],
            accept=(400, 413),
            per_minute=self.network.per_minute,
            decode=_decode,
            place=self.place,
        )
        if answer.value is None:
            raise _BatchRefused(f"status {answer.status} to {len(calls)} calls")
        if isinstance(answer.value, list):
            return {_number(one.id): self._answer(one) for one in answer.value}
        one = self._answer(answer.value)
        if len(sent) == 1 or (isinstance(one, RpcError) and one.is_rate):
            return {n: one for n, *_ in calls}
        raise _BatchRefused(one.text if isinstance(one, RpcError) else "one answer to many calls")

    def _answer(self, one: _Answer) -> Raw | RpcError | None:
        if one.error is None:
            return one.result if len(one.result) else None
        error = one.error if isinstance(one.error, dict) else {"message": one.error}
        code = error.get("code")
        return RpcError(code if isinstance(code, int) else 0, self.masked(str(error.get("message"))))

    def masked(self, text: str) -> str:
        """Outside text for a message: short, printable, without any part of this network's addresses."""
        for url in self.network.urls:
            parts = urlsplit(url)
            for secret in re.split(r"[/&=?.:@]", f"{parts.netloc}/{parts.path}?{parts.query}"):
                if len(secret) >= 6:
                    text = text.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in text[:200])


def _number(value: int | str | None) -> int:
    """The id of an answer; nodes may give it back as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def is_null(answer: Raw | RpcError) -> bool:
    """Whether an answer is JSON's null."""
    return isinstance(answer, Raw) and len(answer) == 4 and bytes(answer) == b"null"


def quantity(value: Any) -> int | None:
    """A number written as hex, "0x", decimal text or JSON number; None for null.

    Raises:
        ValueError: none of them, negative, or more than 256 bits.
    """
    if value is None:
        return None
    if isinstance(value, str) and (found := QUANTITY.fullmatch(value)):
        value = int(found[2]) if found[2] else int(found[1] or "0", 16)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < U256:
        raise ValueError(f"{str(value)[:80]!r} is no quantity")
    return value


@lru_cache(maxsize=1 << 14)  # a block names the same ones over and over
def address_of(value: str | None) -> str:
    """An address in lower case.

    Raises:
        ValueError: it is none.
    """
    return matching(ADDRESS, value, "address")


def matching(form: re.Pattern, value: str | None, what: str) -> str:
    """The text in lower case if it has the form.

    Raises:
        ValueError: it has not.
    """
    if not (found := form.fullmatch((value or "").lower())):
        raise ValueError(f"{str(value)[:80]!r} is no {what}")
    return found[0]


def shorter_span(text: str, span: int) -> int:
    """Blocks to ask logs of next, after `span` were too many: by the node's hint, else half."""
    if found := RANGE.search(text):
        hinted = int(found[2], 16) - int(found[1], 16) + 1
        if 0 < hinted < span:
            return hinted
    numbers = (int(n.replace(",", "").replace("_", "")) for n in NUMBER.findall(text[:200]))
    return max((n for n in numbers if 0 < n < span), default=max(1, span // 2))


def logs(rpc: Rpc, first: int, end: int, addresses: Sequence[str]) -> Iterator[Raw]:
    """The answers to eth_getLogs of blocks [first, end); ranges shrink as told and grow slowly again.

    Raises:
        Unavailable: a node refuses even a single block.
    """
    span, start = 2000, first
    while start < end:
        span = min(span, end - start)
        block = {"fromBlock": hex(start), "toBlock": hex(start + span - 1), "address": list(addresses)}
        try:
            answer = rpc.one("eth_getLogs", block)
        except Unavailable as error:  # a time-out looks like this
            answer = RpcError(0, str(error))
        if isinstance(answer, Raw) and not is_null(answer):
            yield answer
            start += span
            span += max(1, span // 4)
        elif span > 1:
            span = shorter_span(answer.text if isinstance(answer, RpcError) else "", span)
        else:
            text = answer.text if isinstance(answer, RpcError) else "null"
            raise Unavailable(f"{rpc.place}: eth_getLogs of block {start} alone: {text}")


def utc(seconds: int) -> datetime:
    """The time of a block."""
    return datetime.fromtimestamp(seconds, UTC)
