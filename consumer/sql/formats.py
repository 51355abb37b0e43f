"""How a result is written: Arrow, Parquet, CSV, and JSON in the shapes that the clients read."""

import base64
import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from consumer.sql import QueryError

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so


@dataclass(frozen=True)
class Column:
    """A column of a result: `type` is Trino's name of it, `arrow` how it is sent."""

    name: str
    type: str
    arrow: pa.DataType


class Writer:
    """Writes record batches to `out`; used as a context, whose end writes what comes last."""

    def __init__(self, out: BinaryIO, columns: list[Column]) -> None:
        self.out, self.columns = out, columns
        self.schema = pa.schema([pa.field(c.name, c.arrow) for c in columns])
        self.begin()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.end()

    def write(self, batch: pa.RecordBatch) -> None:
        """Writes the rows of a batch."""
        columns = [
            column if column.type == kept.arrow else column.cast(kept.arrow)
            for column, kept in zip(batch.columns, self.columns, strict=True)
        ]
        self.rows(pa.RecordBatch.from_arrays(columns, schema=self.schema))

    def begin(self) -> None: ...
    def rows(self, batch: pa.RecordBatch) -> None: ...
    def end(self) -> None: ...


class Arrow(Writer):
    """The Arrow IPC stream."""

    def begin(self) -> None:
        self.stream = pa.ipc.new_stream(self.out, self.schema)

    def rows(self, batch: pa.RecordBatch) -> None:
        self.stream.write_batch(batch)

    def end(self) -> None:
        self.stream.close()


class Parquet(Writer):
    """A Parquet file."""

    def begin(self) -> None:
        self.file = pq.ParquetWriter(self.out, self.schema, compression="zstd")

    def rows(self, batch: pa.RecordBatch) -> None:
        self.file.write_batch(batch)

    def end(self) -> None:
        self.file.close()


class Csv(Writer):
    """CSV with a header; null is empty, and a text that a spreadsheet would run gets a ' before it."""

    def begin(self) -> None:
        self._lines([[c.name for c in self.columns]])

    def rows(self, batch: pa.RecordBatch) -> None:
        self._lines(_rows(batch))

    def _lines(self, rows) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
        self.out.write(text.getvalue().encode())


class Json(Writer):
    """{"columns": [...], "data": [[...]]}, as pandas.DataFrame(**...) takes it."""

    first = True

    def begin(self) -> None:
        self.out.write(b'{"columns":' + orjson.dumps([c.name for c in self.columns]) + b',"data":[')

    def rows(self, batch: pa.RecordBatch) -> None:
        lines = b",".join(orjson.dumps(row) for row in _rows(batch))
        if lines:
            self.out.write(lines if self.first else b"," + lines)
            self.first = False

    def end(self) -> None:
        self.out.write(b"]}\n")


class Minimal(Writer):
    """Lines of pyoso to 0.6: the first has columns and data, those after it data."""

    def begin(self) -> None:
        self.out.write(b'{"columns":' + orjson.dumps([c.name for c in self.columns]) + b',"data":[]}\n')

    def rows(self, batch: pa.RecordBatch) -> None:
        self.out.write(b'{"data":[' + b",".join(orjson.dumps(row) for row in _rows(batch)) + b"]}\n")


class Lines(Writer):
    """Lines of pyoso from 0.8: the first has the columns' names, those after it a row each."""

    def begin(self) -> None:
        self.out.write(orjson.dumps([c.name for c in self.columns]) + b"\n")

    def rows(self, batch: pa.RecordBatch) -> None:
        self.out.write(b"".join(orjson.dumps(row) + b"\n" for row in _rows(batch)))


class Trino(Writer):
    """A row a line, with values as the wire of Trino has them."""

    def rows(self, batch: pa.RecordBatch) -> None:
        self.out.write(b"".join(orjson.dumps(row) + b"\n" for row in _rows(batch, trino=True)))


WRITERS: dict[str, type[Writer]] = {
    "arrow": Arrow, "parquet": Parquet, "csv": Csv, "json": Json, "minimal": Minimal, "lines": Lines, "trino": Trino,
}  # fmt: skip


def columns_of(found, schema: pa.Schema) -> list[Column]:
    """The columns of a DuckDB result whose Arrow schema is `schema`.

    Raises:
        QueryError: a column has a type that no client reads.
    """
    columns = []
    for (name, kind, *_), field in zip(found.description, schema, strict=True):
        if kind.id in ("interval", "bit", "time with time zone"):
            raise QueryError(f"Column {name[:60]} is of type {kind.id}, which is not served. Cast it to varchar.")
        columns.append(Column(name, trino_name(kind), _ARROW.get(kind.id, field.type)))
    return columns


def trino_name(kind) -> str:
    """Trino's name of a DuckDB type."""
    if kind.id in ("list", "array"):
        return f"array({trino_name(kind.children[0][1])})"
    if kind.id == "map":
        return f"map({', '.join(trino_name(one) for _, one in kind.children)})"
    if kind.id == "struct":
        return f"row({', '.join(f'{name} {trino_name(one)}' for name, one in kind.children)})"
    if kind.id == "decimal":
        return f"decimal({', '.join(str(size) for _, size in kind.children)})"
    return _NAMES.get(kind.id, "varchar")


def split_types(kinds: str) -> list[str]:
    """Trino's names of types that stand between the outer commas."""
    parts, depth = [""], 0
    for sign in kinds:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


_NAMES = {
    "boolean": "boolean", "tinyint": "tinyint", "smallint": "smallint", "integer": "integer", "bigint": "bigint",
    "hugeint": "bigint", "utinyint": "smallint", "usmallint": "integer", "uinteger": "bigint", "ubigint": "bigint",
    "float": "real", "double": "double", "varchar": "varchar", "blob": "varbinary", "uuid": "uuid", "date": "date",
    "time": "time(6)", "timestamp": "timestamp(6)", "timestamp_s": "timestamp(6)", "timestamp_ms": "timestamp(6)",
    "timestamp_ns": "timestamp(6)", "timestamp with time zone": "timestamp(6) with time zone", "sqlnull": "unknown",
}  # fmt: skip
_ARROW = {
    "hugeint": pa.int64(), "ubigint": pa.int64(), "uinteger": pa.int64(), "usmallint": pa.int32(),
    "utinyint": pa.int16(), "timestamp_s": pa.timestamp("us"), "timestamp_ms": pa.timestamp("us"),
    "timestamp_ns": pa.timestamp("us"),
}  # fmt: skip


def _columns(batch: pa.RecordBatch, trino: bool) -> list[list]:
    columns = []
    for column in batch.columns:
        plain = _plain(column.type, trino)
        values = column.to_pylist()
        columns.append([None if v is None else plain(v) for v in values] if plain else values)
    return columns


def _plain(kind: pa.DataType, trino: bool) -> Callable | None:
    """What makes a Python value of this type one that JSON has, on Trino's wire or elsewhere; None if it is one."""
    if pa.types.is_floating(kind):
        return (lambda v: v if math.isfinite(v) else _NOT_FINITE[str(v)]) if trino else None  # JSON gets null
    if pa.types.is_timestamp(kind):
        if trino:
            zone = " UTC" if kind.tz else ""
            return lambda v: f"{v:%Y-%m-%d %H:%M:%S.%f}{zone}"
        return lambda v: v.isoformat().replace("+00:00", "Z")
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return lambda v: v.isoformat()
    if pa.types.is_binary(kind):
        return lambda v: base64.b64encode(v).decode()
    if pa.types.is_map(kind):
        key, item = _plain(kind.key_type, trino) or _same, _plain(kind.item_type, trino) or _same
        return lambda v: {str(key(k)): None if one is None else item(one) for k, one in v}
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        each = _plain(kind.value_type, trino)
        return (lambda v: [None if one is None else each(one) for one in v]) if each else None
    if pa.types.is_struct(kind):
        fields = [(field.name, _plain(field.type, trino) or _same) for field in kind]

        def struct(v):
            values = {name: None if v[name] is None else plain(v[name]) for name, plain in fields}
            return list(values.values()) if trino else values

        return struct
    return str if pa.types.is_decimal(kind) else None


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _same(value):
    return value


def _rows(batch: pa.RecordBatch, trino: bool = False) -> Iterator[tuple]:
    return zip(*_columns(batch, trino), strict=True)


def _cell(value):
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA) else value
    if isinstance(value, bool | list | dict):
        return orjson.dumps(value).decode()
    return value
