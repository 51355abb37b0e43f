"""Ends queries whose time is over: one thread for all of them, for to start one for each costs as much as a query."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

AGAIN_S = 0.1


@dataclass(eq=False)
class Work:
    """Queries on one cursor that end together; `due` is when to interrupt next, and `over` whether that began."""

    cursor: duckdb.DuckDBPyConnection
    due: float
    over: bool = False


class Deadlines:
    """The pieces of work under way, watched by a thread that starts with the first and holds none that ended."""

    def __init__(self) -> None:
        self._under_way: set[Work] = set()
        self._changed = threading.Condition()
        self._looks_at = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def kept(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[Work]:
        """Interrupts what `cursor` runs once `seconds` are over, then again and again until the `with` ends."""
        work = Work(cursor, time.monotonic() + seconds)
        with self._changed:
            self._under_way.add(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif work.due < self._looks_at:  # else it looks in time anyway, and waking it costs the query
                self._changed.notify()
        try:
            yield work
        finally:
            with self._changed:
                self._under_way.remove(work)

    def _watch(self) -> None:
        with self._changed:
            while True:
                self._looks_at = self._interrupt()
                self._changed.wait(min(self._looks_at - time.monotonic(), threading.TIMEOUT_MAX))

    def _interrupt(self) -> float:
        """Interrupts what is due; returns when to look again."""
        now = time.monotonic()
        for work in self._under_way:
            if work.due <= now:
                work.over, work.due = True, now + AGAIN_S  # an interrupt between two queries stops none
                work.cursor.interrupt()
        return min((work.due for work in self._under_way), default=math.inf)
