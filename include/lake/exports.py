"""Exports written by the embedded profile: one whole table, one commit."""

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue

from include.lake.catalog import retry
from include.lake.landing import CONFLICTS
from include.lake.tables import ensure_table


def write_export(catalog: SqlCatalog, name: str, rows: pa.Table | pa.RecordBatchReader) -> int:
    """Replaces exports.<name> wholly by `rows`; a table of another schema is widened first.

    Returns the snapshot id. Former snapshots stay until they expire, so that
    releases that point at them stay readable.

    Raises:
        ContractBroken: a column changed its type.
    """
    data = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows
    table = ensure_table(catalog, f"exports.{name}", data.schema)

    def commit() -> int:
        table.refresh()
        table.overwrite(data, AlwaysTrue())
        return table.current_snapshot().snapshot_id

    return retry(commit, CONFLICTS)
