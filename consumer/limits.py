"""Who asks, and how much they may: API keys, requests a minute, rows and seconds of SQL a day, counts of use.

Addresses and budgets live in memory alone. What is written down is how often each tier or key used each route on each
day, and the rows and seconds of it.
"""

import base64
import binascii
import functools
import ipaddress
import logging
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers

from consumer.keys import SCOPES, Keys
from consumer.problems import Problem
from include.errors import OpenImpactError

log = logging.getLogger(__name__)

WRONG_KEYS_A_MINUTE = 10
WRITE_EVERY_S = 5
GET_A_KEY = "Ask the operator of this deployment for a key (python -m consumer keys add)."
FREE_PATH, FREE_FOLDER = "/healthz", "/static/"


@dataclass(frozen=True)
class Tier:
    """What one address, or one key, may use; None is without limit."""

    requests_a_minute: int | None
    rows_a_day: int | None
    sql_seconds_a_day: int | None


TIERS = {
    "anonymous": Tier(600, 5_000_000, 600),
    "keyed": Tier(6_000, 100_000_000, 7_200),
    "internal": Tier(None, None, None),
}


class Meter:
    """Counts what callers use: against their limits in memory, and by day and route in the home's keys.db."""

    def __init__(self, keys: Keys, tiers: dict[str, Tier] = TIERS) -> None:
        self.keys, self.tiers = keys, tiers
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._wrong = RateLimitItemPerMinute(WRONG_KEYS_A_MINUTE)
        self._lock = threading.Lock()
        self._day = ""
        self._spent: dict[str, tuple[int, float]] = {}
        self._used: dict[tuple[str, str, str], tuple[int, int, float]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self, who: str, a_minute: int) -> tuple[bool, int, int]:
        """Counts a request of `who`; returns whether it may be, how many may follow, seconds until one more may."""
        item = RateLimitItemPerMinute(a_minute)
        allowed = self._window.hit(item, who)
        reset_at, remaining = self._window.get_window_stats(item, who)
        return allowed, remaining, max(1, round(reset_at - time.time()))

    def wrong_key(self, address: str) -> None:
        """Counts a wrong key of an address."""
        self._window.hit(self._wrong, "wrong", address)

    def may_try(self, address: str) -> bool:
        """Whether an address may try another key now."""
        return self._window.test(self._wrong, "wrong", address)

    def spent(self, who: str) -> tuple[int, float]:
        """Rows and seconds of SQL that `who` spent today, UTC."""
        with self._lock:
            self._turn()
            return self._spent.get(who, (0, 0.0))

    def spend(self, who: str, counted_as: str, route: str, *, requests: int = 0, rows: int = 0, seconds=0.0) -> None:
        """Adds to what `who` spent today and to the counts of use."""
        with self._lock:
            self._turn()
            if rows or seconds:
                before = self._spent.get(who, (0, 0.0))
                self._spent[who] = (before[0] + rows, before[1] + seconds)
            which = (self._day, counted_as, route)
            used = self._used.get(which, (0, 0, 0.0))
            self._used[which] = (used[0] + requests, used[1] + rows, used[2] + seconds)

    def write(self) -> None:
        """Writes the counts of use down; where that fails they stay until the next time."""
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return
        try:
            self.keys.count(used)
        except OpenImpactError as error:
            log.warning("Use is not counted: %s", error)

    def start(self) -> None:
        """Writes the counts every few seconds until `close`."""

        def loop() -> None:
            while not self._stop.wait(WRITE_EVERY_S):
                self.write()

        self._thread = threading.Thread(target=loop, name="usage", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the background thread and writes what is left."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.write()

    def _turn(self) -> None:
        """A new day begins with new budgets; after a restart a key goes on with what it spent before."""
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        if today == self._day:
            return
        before = defaultdict(lambda: (0, 0.0))
        if not self._day and self.keys.path.exists():
            for _, caller, _, _, rows, seconds in self.keys.usage(today):
                before[caller] = (before[caller][0] + rows, before[caller][1] + seconds)
        self._day, self._spent = today, {who: much for who, much in before.items() if who not in self.tiers}


class Caller:
    """Who asks: `tier`, `key_id` (None without a key), `scopes`; what they spend is counted against their day."""

    def __init__(self, meter: Meter, scope: dict, tier: str, who: str, key_id: str | None, scopes: frozenset[str]):
        self.tier, self.key_id, self.scopes = tier, key_id, scopes
        self._meter, self._scope, self._who = meter, scope, who

    @property
    def limits(self) -> Tier:
        """What this caller may use."""
        return self._meter.tiers[self.tier]

    @property
    def spent(self) -> tuple[int, float]:
        """Rows and seconds of SQL spent today."""
        return self._meter.spent(self._who)

    def check(self, scope: str) -> None:
        """Call before work that costs rows or SQL.

        Raises:
            Problem: 403 where the key is not for `scope` (read or sql), 429 where the day's budget is used up.
        """
        if scope not in self.scopes:
            raise Problem(403, f"This key is for {', '.join(sorted(self.scopes))}, and this needs the scope {scope}.")
        may, (rows, seconds) = self.limits, self.spent
        for what, used, budget in (
            ("rows", rows, may.rows_a_day),
            ("seconds of SQL", seconds, may.sql_seconds_a_day),
        ):
            if budget is not None and used >= budget:
                raise Problem(
                    429,
                    f"Today's {budget:,} {what} of the tier {self.tier} are used up; they begin again at 00:00 UTC. "
                    + (GET_A_KEY if self.key_id is None else "Ask the operator for more."),
                    headers={"Retry-After": str(_until_midnight_s())},
                    tier=self.tier,
                    limit=budget,
                )

    def spend(self, *, rows: int = 0, seconds: float = 0.0) -> None:
        """Notes what an answer cost: rows that were sent, seconds of SQL. Never refuses."""
        counted_as = self.key_id or self.tier
        self._meter.spend(self._who, counted_as, route_of(self._scope), rows=rows, seconds=seconds)

    def asked(self) -> None:
        """Notes one request."""
        self._meter.spend(self._who, self.key_id or self.tier, route_of(self._scope), requests=1)


class Callers:
    """Finds the caller (`request.state.caller`) by Bearer or Basic key, or address, and holds them to their tier."""

    def __init__(self, app, meter: Meter) -> None:
        self.app, self.meter = app, meter

    async def __call__(self, scope, receive, send) -> None:
        """Lets a request pass with its caller, its RateLimit headers and its count, or refuses it: 401, 429."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        caller = self._caller(scope)
        scope.setdefault("state", {})["caller"] = caller
        a_minute = caller.limits.requests_a_minute
        if a_minute is None or scope["path"] == FREE_PATH or scope["path"].startswith(FREE_FOLDER):
            return await self._counted(caller, scope, receive, send)
        allowed, remaining, reset_s = self.meter.request(caller._who, a_minute)
        headers = {
            "RateLimit-Limit": str(a_minute),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(reset_s),
            "RateLimit-Policy": f"{a_minute};w=60",
        }
        if not allowed:
            raise Problem(
                429,
                f"The tier {caller.tier} may ask {a_minute} times a minute; ask again in {reset_s} s. "
                + (GET_A_KEY if caller.key_id is None else ""),
                headers=headers | {"Retry-After": str(reset_s)},
                tier=caller.tier,
                limit=a_minute,
                window_s=60,
            )
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

        async def told(message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *raw]}
            await send(message)

        await self._counted(caller, scope, receive, told)

    async def _counted(self, caller: Caller, scope, receive, send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            caller.asked()

    def _caller(self, scope) -> Caller:
        address = address_of(scope)
        text = _key_in(Headers(scope=scope).get("authorization", ""))
        # pyoso always sends a key, so that where there are none every key is like none
        if text is None or not self.meter.keys.exist:
            return Caller(self.meter, scope, "anonymous", address, None, frozenset(SCOPES))
        if not self.meter.may_try(address):
            raise Problem(
                429,
                f"{WRONG_KEYS_A_MINUTE} wrong keys came from this address within a minute; try again in a minute, "
                "or without a key.",
                headers={"Retry-After": "60"},
            )
        key = self.meter.keys.find(text)
        if key is None:
            self.meter.wrong_key(address)
            raise Problem(
                401,
                "This API key is unknown, expired or revoked. Check it, ask for a new one, or send none.",
                headers={"WWW-Authenticate": 'Bearer realm="OpenImpact"'},
            )
        return Caller(self.meter, scope, key.tier, key.key_id, key.key_id, key.scopes)


def route_of(scope) -> str:
    """The route that a request was matched to, its parameters as names; never what was asked of it."""
    return getattr(scope.get("route"), "path", "none")


def address_of(scope) -> str:
    """The address of the peer; of IPv6 the /64, which is one household."""
    return _network((scope.get("client") or ("unknown",))[0])


@functools.lru_cache(4096)
def _network(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


def _key_in(header: str) -> str | None:
    """The key of an Authorization header: a Bearer token, or the password of Basic; None where there is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _until_midnight_s() -> int:
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight - now).total_seconds()) + 1
