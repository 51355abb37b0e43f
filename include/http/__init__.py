"""The one HTTP client: retries by kind of failure, Retry-After, streamed bodies, file:// for local copies.

Query strings, user names and tokens never reach a log line or a message.
"""

import io
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from include.errors import BadCredentials, ContractBroken, RateLimited, Unavailable

USER_AGENT = "openimpact (+https://github.com/openimpact)"  # GitHub Archive answers 403 to some default agents
TIMEOUT_S = (10.0, 60.0)  # connect, between two reads
ATTEMPTS = 4
LONGEST_ANSWER = 64 << 20  # bytes of one JSON answer; more is no answer of an API
LONGEST_WAIT_S = 60.0  # a longer Retry-After fails the task, which retries by its own policy
FOR_ANY_HOST = {"user-agent", "accept", "accept-encoding", "connection", "content-type", "content-length"}
log = logging.getLogger("openimpact.http")


@dataclass(frozen=True)
class Answer:
    """A JSON answer: status, parsed value, and headers by any case."""

    status: int
    value: Any
    headers: Mapping[str, str]


class HttpClient:
    """Gets bodies and JSON answers. `sleep`, `clock` and `monotonic` are for tests.

    `cost` counts the requests sent and the bytes of bodies read; a source adds what else its upstream counts.
    """

    def __init__(
        self,
        login: str | None = None,
        password: str | None = None,
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = (login, password) if login and password else None
        self._token = password if password and not login else None
        self._attempts, self._sleep, self._clock = attempts, sleep, clock
        self._monotonic, self._next = monotonic, 0.0
        self._session = None
        self.cost: Counter[str] = Counter()

    def __repr__(self) -> str:
        return "HttpClient()"

    @contextmanager
    def open(self, url: str) -> Iterator[BinaryIO | None]:
        """The body of `url` as a stream of the bytes sent; None if it is not there (404, 410, no such file).

        A body that ends early raises EOFError from `read`.

        Raises:
            Unavailable: no answer, or 5xx, after all attempts.
            RateLimited: 429, with a wait that is longer than we sit out.
            BadCredentials: 401 or 403.
            ContractBroken: any other status.
        """
        if urlsplit(url).scheme == "file":
            path = local_path(url)
            if not path.is_file():
                yield None
                return
            with path.open("rb") as body:
                yield body
            return
        response = self._get(url)
        if response is None:
            yield None
            return
        with response:
            yield _Body(response.raw, self.cost)

    def json(
        self,
        url: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        per_minute: float | None = None,
        decode: Callable[[bytearray], Any] | None = None,
        place: str | None = None,
    ) -> Answer:
        """The JSON answer to a GET, or to a POST of `body` as JSON.

        A status of `accept` is an answer as well, with value None if it is no JSON. `per_minute` spaces the requests of
        this client, repeated ones too. An answer that is cut, no JSON or longer than LONGEST_ANSWER is tried again like
        a failure. `decode` parses the body in place of msgspec's own decoder and raises its errors; `place` stands in
        every message for an address whose path is a secret.

        Raises:
            Unavailable: no answer, 5xx or no JSON, after all attempts.
            RateLimited: 429, or 403 with Retry-After, with a wait that is longer than we sit out.
            BadCredentials: 401 or 403.
            ContractBroken: any other status.
        """
        import msgspec

        sent, place = dict(headers or {}), place or safe_url(url)
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        for attempt in range(1, self._attempts + 1):
            response = self._request(url, data, sent, accept, place, per_minute)
            with response:
                try:
                    return Answer(response.status_code, _decoded(response, decode, self.cost), response.headers)
                except (ValueError, EOFError) as error:
                    if response.status_code in accept:
                        return Answer(response.status_code, None, response.headers)
                    failure = Unavailable(f"{place}: an answer that cannot be used ({error}), {attempt} times.")
            if attempt < self._attempts:
                self._sleep(0.5 * 2 ** (attempt - 1))
        raise failure

    def pause(self, seconds: float) -> None:
        """Waits; in tests as long as their `sleep` does."""
        self._sleep(seconds)

    def _pace(self, per_minute: float | None) -> None:
        if per_minute:
            now = self._monotonic()
            if (wait_s := self._next - now) > 0:
                self._sleep(wait_s)
            self._next = max(now, self._next) + 60 / per_minute

    def _get(self, url: str):
        response = self._request(url, accept=(404, 410))
        if response.status_code == 200:
            return response
        response.close()
        return None

    def _request(
        self,
        url: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        place: str | None = None,
        per_minute: float | None = None,
    ):
        """The open response, whose status is 200 or one of `accept`."""
        import requests

        place = place or safe_url(url)
        if self._session is None:
            # at DEBUG it writes whole paths and queries, which may hold a key
            logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
            self._session = _session()
            self._session.headers["User-Agent"] = USER_AGENT
            self._session.headers["Accept-Encoding"] = "identity"
            self._session.auth = self._auth
            if self._token:
                self._session.headers["Authorization"] = f"Bearer {self._token}"
        method = "GET" if data is None else "POST"
        for attempt in range(1, self._attempts + 1):
            wait_s = 0.5 * 2 ** (attempt - 1)
            self._pace(per_minute)
            self.cost["requests"] += 1
            try:
                response = self._session.request(
                    method, url, data=data, headers=headers, stream=True, timeout=TIMEOUT_S
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                failure = Unavailable(f"{place}: no answer ({type(error).__name__}) in {attempt} attempts.")
            else:
                if response.status_code == 200 or response.status_code in accept:
                    return response
                response.close()
                failure = self._refusal(response, place, attempt)
                if not isinstance(failure, Unavailable | RateLimited):
                    raise failure
                asked_s = parse_retry_after(response.headers, self._clock())
                if asked_s is not None:
                    wait_s = asked_s
                    if asked_s > LONGEST_WAIT_S:
                        raise failure
            if attempt < self._attempts:
                log.info("%s: attempt %d failed, waiting %.1f s", place, attempt, wait_s)
                self._sleep(wait_s)
        raise failure

    def _refusal(self, response, place: str, attempt: int) -> Exception:
        """The error for a status."""
        status = response.status_code
        wait_s = parse_retry_after(response.headers, self._clock())
        if status == 429 or (status == 403 and wait_s is not None):
            opens = self._clock() + timedelta(seconds=wait_s) if wait_s is not None else None
            when = f"; it opens again at {opens:%H:%M:%S} UTC" if opens else ""
            return RateLimited(f"{place}: {status}, too many requests{when}. The task retries then.", opens)
        if status >= 500 or status == 408:
            return Unavailable(f"{place}: {status} in {attempt} attempts; the upstream is down. Nothing was landed.")
        if status in (401, 403):
            raise BadCredentials(
                f"{place}: {status}, access refused. Check the login and password of this source's connection."
            )
        raise ContractBroken(f"{place}: unexpected status {status}. Check the address of this source's connection.")


def _session():
    """A session that tells another host, to which an upstream redirects, no secret in any header."""
    import requests

    class Session(requests.Session):
        def rebuild_auth(self, prepared_request, response):
            if self.should_strip_auth(response.request.url, prepared_request.url):
                for name in [n for n in prepared_request.headers if n.lower() not in FOR_ANY_HOST]:
                    del prepared_request.headers[name]
            super().rebuild_auth(prepared_request, response)

    return Session()


def _decoded(response, decode: Callable[[bytearray], Any] | None, cost: Counter[str]) -> Any:
    """The parsed body.

    Raises:
        ValueError: it is too long or no JSON.
        EOFError: the connection broke off.
    """
    import msgspec
    from requests import RequestException

    content = bytearray()
    try:
        for block in response.iter_content(1 << 16):
            content += block
            cost["bytes"] += len(block)
            if len(content) > LONGEST_ANSWER:
                raise ValueError(f"longer than {LONGEST_ANSWER >> 20} MiB")
    except RequestException as error:
        raise EOFError("the connection broke off") from error
    try:
        return (decode or msgspec.json.decode)(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("no JSON") from error


class _Body:
    """A response body; a connection that breaks off reads as EOFError, never as an end."""

    def __init__(self, raw, cost: Counter[str]) -> None:
        self._raw, self._cost = raw, cost

    def read(self, size: int = -1) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            taken = self._raw.read(None if size is None or size < 0 else size, decode_content=False)
        except (HTTPError, OSError) as error:
            raise EOFError(f"the connection broke off ({type(error).__name__})") from error
        self._cost["bytes"] += len(taken)
        return taken

    def readinto(self, buffer) -> int:
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)


class Rejoined(io.RawIOBase):
    """A body whose first bytes were read already, to see what it is."""

    def __init__(self, start: bytes, body: BinaryIO) -> None:
        self._start, self._body = start, body

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer than `size` only at the end or after the first bytes."""
        if self._start:
            taken = self._start if size < 0 else self._start[:size]
            self._start = self._start[len(taken) :]
            return taken if size >= 0 else taken + self._body.read()
        return self._body.read(size)

    def readinto(self, buffer) -> int:
        """The next bytes, into `buffer`."""
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)


def local_path(url: str) -> Path:
    """The path of a file:// URL."""
    return Path(unquote(urlsplit(url).path))


def safe_url(url: str) -> str:
    """The URL without user, query and fragment, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_retry_after(headers, now: datetime) -> float | None:
    """Seconds to wait by the Retry-After header, given in seconds (also '23.417') or as an HTTP date."""
    value = (headers.get("Retry-After") or "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - now.timestamp())
