"""Iceberg tables as DuckDB queries over their data files, for DuckDB's own extension is a download."""

from collections import defaultdict

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
        pinned = (snapshots or {}).get(".".join(identifier))
        rows = select_sql(table, pinned and int(pinned)) if pinned or snapshots is None else _empty_select(table)
        conn.execute(f'create or replace view raw."{identifier[-1]}" as {rows}')


def select_sql(table: Table, snapshot_id: int | None = None) -> str:
    """The query that reads a snapshot of the table, the current one by default, from its data files.

    Files of the same columns are read together, so that DuckDB opens one of them to know them all, and of those whose
    path names the day no more than a query's days.

    Raises:
        ContractBroken: the table has delete files.
    """
    groups = defaultdict(list)
    for file in data_files(table, snapshot_id):
        columns = frozenset(file.value_counts or ())
        groups[columns, "/_day=" in file.file_path].append(file.file_path.removeprefix("file://"))
    # the empty branch gives a column that old files lack its type
    branches = [f"({_empty_select(table)})"]
    for (columns, by_day), paths in groups.items():
        options = "hive_partitioning = true, hive_types = {_day: date}" if by_day else "hive_partitioning = false"
        if not columns:  # its writer did not count them
            options += ", union_by_name = true"
        branches.append(f"select * from read_parquet({sorted(paths)!r}, {options})")
    fields = ", ".join(f'"{f.name}"' for f in table.schema().fields)
    return f"select {fields} from ({' union all by name '.join(branches)})"


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
