"""dbt-duckdb plugin: each raw Iceberg table as a view over its data files, as the plan of the build found them.

PyIceberg writes copy-on-write, so the list of files is the table; a table with
delete files is refused by `data_files`.
"""

import json
import os

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Adds schema `raw` to every connection dbt opens; takes no configuration."""

    def initialize(self, config: dict) -> None:
        """Nothing to prepare: the settings come from the environment."""

    def configure_connection(self, conn) -> None:
        """Creates or replaces raw.<table> for every table in the lake's namespace raw.

        OPENIMPACT_BUILD, JSON, says in `snapshots` (ids by table) as of when; without it as of now.
        """
        from include.lake.catalog import open_catalog
        from include.settings import load_settings

        catalog = open_catalog(load_settings(), "lake")
        if any(key.startswith("s3.") for key in catalog.properties):
            from pyiceberg.io.fsspec import FsspecFileIO

            conn.register_filesystem(FsspecFileIO(catalog.properties).get_fs("s3"))
        snapshots = json.loads(os.environ.get("OPENIMPACT_BUILD", "{}")).get("snapshots")
        create_raw_views(conn, catalog, snapshots)


def create_raw_views(conn, catalog, snapshots: dict[str, str] | None = None) -> None:
    """Points raw.<table> of the DuckDB connection `conn` at the files of each table of namespace raw.

    `snapshots` holds the snapshot id by 'raw.<table>'; None means the current ones. A table without data becomes an
    empty view with the table's columns, and so does one that `snapshots` lacks.
    """
    from include.lake.tables import data_files

    conn.execute("set timezone = 'UTC'")
    conn.execute("set parquet_metadata_cache = true")  # a data file never changes, and every model opens them all
    conn.execute("create schema if not exists raw")
    for identifier in catalog.list_tables("raw"):
        table = catalog.load_table(identifier)
        name = f'raw."{identifier[-1]}"'
        pinned = (snapshots or {}).get(".".join(identifier))
        files = data_files(table, pinned and int(pinned)) if pinned or snapshots is None else []
        if files:
            fields = ", ".join(f'"{f.name}"' for f in table.schema().fields)
            empty = _empty_select(table)
            # the empty branch gives a column that old files lack its type
            conn.execute(
                f"create or replace view {name} as select {fields} from "
                f"(({empty}) union all by name select * from read_parquet({files!r}, union_by_name = true))"
            )
        else:
            conn.execute(f"create or replace view {name} as {_empty_select(table)}")


def _empty_select(table) -> str:
    from pyiceberg.types import ListType

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
        return f"{duck(kind.element_type)}[]" if isinstance(kind, ListType) else names.get(str(kind), str(kind))

    columns = ", ".join(f'cast(null as {duck(f.field_type)}) as "{f.name}"' for f in table.schema().fields)
    return f"select {columns} where false"
