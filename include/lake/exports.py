"""Exports written by the embedded profile, one commit a table."""

import tempfile
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.transforms import MonthTransform

from include.lake.catalog import CONFLICTS, retry, sentences
from include.lake.landing import copy_into
from include.lake.tables import ensure_table


def write_export(catalog: Catalog, name: str, rows: pa.Table) -> int:
    """Replaces exports.<name> wholly by `rows`, as write_files does."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        pq.write_table(rows, file, compression="zstd")
        return write_files(catalog, name, rows.schema, [file] if rows.num_rows else [])


def write_files(
    catalog: Catalog,
    name: str,
    schema: pa.Schema,
    files: list[Path],
    *,
    replaced: BooleanExpression | None = None,
    month_of: str | None = None,
) -> int:
    """Replaces the rows of exports.<name> that match `replaced`, all by default, by those of Parquet `files`.

    `month_of` names the date or timestamp by whose month a table that does not exist yet is partitioned; no file may
    then hold two months. A table of another schema is widened first. Returns the snapshot id. Former snapshots stay
    until they expire, so that releases that point at them stay readable.

    Raises:
        ContractBroken: a column changed its type.
        FixNeeded: the warehouse is full or not writable; the table keeps its former content.
        Unavailable: other writers won every try, or the catalog database does not answer.
    """
    copies: list[str] = []

    def commit() -> int:
        table.refresh()
        if not copies:
            copies.extend(copy_into(table, file) for file in files)
        with table.transaction() as transaction, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Delete operation did not match any records")
            transaction.delete(replaced or AlwaysTrue())
            if copies:
                transaction.add_files(copies, check_duplicate_files=False)
            elif not table.current_snapshot():
                transaction.append(schema.empty_table())
        return table.current_snapshot().snapshot_id

    with sentences(f"exports.{name} was not written and keeps its former rows"):
        table = ensure_table(catalog, f"exports.{name}", schema, month_of, MonthTransform())
        return retry(commit, CONFLICTS)
