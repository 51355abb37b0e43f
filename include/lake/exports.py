"""Exports written by the embedded profile: one whole table, one commit."""

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue

from include.lake.catalog import CONFLICTS, retry, sentences
from include.lake.tables import ensure_table


def write_export(catalog: SqlCatalog, name: str, rows: pa.Table | pa.RecordBatchReader) -> int:
    """Replaces exports.<name> wholly by `rows`; a table of another schema is widened first.

    Returns the snapshot id. Former snapshots stay until they expire, so that
    releases that point at them stay readable.

    Raises:
        ContractBroken: a column changed its type.
        FixNeeded: the warehouse is full or not writable; the table keeps its former content.
        Unavailable: other writers won every try, or the catalog database does not answer.
    """
    data = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows

    def commit() -> int:
        table.refresh()
        table.overwrite(data, AlwaysTrue())
        return table.current_snapshot().snapshot_id

    with sentences(f"exports.{name} was not written and keeps its former rows"):
        table = ensure_table(catalog, f"exports.{name}", data.schema)
        return retry(commit, CONFLICTS)
