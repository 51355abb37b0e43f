"""Queries that run and those that have run: each is a file of facts and a file of rows, so that any replica answers.

<home>/sql/<id>.json says what became of a query and for whom it runs, <home>/sql/<token> holds its rows. The token is
handed only to who asked, and whoever has it may read: it cannot be guessed and ends with the files.
"""

import asyncio
import dataclasses
import io
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from consumer.bundle import Bundle
from consumer.sql import QueryError
from consumer.sql.cluster import Cluster
from consumer.sql.workers import Limits, Order, Pool
from include.errors import OpenImpactError, Unavailable

log = logging.getLogger(__name__)

KEEP_S = 900  # a result can be fetched so long
KEEP_BYTES = 4 << 30  # all results together; the oldest go first
_ID = re.compile(r"[\w-]{22}")


class Queries:
    """Runs queries on a pool that starts with the first one, or on `cluster` once they passed the gate in that pool.

    Its methods are for the event loop.
    """

    def __init__(self, folder: Path, *, size: int = 2, waiting: int = 32, cluster: Cluster | None = None) -> None:
        self.folder, self.size, self.waiting, self.cluster = folder, size, waiting, cluster
        self._pool: Pool | None = None
        self._threads = ThreadPoolExecutor(size + waiting + 1, thread_name_prefix="sql")
        self._running: dict[str, tuple[asyncio.Future, threading.Event, str]] = {}
        self._starting = threading.Lock()
        self._purged = 0.0

    def start(
        self,
        bundle: Bundle,
        owner: str,
        sql: str,
        format: str,
        limits: Limits,
        parameters: list | dict | None = None,
        default: tuple[str | None, str | None] = (None, None),
        spend: Callable = lambda **_: None,
        who: str = "",
        user: str = "anonymous",
    ) -> str:
        """Starts a query over `bundle`; returns its id. `spend(rows=, seconds=)` is told what it cost.

        `who` is counted as one caller here, and `user` in the cluster.
        """
        self._purge()
        query = secrets.token_urlsafe(16)
        facts = {
            "id": query,
            "owner": owner,
            "token": secrets.token_urlsafe(16),
            "status": "running",
            "format": format,
            "release": bundle.headers,
            "give_up_at": time.time() + limits.seconds + 60,
        }
        self._write(facts)
        order = Order(str(bundle.path), sql, format, limits, parameters, default)
        cancelled = threading.Event()
        job = asyncio.get_running_loop().run_in_executor(self._threads, self._run, facts, order, cancelled, spend, user)
        self._running[query] = job, cancelled, who
        job.add_done_callback(lambda _: self._running.pop(query, None))
        return query

    async def wait(self, query: str, seconds: float, gone: Callable | None = None) -> dict | None:
        """The facts of a query, after at most `seconds` if it still runs; None if there is no such one.

        `gone` is asked, twice a second, whether its client has left; then the query is cancelled.
        """
        job, end = self._running.get(query, (None,))[0], time.monotonic() + seconds
        while job and not job.done() and (left := end - time.monotonic()) > 0:
            await asyncio.wait({job}, timeout=min(left, 0.5))
            if gone and not job.done() and await gone():
                self.cancel(query)
        return self.facts(query)

    def facts(self, query: str) -> dict | None:
        """What became of a query: "status" is running, completed (with "columns" and "rows") or failed ("error")."""
        if not _ID.fullmatch(query):
            return None
        try:
            facts = json.loads((self.folder / f"{query}.json").read_text())
        except FileNotFoundError:
            return None
        if facts["status"] == "running" and time.time() > facts["give_up_at"] and query not in self._running:
            error = "The server was restarted while the query ran. Send it again."
            facts |= {"status": "failed", "error": error, "name": "SERVER_RESTARTED", "code": 503}
        return facts

    def file(self, token: str) -> Path | None:
        """The rows that `token` may read; None if there are none (any more)."""
        file = self.folder / token
        return file if _ID.fullmatch(token) and file.exists() else None

    def running(self, who: str) -> int:
        """How many queries of a caller are under way here."""
        return sum(other == who for *_, other in self._running.values())

    def cancel(self, query: str) -> None:
        """Ends a query, if it runs here."""
        if query in self._running:
            self._running[query][1].set()

    def close(self) -> None:
        """Cancels what runs and ends the pool."""
        for _, cancelled, _ in list(self._running.values()):
            cancelled.set()
        self._threads.shutdown()
        if self._pool:
            self._pool.close()

    def _run(self, facts: dict, order: Order, cancelled: threading.Event, spend: Callable, user: str) -> None:
        file = self.folder / facts["token"]
        outcome: dict = {}
        try:
            with self._starting:
                self._pool = self._pool or Pool(self.size, self.waiting, path=order.path)
            with file.open("wb", buffering=0) as out:
                outcome |= self._answer(order, out, cancelled, lambda seconds: spend(seconds=seconds), user)
            self._write(facts | {"status": "completed"} | {key: outcome[key] for key in ("columns", "rows")})
        except OpenImpactError as error:
            file.unlink(missing_ok=True)
            late = isinstance(error, Unavailable)
            name = error.name if isinstance(error, QueryError) else "NO_NODES_AVAILABLE"
            self._write(facts | {"status": "failed", "error": str(error), "name": name, "code": 503 if late else 400})
        except Exception:
            log.exception("Query %s failed", facts["id"])
            told = {
                "error": "The query failed here. Try again, or tell the operator.",
                "name": "GENERIC_INTERNAL_ERROR",
            }
            self._write(facts | {"status": "failed", "code": 500} | told)
        finally:
            spend(rows=outcome.get("rows", 0))

    def _answer(self, order: Order, out, cancelled: threading.Event, spend: Callable[[float], None], user: str) -> dict:
        if self.cluster:
            statement = io.BytesIO()
            self._pool.run(dataclasses.replace(order, format="statement"), statement, cancelled)
            if sql := statement.getvalue().decode():
                return self.cluster.run(sql, user, order, out, cancelled, spend)
        return self._pool.run(order, out, cancelled, spend)

    def _write(self, facts: dict) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self.folder / f"{facts['id']}.new"
        new.write_text(json.dumps(facts))
        new.replace(self.folder / f"{facts['id']}.json")

    def _purge(self) -> None:
        """Deletes, once a minute, what is old, and the oldest where all are too many."""
        if time.monotonic() - self._purged < 60:
            return
        self._purged = time.monotonic()
        files = [(file.stat().st_mtime, file.stat().st_size, file) for file in self.folder.glob("*")]
        total = 0
        for changed, size, file in sorted(files, reverse=True):
            total += size
            if changed < time.time() - KEEP_S or total > KEEP_BYTES:
                file.unlink(missing_ok=True)
