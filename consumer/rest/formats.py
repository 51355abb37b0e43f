"""An answer in the form that was asked for: JSON in an envelope, or CSV or Parquet as they are read from the bundle."""

import io
import re
from collections.abc import Iterator

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from starlette.datastructures import Headers

from consumer.bundle import Bundle
from consumer.sql.formats import FORMULA as STARTS

FORMS = {"json": "application/json", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
BLOCK = 256 * 1024
FORMULA = f"^([{re.escape(''.join(STARTS))}])"


def form_of(name: str, headers: Headers) -> tuple[str, str]:
    """Splits a path's last part from its extension; the form is that of the extension, else of Accept, else json."""
    stem, dot, extension = name.rpartition(".")
    if dot and extension in FORMS:
        return stem, extension
    media = {media: form for form, media in FORMS.items()}
    wanted = []
    for place, part in enumerate(headers.get("accept", "").split(",")):
        kind, *options = (piece.strip().lower() for piece in part.split(";"))
        quality = next((option[2:] for option in options if option.startswith("q=")), "1")
        wanted.append((-float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0, place, kind))
    for quality, _, kind in sorted(wanted):
        if kind in media and quality:
            return name, media[kind]
        if kind in ("*/*", "application/*"):
            break
    return name, "json"


def as_json(document: dict) -> bytes:
    """The document; days and moments as ISO 8601 (UTC), a number that is none as null."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def as_csv(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Blocks of CSV with a header: null is empty, empty text is \"\", lists are JSON, formulas are text."""
    flat = pa.schema([(field.name, pa.string() if _nested(field.type) else field.type) for field in schema])
    sink = io.BytesIO()
    with pa.csv.CSVWriter(sink, flat) as writer:
        for batch in batches:
            columns = [_cells(column) for column in batch.columns]
            writer.write_batch(pa.record_batch(columns, schema=flat))
            if sink.tell() > BLOCK:
                yield _drained(sink)
    yield _drained(sink)


def as_parquet(batches: Iterator[pa.RecordBatch], schema: pa.Schema, bundle: Bundle) -> Iterator[bytes]:
    """Blocks of one Parquet file whose metadata names the release and what it is as of."""
    as_of = orjson.dumps(bundle.as_of)
    schema = schema.with_metadata({"openimpact.release": bundle.release_id, "openimpact.as_of": as_of})
    sink = _Sink()
    with pa.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata), row_group_size=len(batch))
            if sink.waiting > BLOCK:
                yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is handed on while it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = self.waiting = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        self.waiting += len(self._parts[-1])
        return len(self._parts[-1])

    def taken(self) -> bytes:
        block = b"".join(self._parts)
        self._parts, self.waiting = [], 0
        return block


def _drained(sink: io.BytesIO) -> bytes:
    block = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return block


def _nested(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind)


def _cells(column: pa.Array) -> pa.Array:
    if _nested(column.type):
        texts = [None if cell is None else orjson.dumps(cell).decode() for cell in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, FORMULA, r"'\1")
    return column
