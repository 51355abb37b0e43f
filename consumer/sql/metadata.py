"""What clients ask about tables: information_schema, system.jdbc, SHOW, DESCRIBE, out of the release's dictionary."""

import re

from consumer.sql import QueryError

_TYPE = """replace(case when data_type like '% array' then 'array(' || left(data_type, -6) || ')' else data_type end,
    'timestamp with', 'timestamp(6) with')"""
_TABLES = "select distinct table_name, table_description from oso.columns_v1"
_JDBC_TYPES = {
    "bigint": -5, "boolean": 16, "date": 91, "double": 8, "timestamp with time zone": 2014, "varchar": 12,
}  # fmt: skip

# by full name, * for the release's catalog: DuckDB's SQL, over a table that every release has
VIEWS = {
    "*.information_schema.schemata": """select 'consumer' as catalog_name, schema_name
        from (values ('information_schema'), ('oso')) as v(schema_name)""",
    "*.information_schema.tables": f"""select 'consumer' as table_catalog, 'oso' as table_schema, table_name,
        'BASE TABLE' as table_type, table_description as table_comment from ({_TABLES})""",
    "*.information_schema.columns": f"""select 'consumer' as table_catalog, 'oso' as table_schema, table_name,
        column_name, cast(position as bigint) as ordinal_position, cast(null as varchar) as column_default,
        case when is_nullable then 'YES' else 'NO' end as is_nullable, {_TYPE} as data_type,
        description as comment, cast(null as varchar) as extra_info from oso.columns_v1""",
    "*.information_schema.views": """select '' as table_catalog, '' as table_schema, '' as table_name,
        '' as view_definition where false""",
    "system.jdbc.catalogs": "select 'consumer' as table_cat",
    "system.jdbc.schemas": """select table_schem, 'consumer' as table_catalog
        from (values ('information_schema'), ('oso')) as v(table_schem)""",
    "system.jdbc.table_types": "select 'TABLE' as table_type",
    "system.jdbc.tables": f"""select 'consumer' as table_cat, 'oso' as table_schem, table_name, 'TABLE' as table_type,
        table_description as remarks, cast(null as varchar) as type_cat, cast(null as varchar) as type_schem,
        cast(null as varchar) as type_name, cast(null as varchar) as self_referencing_col_name,
        cast(null as varchar) as ref_generation from ({_TABLES})""",
    "system.jdbc.columns": f"""select 'consumer' as table_cat, 'oso' as table_schem, table_name, column_name,
        cast(case {" ".join(f"when data_type = '{t}' then {n}" for t, n in _JDBC_TYPES.items())} else 2003 end
        as bigint) as data_type, {_TYPE} as type_name,
        cast(null as bigint) as column_size, cast(null as bigint) as buffer_length,
        cast(null as bigint) as decimal_digits, cast(10 as bigint) as num_prec_radix,
        cast(case when is_nullable then 1 else 0 end as bigint) as nullable, description as remarks,
        cast(null as varchar) as column_def, cast(null as bigint) as sql_data_type,
        cast(null as bigint) as sql_datetime_sub, cast(null as bigint) as char_octet_length,
        cast(position as bigint) as ordinal_position, case when is_nullable then 'YES' else 'NO' end as is_nullable,
        cast(null as varchar) as scope_catalog, cast(null as varchar) as scope_schema,
        cast(null as varchar) as scope_table, cast(null as bigint) as source_data_type,
        'NO' as is_autoincrement, 'NO' as is_generatedcolumn
        from oso.columns_v1""",
    "system.metadata.table_comments": f"""select 'consumer' as catalog_name, 'oso' as schema_name, table_name,
        table_description as comment from ({_TABLES})""",
}

_NAME = r"""((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+)){0,2})"""
_LIKE = r"(?:\s+LIKE\s+('(?:[^']|'')*'))?"
_FORMS = [
    (rf"SHOW\s+CATALOGS{_LIKE}", "catalogs"),
    (rf"SHOW\s+SCHEMAS(?:\s+(?:FROM|IN)\s+{_NAME})?{_LIKE}", "schemas"),
    (rf"SHOW\s+TABLES(?:\s+(?:FROM|IN)\s+{_NAME})?{_LIKE}", "tables"),
    (rf"SHOW\s+COLUMNS\s+(?:FROM|IN)\s+{_NAME}{_LIKE}", "columns"),
    (rf"(?:DESCRIBE|DESC)\s+(?!INPUT|OUTPUT){_NAME}()", "columns"),
]


def as_query(sql: str, default: tuple = (None, None)) -> str | None:
    """The query that a SHOW or a DESCRIBE stands for, in Trino's SQL; None for all else.

    Raises:
        QueryError: a SHOW that is not served.
    """
    text = sql.strip().rstrip(";").strip()
    for pattern, kind in _FORMS:
        found = re.fullmatch(pattern, text, re.IGNORECASE)
        if found:
            return _QUERIES[kind](*found.groups(), default=default)
    if re.match(r"SHOW\b", text, re.IGNORECASE):
        raise QueryError("SHOW CATALOGS, SCHEMAS, TABLES and COLUMNS are served.")
    return None


def _catalogs(like: str | None, default: tuple) -> str:
    return f'SELECT table_cat AS "Catalog" FROM system.jdbc.catalogs{_like("table_cat", like)} ORDER BY 1'


def _schemas(catalog: str | None, like: str | None, default: tuple) -> str:
    source = f"{catalog or default[0] or 'consumer'}.information_schema.schemata"
    return f'SELECT schema_name AS "Schema" FROM {source}{_like("schema_name", like)} ORDER BY 1'


def _tables(schema: str | None, like: str | None, default: tuple) -> str:
    *catalog, name = (schema or default[1] or "oso").split(".")
    source = f"{(catalog or [default[0] or 'consumer'])[0]}.information_schema.tables"
    where = _like("table_name", like) or " WHERE true"
    name = name.strip('"').replace("'", "''").lower()
    return f"SELECT table_name AS \"Table\" FROM {source}{where} AND table_schema = '{name}' ORDER BY 1"


def _columns(table: str, like: str | None, default: tuple) -> str:
    name = table.split(".")[-1].strip('"').replace("'", "''").lower()
    where = _like("column_name", like) or " WHERE true"
    return (
        'SELECT column_name AS "Column", data_type AS "Type", \'\' AS "Extra", comment AS "Comment" '
        f"FROM consumer.information_schema.columns{where} AND table_name = '{name}' "
        f"AND (true OR EXISTS (SELECT 1 FROM {table})) ORDER BY ordinal_position"  # a table that is not there is named
    )


def _like(column: str, like: str | None) -> str:
    return f" WHERE {column} LIKE {like}" if like else ""


_QUERIES = {"catalogs": _catalogs, "schemas": _schemas, "tables": _tables, "columns": _columns}
