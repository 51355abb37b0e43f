"""The pool of sandboxes, on the side of the server, which moves the bytes of an answer and never reads into them."""

import contextlib
import json
import logging
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from consumer.sql import QueryError
from include.errors import Unavailable

log = logging.getLogger(__name__)

GRACE_S = 2.0  # after the kernel should have ended a query, its sandbox is killed whole
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one query may take: `seconds` of the clock, `rows` and `bytes` of its answer as written."""

    seconds: float
    rows: int
    bytes: int


@dataclass(frozen=True)
class Order:
    """A query to run: Trino's SQL with its parameters over the bundle at `path`, to be written in `format`.

    In the format "statement" nothing is run: the answer is the SQL that a cluster is sent, as by dialect.to_trino.
    """

    path: str
    sql: str
    format: str
    limits: Limits
    parameters: list | dict | None = None
    default: tuple[str | None, str | None] = (None, None)


class Pool:
    """`size` sandboxes, which have the bundle at `path` open at once; `waiting` queries may wait for one.

    `run` is for threads and blocks.
    """

    def __init__(self, size: int = 2, waiting: int = 32, wait_s: float = 30.0, path: str | None = None) -> None:
        self.size, self.wait_s = size, wait_s
        self._free: queue.Queue[Sandbox] = queue.Queue()  # the one that is free longest has its next child ready
        self._places = threading.BoundedSemaphore(size + waiting)
        self._all = [Sandbox(path) for _ in range(size)]
        for sandbox in self._all:
            self._free.put(sandbox)

    def run(
        self,
        order: Order,
        out: BinaryIO,
        cancelled: threading.Event | None = None,
        spend: Callable[[float], None] = lambda _: None,
    ) -> dict:
        """Writes the answer to `out`; returns {"columns": [(name, Trino's type)], "rows"}.

        `spend` is told the seconds that it took a sandbox, whatever came of it.

        Raises:
            QueryError: it is refused, wrong, too large or too slow; what is in `out` is worth nothing.
            Unavailable: too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many queries wait already. Try again in a few seconds.")
        try:
            cancelled = cancelled or threading.Event()
            sandbox = self._wait(cancelled)
            begin = time.monotonic()
            try:
                return sandbox.run(order, out, cancelled)
            finally:
                spend(time.monotonic() - begin)
                self._free.put(sandbox)
        finally:
            self._places.release()

    def _wait(self, cancelled: threading.Event) -> "Sandbox":
        end = time.monotonic() + self.wait_s
        while time.monotonic() < end and not cancelled.is_set():
            with contextlib.suppress(queue.Empty):
                return self._free.get(timeout=0.2)
        if cancelled.is_set():
            raise QueryError("The query was cancelled.", "USER_CANCELED")
        raise Unavailable(f"No place for this query in {self.wait_s:.0f} seconds. Try again later.")

    def close(self) -> None:
        """Ends all sandboxes."""
        for sandbox in self._all:
            sandbox.close()


class Sandbox:
    """One process of sandbox.py, which answers one query at a time, each in a child of its own.

    The bundle at `path`, if it is given, and then that of the last query is opened ahead.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._control, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "consumer.sql"],
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},  # no secret of ours
                stdin=other,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._lines = self._control.makefile("rb")
        if self._path:
            self._open()

    def _open(self) -> None:
        self._control.sendall(json.dumps({"open": self._path}).encode() + b"\n")

    def run(self, order: Order, out: BinaryIO, cancelled: threading.Event) -> dict:
        """As `Pool.run`."""
        if self._process.poll() is not None:
            self._restart()
        limits = order.limits
        line = {
            "open": order.path, "sql": order.sql, "format": order.format, "parameters": order.parameters,
            "default": order.default, "seconds": limits.seconds, "rows": limits.rows,
        }  # fmt: skip
        read, write = os.pipe()
        try:
            socket.send_fds(self._control, [json.dumps(line).encode() + b"\n"], [write])
        except OSError:
            os.close(read)
            self._restart()
            raise Unavailable("The query could not be started. Try again.") from None
        finally:
            os.close(write)
        ended = self._copy(read, out, limits, cancelled)
        self._path = order.path
        outcome = self._outcome()
        if ended:
            raise ended
        if "error" in outcome:
            raise QueryError(outcome["error"], outcome["name"])
        if "failed" in outcome:
            log.error("A sandbox failed with %s at: %s", outcome["failed"], order.sql[:1000])
            raise Unavailable("The query failed here, through no fault of its text. Try again, or tell the operator.")
        if "rows" not in outcome:
            raise QueryError(
                f"The query was ended: it took more than {limits.seconds:g} seconds or more memory than one may have. "
                "Read fewer rows, or aggregate earlier.",
                "EXCEEDED_TIME_LIMIT",
            )
        return outcome

    def _copy(self, read: int, out: BinaryIO, limits: Limits, cancelled: threading.Event) -> QueryError | None:
        """Moves the answer until the pipe is closed; closing our end of it early ends the query."""
        deadline, size = time.monotonic() + limits.seconds + GRACE_S, 0
        poll = select.poll()
        poll.register(read, select.POLLIN)
        try:
            while True:
                if cancelled.is_set():
                    return QueryError("The query was cancelled.", "USER_CANCELED")
                if time.monotonic() > deadline:
                    self._process.kill()
                    return QueryError("The query did not end in time and was killed.", "EXCEEDED_TIME_LIMIT")
                if not poll.poll(100):
                    continue
                block = os.read(read, 1 << 18)
                if not block:
                    return None
                size += len(block)
                if size > limits.bytes:
                    return QueryError(
                        f"The result is over {limits.bytes / 1e6:,.0f} MB. Take fewer columns or rows, or aggregate.",
                        "EXCEEDED_OUTPUT_LIMIT",
                    )
                out.write(block)
        finally:
            os.close(read)

    def _outcome(self) -> dict:
        """What the child said, once it has ended; the next one then opens the bundle ahead of its query."""
        outcome: dict = {}
        self._control.settimeout(GRACE_S)
        try:
            while "exit" not in outcome:
                outcome |= json.loads(self._lines.readline())
            self._open()
        except (OSError, ValueError) as error:  # it is gone, or says nothing
            outcome["failed"] = type(error).__name__
            self._restart()
        else:
            self._control.settimeout(None)
        return outcome

    def _restart(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        """Kills the process and its child."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._lines.close()
        self._control.close()
