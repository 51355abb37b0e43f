"""Statements answered by the consumer's Trino, where a deployment has it, after the same gate as elsewhere.

The tier of who asks is the user there, whose resource group says how many statements run at once: `anonymous`,
`internal`, or the id of the key.
"""

import contextlib
import io
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import jwt
import pyarrow as pa
import requests
import trino

from consumer.sql import QueryError
from consumer.sql.formats import WRITERS, Column, split_types
from consumer.sql.workers import Order
from include.errors import Unavailable
from include.settings import Settings

log = logging.getLogger(__name__)

BLOCK_ROWS = 10_000
WAIT_S = 30  # that a statement may wait in the cluster
TOKEN_S = 600
_WAITING = (None, "QUEUED", "WAITING_FOR_RESOURCES", "DISPATCHING", "PLANNING")
_UNREACHABLE = (trino.exceptions.OperationalError, trino.exceptions.HttpError, requests.RequestException, OSError)


class Cluster:
    """The consumer's Trino at `settings.consumer_trino`. `run` is for threads and blocks."""

    def __init__(self, settings: Settings) -> None:
        at = urlsplit(settings.consumer_trino)
        port = at.port or (443 if at.scheme == "https" else 80)
        self._where: dict[str, Any] = {"host": at.hostname, "port": port, "http_scheme": at.scheme}
        self._verify = str(settings.consumer_trino_ca) if settings.consumer_trino_ca else True
        self._key = settings.consumer_trino_key.read_text() if settings.consumer_trino_key else None

    def run(
        self,
        sql: str,
        user: str,
        order: Order,
        out: BinaryIO,
        cancelled: threading.Event,
        spend: Callable[[float], None] = lambda _: None,
    ) -> dict:
        """Writes the answer of `sql` to `out` in the format and limits of `order`; returns as `Pool.run`.

        Raises:
            QueryError: it is wrong, too large or too slow, or was cancelled.
            Unavailable: the cluster cannot be reached, has no place, or failed.
        """
        with contextlib.closing(self._connect(user)) as connection:
            cursor, begin = connection.cursor(), time.monotonic()
            with _watched(cursor, order.limits.seconds, cancelled) as ended:
                try:
                    cursor.execute(sql)
                    if not ended:
                        return _written(cursor, order, out, ended)
                except trino.exceptions.TrinoQueryError as error:
                    if not ended:
                        raise _told(error, sql) from None
                except _UNREACHABLE as error:
                    if not ended:
                        log.warning("The consumer's Trino cannot be asked: %s", error)
                        raise Unavailable(
                            "The cluster that answers SQL cannot be reached now. Try again later; REST, GraphQL and "
                            "the tables themselves are served without it."
                        ) from None
                except QueryError:
                    with contextlib.suppress(*_UNREACHABLE):
                        cursor.cancel()
                    raise
                finally:
                    waited = (cursor.stats or {}).get("queuedTimeMillis", 0) / 1000
                    spend(max(0.0, time.monotonic() - begin - waited))
                raise ended[0]

    def token(self, user: str) -> str:
        """A token that lets in as `user`, longer than any statement runs."""
        return jwt.encode({"sub": user, "exp": time.time() + TOKEN_S}, self._key, "RS256")

    def _connect(self, user: str) -> trino.dbapi.Connection:
        tls = self._where["http_scheme"] == "https"
        auth = trino.auth.JWTAuthentication(self.token(user)) if tls else None
        session = requests.Session()
        session.verify, session.trust_env = self._verify, False  # a REQUESTS_CA_BUNDLE would outrank the certificate
        return trino.dbapi.connect(
            **self._where, user=user, auth=auth, http_session=session, source="openimpact", timezone="UTC",
            request_timeout=10,
        )  # fmt: skip


@contextlib.contextmanager
def _watched(cursor, seconds: float, cancelled: threading.Event) -> Iterator[list[Exception]]:
    """Ends the statement when its time is over or nobody waits for it; the list then holds why."""
    ended: list[Exception] = []
    done = threading.Event()

    def watch() -> None:
        wait_until, run_until = time.monotonic() + WAIT_S, None
        while not done.wait(0.1):
            now = time.monotonic()
            if run_until is None and (cursor.stats or {}).get("state") not in _WAITING:
                run_until = now + seconds
            if cancelled.is_set():
                why = QueryError("The query was cancelled.", "USER_CANCELED")
            elif run_until is not None and now > run_until:
                sentence = f"The query was ended: it took more than {seconds:g} seconds. Read fewer rows, or aggregate."
                why = QueryError(sentence, "EXCEEDED_TIME_LIMIT")
            elif run_until is None and now > wait_until:
                why = Unavailable(f"No place for this query in {WAIT_S} seconds. Try again later.")
            else:
                continue
            ended.append(why)
            with contextlib.suppress(trino.exceptions.Error, *_UNREACHABLE):
                cursor.cancel()  # again and again, for what is under way may not be known yet

    thread = threading.Thread(target=watch, name="sql-deadline", daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        done.set()
        thread.join()


def _written(cursor, order: Order, out: BinaryIO, ended: list[Exception]) -> dict:
    columns = [column_of(name, kind) for name, kind, *_ in cursor.description]
    plain = [_plain(column.arrow) for column in columns]
    schema = pa.schema([pa.field(column.name, column.arrow) for column in columns])
    rows = 0
    bounded = _Bounded(out, order.limits.bytes)
    with WRITERS[order.format](bounded, columns) as writer:
        while block := cursor.fetchmany(BLOCK_ROWS):
            if ended:
                raise ended[0]
            rows += len(block)
            if rows > order.limits.rows:
                raise QueryError(
                    f"The result has more than {order.limits.rows:,} rows. Add a LIMIT, filter or aggregate.",
                    "EXCEEDED_OUTPUT_LIMIT",
                )
            arrays = [
                pa.array([None if value is None else make(value) for value in values] if make else values, field.type)
                for values, make, field in zip(zip(*block, strict=True), plain, schema, strict=True)
            ]
            writer.write(pa.RecordBatch.from_arrays(arrays, schema=schema))
    if ended:
        raise ended[0]
    return {"columns": [(column.name, column.type) for column in columns], "rows": rows}


class _Bounded(io.RawIOBase):
    """Hands on what is written, until it is too much."""

    def __init__(self, out: BinaryIO, most: int) -> None:
        self._out, self._most, self._size = out, most, 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._size += len(data)
        if self._size > self._most:
            raise QueryError(
                f"The result is over {self._most / 1e6:,.0f} MB. Take fewer columns or rows, or aggregate.",
                "EXCEEDED_OUTPUT_LIMIT",
            )
        self._out.write(data)
        return len(data)


def _told(error: trino.exceptions.TrinoQueryError, sql: str) -> Exception:
    """What is said of an error of the cluster: its own words where the statement is at fault or took too much."""
    if error.error_name == "QUERY_QUEUE_FULL":
        return Unavailable("Too many queries wait already. Try again in a few seconds.")
    if error.error_type in ("USER_ERROR", "INSUFFICIENT_RESOURCES"):
        message = re.sub(r"^line \d+:\d+: ", "", error.message)
        return QueryError(message[:500], error.error_name)
    log.error("The consumer's Trino failed with %s at: %s", error, sql[:1000])
    return Unavailable("The query failed here, through no fault of its text. Try again, or tell the operator.")


_ARROW = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "real": pa.float32(), "double": pa.float64(), "varbinary": pa.binary(), "date": pa.date32(), "unknown": pa.null(),
    "varchar": pa.string(), "char": pa.string(), "json": pa.string(), "uuid": pa.string(), "ipaddress": pa.string(),
    "time": pa.time64("us"), "timestamp": pa.timestamp("us"), "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip


def column_of(name: str, kind: str) -> Column:
    """The column of a result of Trino's type `kind`.

    Raises:
        QueryError: no client reads this type.
    """
    try:
        arrow = _arrow(kind)
    except KeyError:
        raise QueryError(
            f"Column {name[:60]} is of type {kind[:60]}, which is not served. Cast it to varchar."
        ) from None
    return Column(name, re.sub(r"\b(time|timestamp)\(\d+\)", r"\1(6)", kind), arrow)


def _arrow(kind: str) -> pa.DataType:
    outer = re.fullmatch(r"(array|map|row)\((.*)\)", kind, re.DOTALL)
    if not outer:
        if decimal := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", kind):
            return pa.decimal128(*map(int, decimal.groups()))
        return _ARROW[re.sub(r"\(\d+\)", "", kind)]
    parts = split_types(outer[2])
    if outer[1] == "array":
        return pa.list_(_arrow(parts[0]))
    if outer[1] == "map":
        return pa.map_(*map(_arrow, parts))
    fields = []
    for place, part in enumerate(parts):
        field, _, inner = part.partition(" ")
        named = inner and not inner.startswith("with ")
        fields.append(pa.field(field.strip('"') if named else f"field{place}", _arrow(inner if named else part)))
    return pa.struct(fields)


def _plain(kind: pa.DataType) -> Callable | None:
    """What makes a value of Trino's client one that Arrow takes; None if it is one."""
    if pa.types.is_string(kind):
        return str
    if pa.types.is_list(kind):
        each = _plain(kind.value_type)
        return (lambda v: [None if one is None else each(one) for one in v]) if each else None
    if pa.types.is_map(kind):
        item = _plain(kind.item_type) or _same
        return lambda v: [(key, None if one is None else item(one)) for key, one in v.items()]
    if pa.types.is_struct(kind):
        fields = [(field.name, _plain(field.type) or _same) for field in kind]
        return lambda v: {name: None if one is None else make(one) for (name, make), one in zip(fields, v, strict=True)}
    return None


def _same(value):
    return value
