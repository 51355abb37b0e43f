"""Iceberg tables as DuckDB queries over their data files, for DuckDB's own extension is a download."""

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from pyiceberg.types import ListType, StructType

from include.lake.tables import data_files


def register_store(conn, catalog: Catalog) -> None:
    """Lets the DuckDB connection `conn` read the catalog's files where they are on S3."""
    if any(key.startswith("s3.") for key in catalog.properties):
        from pyiceberg.io.fsspec import FsspecFileIO

        conn.register_filesystem(FsspecFileIO(catalog.properties).get_fs("s3"))


def create_raw_views(conn, catalog: Catalog, snapshots: dict[str, str] | None = None) -> None:
    """Points raw.<table> of the DuckDB connection `conn` at the files of each table of namespace raw.

    `snapshots` holds the snapshot id by 'raw.<table>'; None means the current ones. A table without data becomes an
    empty view with the table's columns, and so does one that `snapshots` lacks.
    """
    conn.execute("set timezone = 'UTC'")
    conn.execute("set parquet_metadata_cache = true")  # a data file never changes, and every model opens them all
    conn.execute("create schema if not exists raw")
    for identifier in catalog.list_tables("raw"):
        table = catalog.load_table(identifier)
        name = f'raw."{identifier[-1]}"'
        pinned = (snapshots or {}).get(".".join(identifier))
        files = data_files(table, pinned and int(pinned)) if pinned or snapshots is None else []
        conn.execute(f"create or replace view {name} as {select_sql(table, files)}")


def select_sql(table: Table, files: list[str]) -> str:
    """The query that reads the table's columns from its data files; of no files no rows.

    PyIceberg and Trino write copy-on-write here, so the list of files is the table; a table with delete files is
    refused by `data_files`.
    """
    empty = _empty_select(table)
    if not files:
        return empty
    fields = ", ".join(f'"{f.name}"' for f in table.schema().fields)
    # the empty branch gives a column that old files lack its type
    return (
        f"select {fields} from "
        f"(({empty}) union all by name select * from read_parquet({files!r}, union_by_name = true))"
    )


def _empty_select(table: Table) -> str:
    names = {
        "string": "varchar",
        "long": "bigint",
        "int": "integer",
        "boolean": "boolean",
        "double": "double",
        "date": "date",
        "timestamp": "timestamp",
        "timestamptz": "timestamp with time zone",
    }

    def duck(kind) -> str:
        if isinstance(kind, ListType):
            return f"{duck(kind.element_type)}[]"
        if isinstance(kind, StructType):
            return "struct(" + ", ".join(f'"{f.name}" {duck(f.field_type)}' for f in kind.fields) + ")"
        return names.get(str(kind), str(kind))

    columns = ", ".join(f'cast(null as {duck(f.field_type)}) as "{f.name}"' for f in table.schema().fields)
    return f"select {columns} where false"
