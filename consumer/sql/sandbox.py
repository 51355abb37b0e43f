"""The third fence: a process that answers one query and ends. python -m consumer.sql, started by workers.py.

The parent imports what a query needs and forks, one child after the other. A child gets its orders on the socket that
is standard input: {"open": bundle} to make ready, then one {"sql": ...} with the pipe that the answer goes to. Before
it reads the statement it gives up all that it does not need: new files and sockets, memory without end, and time. It
says on the socket what came of it, a line of JSON, and the parent adds {"exit": status}.
"""

import contextlib
import io
import json
import os
import re
import resource
import select
import signal
import socket
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot.schema import MappingSchema

from consumer.fences import FENCES
from consumer.sql import QueryError
from consumer.sql.dialect import MACROS, to_duckdb, to_trino, trino_type
from consumer.sql.formats import WRITERS, Column, columns_of
from consumer.sql.gate import gate
from consumer.sql.metadata import VIEWS

MEMORY = 2 << 30  # bytes of addresses; the libraries alone take 0.7 GB of them
FLAGS = FENCES | {"memory_limit": "600MB", "integer_division": "true"}
LONG_S = 1.0  # a query that takes longer gives way to everything else on the machine
BLOCK_ROWS = 10_000


def main() -> None:
    """Forks a child for each query until the socket is closed."""
    control = socket.socket(fileno=os.dup(0))
    warm_up()
    while True:
        child = os.fork()
        if not child:
            try:
                status = Child(control).work()
            except BaseException as error:  # whose text could name paths
                _say(control, {"failed": type(error).__name__})
                status = 2
            os._exit(status)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 3:
            return
        _say(control, {"exit": os.waitstatus_to_exitcode(status)})


def warm_up() -> None:
    """Imports and makes before the fork what is imported and made at first use: no file can be opened later."""
    to_duckdb(gate("select current_date, split('a', 'b')", set(), ""), MappingSchema({"oso": {"t": {"a": "date"}}}))
    row = pa.record_batch(
        {"at": pa.array([datetime.now(UTC)], pa.timestamp("us", "UTC")), "on": pa.array([date.today()])}
    )
    for writer in WRITERS.values():
        with writer(io.BytesIO(), [Column(f.name, "", f.type) for f in row.schema]) as out:
            out.write(row)


def lock_down(seconds: float) -> None:
    """From here on: no file or socket can be opened, none written, memory and time are bounded, by the kernel.

    After LONG_S the process has the lowest priority.
    """
    step = threading.Timer(LONG_S, _step_behind, [os.listdir("/proc/self/task")])
    step.daemon = True
    step.start()
    for limit, value in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, int(seconds * int(FLAGS["threads"])) + 2),
        (resource.RLIMIT_NOFILE, 0),  # those that are open stay
    ):
        resource.setrlimit(limit, (value, value))
    with contextlib.suppress(OSError):  # where we have left the network, or are root
        os.chroot("/proc/self/fdinfo")  # no path leads anywhere, not for what needs no file opened, as mkdir
        os.chdir("/")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever the engine is doing
    signal.setitimer(signal.ITIMER_REAL, seconds)


class Child:
    """One query: orders, statement, answer."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.engine: Engine | None = None

    def work(self) -> int:
        """Returns the exit status: 0 the query was answered or refused, 3 nobody wants more."""
        while True:
            data, pipes, *_ = socket.recv_fds(self.control, 1 << 20, 1)
            if not data:
                return 3
            while not data.endswith(b"\n"):
                data += self.control.recv(1 << 20)
            for order in map(json.loads, data.splitlines()):
                if self.engine is None or self.engine.path != order["open"]:
                    self.engine = Engine(order["open"])
                if "sql" in order:
                    threading.Thread(target=_end_with_reader, args=pipes, daemon=True).start()
                    lock_down(order["seconds"])
                    _say(self.control, self.answer(order, pipes[0]))
                    return 0

    def answer(self, order: dict, pipe: int) -> dict:
        """Runs the statement and writes the rows; returns {"columns", "rows"} or {"error", "name"}."""
        asked = order["sql"], order["parameters"], tuple(order["default"])
        try:
            if order["format"] == "statement":
                os.write(pipe, self.engine.statement(*asked).encode())
                return {"columns": [], "rows": 0}
            found = self.engine.run(*asked)
            reader = found.to_arrow_reader(BLOCK_ROWS)
            columns = columns_of(found, reader.schema)
            rows = 0
            with (
                open(pipe, "wb", buffering=1 << 16, closefd=False) as out,
                WRITERS[order["format"]](out, columns) as writer,
            ):
                for batch in reader:
                    rows += batch.num_rows
                    if rows > order["rows"]:
                        raise QueryError(
                            f"The result has more than {order['rows']:,} rows. Add a LIMIT, filter or aggregate.",
                            "EXCEEDED_OUTPUT_LIMIT",
                        )
                    writer.write(batch)
            return {"columns": [(c.name, c.type) for c in columns], "rows": rows}
        except QueryError as error:
            return {"error": str(error), "name": error.name}
        except (duckdb.OutOfMemoryException, MemoryError):
            sentence = "The query needs more memory than one may have. Read or group less at once."
            return {"error": sentence, "name": "EXCEEDED_LOCAL_MEMORY_LIMIT"}
        except (duckdb.Error, pa.ArrowException) as error:
            return {"error": _scrubbed(str(error)), "name": "GENERIC_USER_ERROR"}


class Engine:
    """An opened bundle behind the first two fences: `run` takes Trino's SQL."""

    def __init__(self, path: str) -> None:
        facts = json.loads(Path(path).with_name("bundle.json").read_text())
        self.path = path
        self.release_id = facts["release_id"]
        self.tables = set(facts["tables"])
        columns = {n: {c[0]: trino_type(c[1]) for c in t["columns"]} for n, t in facts["tables"].items()}
        self.schema = MappingSchema({"oso": columns}, dialect="trino")
        self.db = open_duckdb(path)

    def statement(self, sql: str, parameters: list | dict | None = None, default: tuple = (None, None)) -> str:
        """The SQL that a cluster is sent for one query; "" where it asks for tables of the catalog.

        Raises:
            QueryError: the gate refuses it.
        """
        return to_trino(gate(sql, self.tables, self.release_id, parameters, default), self.release_id)

    def run(self, sql: str, parameters: list | dict | None = None, default: tuple = (None, None)):
        """The result of one query, as DuckDB's connection gives it.

        Raises:
            QueryError: the gate refuses it.
            duckdb.Error: it is wrong, or too large.
        """
        tree = gate(sql, self.tables, self.release_id, parameters, default)
        return self.db.execute(to_duckdb(tree, self.schema))


def open_duckdb(path: str) -> duckdb.DuckDBPyConnection:
    """The bundle with the second fence: read only, nothing outside, settings locked."""
    db = duckdb.connect(path, config=FLAGS)
    db.execute("set global timezone = 'UTC'")
    db.execute(";".join(f"create temp macro {head} as {body}" for head, body in MACROS.items()))
    db.execute(";".join(f'create temp view "{name.split(".", 1)[1]}" as {sql}' for name, sql in VIEWS.items()))
    db.execute("set lock_configuration = true")
    return db


def _end_with_reader(pipe: int) -> None:
    """Ends the process when nobody reads the answer any more: the query was cancelled."""
    poll = select.poll()
    poll.register(pipe, 0)
    poll.poll()
    os._exit(0)


def _step_behind(threads: list[str]) -> None:
    for thread in threads:  # priority is a thread's own
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, int(thread), 19)


def _scrubbed(text: str) -> str:
    """The first lines of an error of the engine, without paths."""
    text = text.split("\n\nLINE")[0].split("\nLINE")[0].split("Stack Trace")[0]
    text = re.sub(r'Binder Error: Column ("[^"]*") referenced that exists .*', r"There is no column \1.", text)
    text = re.sub(
        r'Binder Error: Referenced (column|table) "([^"]*)" not found.*', r'There is no \1 "\2".', text, flags=re.S
    )
    return re.sub(r"(?:/[\w.@~+-]+){2,}", "…", text).strip()[:500]


def _say(control: socket.socket, outcome: dict) -> None:
    control.sendall(json.dumps(outcome).encode() + b"\n")
