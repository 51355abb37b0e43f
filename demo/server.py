"""The upstreams of the demo on one port of this machine, with faults on request.

GET /archive/2025-05-01-0.json.gz    the hour files of the first archive
GET /archive2/2025-05-01-0.json.gz   and of the second
GET /oss-directory.tar.gz            the project directory
GET /npm/downloads/range/…           npm's download counts
GET /npm-registry/loomkit            npm's packuments
GET /eurofxref-hist.zip              the European Central Bank's reference rates
POST /open-collective/graphql/v2     Open Collective's GraphQL API
POST /rpc/mainnet, /rpc/optimism     a node of each chain; /rpc2/… are second nodes
/bigquery/v2/projects/…              BigQuery; faults are kept for /bigquery/jobs and /bigquery/results
/github/…                            GitHub's API, see github_api.py
"""

import gzip
import json
import re
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from demo import bigquery, chain, directory, ecb, npm, open_collective
from demo.archive import archive
from demo.github_api import GitHub, github
from demo.world import SEED

HOUR_FILE = re.compile(r"/(archive2?)/(\d{4}-\d{2}-\d{2})-(0|[1-9]|1\d|2[0-3])\.json\.gz")


@dataclass
class Fault:
    """What goes wrong with a path: an answer instead of the body, or a damaged body."""

    times: int = 1  # how many answers; -1 is every one
    of: int = 0  # in every so many answers, for ever; 0: once
    status: int | None = None
    body: bytes | None = None  # another file, or what is sent with the status
    headers: dict[str, str] = field(default_factory=dict)
    keep: float | None = None  # of the body's bytes; the announced length stays
    garble: float | None = None  # of the lines of an hour file
    drop: bool = False  # close the connection without an answer
    hang_s: float = 0.0  # say nothing for so long, then close it
    slow_s: float = 0.0  # between two of the ten pieces in which the body is sent
    seen: int = 0  # answers that it was asked about


class Faults:
    """The faults to come, by path, '*' for every path without one; safe to change while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: dict[str, list[Fault]] = {}

    def add(self, path: str, fault: Fault) -> None:
        """Queues a fault for a path, after those already queued."""
        with self._lock:
            self._by_path.setdefault(path, []).append(fault)

    def replaced(self, path: str, body: bytes) -> None:
        """Every answer is another file from now on."""
        self.add(path, Fault(-1, body=body))

    def unavailable(self, path: str, times: int = 1, status: int = 503) -> None:
        """The next `times` answers are `status`."""
        self.add(path, Fault(times, status=status))

    def limited(self, path: str, times: int = 1, retry_after: int = 1) -> None:
        """The next `times` answers are 429 with Retry-After."""
        self.add(path, Fault(times, status=429, headers={"Retry-After": str(retry_after)}))

    def truncated(self, path: str, times: int = 1, keep: float = 0.5) -> None:
        """The next `times` bodies end early although their length was announced in full."""
        self.add(path, Fault(times, keep=keep))

    def garbled(self, path: str, share: float, times: int = -1) -> None:
        """That share of an hour file's lines (at least one) is no JSON; -1 means every time."""
        self.add(path, Fault(times, garble=share))

    def dropped(self, path: str, times: int = 1) -> None:
        """The next `times` connections are closed without an answer."""
        self.add(path, Fault(times, drop=True))

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._by_path.clear()

    def next(self, path: str) -> Fault | None:
        """The fault of this answer, used up by it."""
        with self._lock:
            queue = self._by_path.get(path) or self._by_path.get("*")
            if not queue:
                return None
            fault = queue[0]
            fault.seen += 1
            if fault.of:
                return fault if (fault.seen - 1) % fault.of < fault.times else None
            if fault.times > 0:
                fault.times -= 1
                if fault.times == 0:
                    queue.pop(0)
            return fault


class DemoServer(ThreadingHTTPServer):
    """Serves the world of one seed; use it as a context manager to serve from a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0, seed: int = SEED, github_api: GitHub | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.seed = seed
        self.faults = Faults()
        self.npm_until: date | None = None  # the last day that npm has counted; None: every day
        self._github = github_api
        self.logins: list[str] = []  # of every request: the header Authorization, or Open Collective's own
        self.requests: Counter[str] = Counter()  # answers by path
        # status and body by what was posted to a path
        self.apis = {open_collective.PATH: lambda asked: open_collective.api(seed).answer(asked)} | {
            f"/{place}/{network}": partial(_call_node, network, seed)
            for place in ("rpc", "rpc2")
            for network in chain.CHAIN_IDS
        }
        self.bigquery = bigquery.BigQuery(bigquery.tables(seed))
        self._count_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """http://127.0.0.1:port"""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def github(self) -> GitHub:
        """GitHub's API; the world's, unless another was given."""
        if self._github is None:
            self._github = github(self.seed)
        return self._github

    def handle_error(self, request, client_address) -> None:
        """A client that leaves in the middle is no failure of the stand-in; others are shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def count(self, path: str) -> None:
        """Notes one request."""
        with self._count_lock:
            self.requests[path] += 1

    def __enter__(self) -> "DemoServer":
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def _call_node(network: str, seed: int, call: bytes) -> tuple[int, bytes]:
    return 200, json.dumps(chain.node(network, seed).reply(call)).encode()


def body_of(path: str, seed: int = SEED) -> bytes | None:
    """What is at a path; None if nothing is."""
    if path == "/oss-directory.tar.gz":
        return directory.tarball(seed)
    if path == "/eurofxref-hist.zip":
        return ecb.history()
    found = HOUR_FILE.fullmatch(path)
    if not found:
        return None
    try:
        day = date.fromisoformat(found[2])
    except ValueError:
        return None
    return archive(seed).file(found[1], day, int(found[3]))


def garble(body: bytes, share: float, path: str) -> bytes:
    """An hour file with that share of its lines (at least one) cut in the middle."""
    lines = gzip.decompress(body).splitlines(keepends=True)
    for n in Random(path).sample(range(len(lines)), min(len(lines), max(1, round(len(lines) * share)))):
        lines[n] = lines[n][: len(lines[n]) // 2] + b"\n"
    return gzip.compress(b"".join(lines), 1, mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body after its headers waited 40 ms for their acknowledgement
    server: DemoServer

    def do_GET(self) -> None:
        """Answers with the file, or with the next fault of its path."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """The same without the body."""
        self._answer(with_body=False)

    def do_POST(self) -> None:
        """Answers a question to an API, or with the next fault of its path."""
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(with_body=True, asked=asked)

    def _answer(self, *, with_body: bool, asked: bytes | None = None) -> None:
        place, _, query = self.path.partition("?")
        path = bigquery.route(place)
        self.server.count(path)
        self.server.logins.append(self.headers.get("Authorization") or self.headers.get("Personal-Token") or "")
        fault = self.server.faults.next(path)
        if fault and (fault.drop or fault.hang_s):
            time.sleep(fault.hang_s)
            self.close_connection = True
            return
        if fault and fault.status:
            self._send(fault.status, fault.body or b"a fault on purpose\n", fault.headers, with_body)
            return
        if path.startswith("/github/") and (fault is None or fault.body is None):
            status, headers, body = self.server.github.answer(self.command, self.path, self.headers, asked or b"")
            self._send(status, body, headers, with_body, fault)
            return
        if place.startswith("/bigquery/"):
            status, body = self.server.bigquery.answer(self.command, place, query, asked or b"")
            body = fault.body if fault and fault.body is not None else body
            self._send(status, body, {"Content-Type": "application/json"}, with_body, fault)
            return
        if path.startswith(("/npm/", "/npm-registry/")) and not (fault and fault.body is not None):
            _, service, rest = path.split("/", 2)
            status, body = npm.downloads(rest, self.server.npm_until) if service == "npm" else npm.manifest(rest)
            self._send(status, body, {"Content-Type": "application/json"}, with_body, fault)
            return
        status = 200
        if fault and fault.body is not None:
            body = fault.body
        elif asked is not None:
            status, body = self.server.apis[path](asked) if path in self.server.apis else (404, None)
        else:
            body = body_of(path, self.server.seed)
        if body is None:
            self._send(404, b"nothing is here\n", {}, with_body)
            return
        if fault and fault.garble is not None and body and path.endswith(".json.gz"):
            body = garble(body, fault.garble, path)
        headers = {} if asked is None else {"Content-Type": "application/json"}
        self._send(status, body, headers, with_body, fault)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], with_body: bool, fault: Fault | None = None
    ) -> None:
        keep = fault.keep if fault else None
        self.send_response(status)
        for name, value in (
            {"Content-Type": "application/octet-stream", "Content-Length": str(len(body))} | headers
        ).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            body = body if keep is None else body[: int(len(body) * keep)]
            pieces = 10 if fault and fault.slow_s else 1
            for n in range(pieces):
                self.wfile.write(body[len(body) * n // pieces : len(body) * (n + 1) // pieces])
                time.sleep(fault.slow_s if n + 1 < pieces else 0)
        if keep is not None:
            self.close_connection = True

    def log_message(self, *_) -> None:
        """Says nothing; tests read `requests`."""
