"""The first fence: one query, made of parts we know, over published tables. SQL goes in, a syntax tree comes out.

What is not known is refused: a tree may have the kinds of nodes that the forms and functions of dialect.py parse to.
Tables are resolved by scope, with their full names, so that no shadow of a name passes.
"""

from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from consumer.sql import QueryError
from consumer.sql.dialect import FORMS, FUNCTIONS
from consumer.sql.metadata import VIEWS, as_query

MAX_SQL = 100_000  # characters; a list of 280 KB takes over a second to parse
CATALOG, SCHEMA = "consumer", "oso"
FIELDS = {"DOW", "DOY", "DAYOFWEEK", "DAYOFYEAR", "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}
UNITS = {"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}  # of date_trunc
LITERALS = (
    exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Cast, exp.DataType, exp.DataTypeParam, exp.HexString, exp.Array,
    exp.Struct, exp.Tuple, exp.Map, exp.ToMap, exp.VarMap, exp.Interval, exp.Var,
)  # fmt: skip


def gate(
    sql: str, tables: set[str], release_id: str, parameters: list | dict | None = None, default: tuple = (None, None)
) -> exp.Query:
    """The tree of the one query in `sql`, with `parameters` bound, tables named "oso"."<table>" or "temp"."<view>".

    `tables` are the published names, `parameters` JSON values for `?` (list) or `:name` (dict), `default` the catalog
    and schema of names without one. SHOW, DESCRIBE and EXECUTE IMMEDIATE come back as the queries they stand for.

    Raises:
        QueryError: a sentence that says what is refused.
    """
    if len(sql) > MAX_SQL:
        raise QueryError(f"The statement has {len(sql):,} characters; {MAX_SQL:,} are served. Shorten it.")
    values = parameters
    inner = _execute_immediate(sql)
    if inner:
        if parameters:
            raise QueryError("EXECUTE IMMEDIATE takes its parameters after USING, and none beside the statement.")
        sql, values = inner
    try:
        tree = _parse(as_query(sql, default) or sql)
        _known(tree)
        tree = _bind(tree, values)
        _resolve(tree, tables, release_id, default)
    except RecursionError:
        raise QueryError("The statement is nested too deeply. Flatten it, or use WITH.") from None
    return tree


def _parse(sql: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="trino") if tree is not None]
    except SqlglotError as error:
        raise QueryError(_where(error), "SYNTAX_ERROR") from None
    if len(trees) != 1:
        raise QueryError(f"One statement at a time is served; this has {len(trees)}.", "SYNTAX_ERROR")
    (tree,) = trees
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(exp.alias_(tree, "v", table=True) if not tree.alias else tree)
    if not isinstance(tree, exp.Query):
        send = "Send one SELECT, WITH, VALUES, SHOW or DESCRIBE."
        if isinstance(tree, exp.Condition | exp.Alias):
            raise QueryError(f"This is no statement. {send}", "SYNTAX_ERROR")
        kind = tree.name.upper() if isinstance(tree, exp.Command) else tree.key.upper()
        raise QueryError(f"{kind[:40]} is not served: a release is read only. {send}")
    return tree


def _where(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return f"The statement is not SQL as Trino has it: {str(error).splitlines()[0][:200]}"
    first = details[0]
    near = (first["highlight"] or "")[:40]
    return f"Line {first['line']}, column {first['col']}, near {near!r}: {first['description'].rstrip('.')}."


@cache
def _served() -> tuple[frozenset[type], frozenset[str]]:
    """The kinds of nodes that a tree may have, and the functions among them that only a name tells apart."""
    kinds, names = set(), set()
    for sample in (*FORMS, *(f"SELECT {call}" for call in FUNCTIONS)):
        for node in sqlglot.parse_one(sample, dialect="trino").walk():
            kinds.add(type(node))
            if isinstance(node, exp.Anonymous):
                names.add(node.name.lower())
    return frozenset(kinds), frozenset(names)


def _known(tree: exp.Query) -> None:
    kinds, names = _served()
    for node in tree.walk():
        if isinstance(node, exp.Anonymous) and node.name.lower() not in names:
            raise QueryError(
                f"There is no function {node.name.lower()[:60]} here. /docs lists those that are.", "FUNCTION_NOT_FOUND"
            )
        if type(node) not in kinds:
            called = node.sql_name() if isinstance(node, exp.Func) else node.key.upper()
            raise QueryError(f"{called} is not served.")
        if isinstance(node, exp.Extract) and node.name.upper() not in FIELDS:
            raise QueryError(f"EXTRACT({node.name[:40]} ...) is not served; fields are {', '.join(sorted(FIELDS))}.")
        if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and node.text("unit").upper() not in UNITS:
            unit, what = node.text("unit")[:40].lower(), node.this.sql("trino")[:60]
            if what.upper() in UNITS:
                asked = f"DATE_TRUNC({unit}, {what})"
                raise QueryError(f"{asked} is BigQuery's form. Write date_trunc('{what.lower()}', {unit}).")
            raise QueryError(f"date_trunc('{unit}', ...) is not served; units are {', '.join(sorted(UNITS)).lower()}.")
        if isinstance(node, exp.AtTimeZone) and node.text("zone").upper() != "UTC":
            raise QueryError("Only AT TIME ZONE 'UTC' is served; all times of a release are in it.")
        if isinstance(node, exp.Star) and any(node.args.values()):
            raise QueryError("EXCLUDE, REPLACE and RENAME of * are not SQL as Trino has it. Name the columns.")


def _execute_immediate(sql: str) -> tuple[str, list] | None:
    """The statement inside and the literals after USING."""
    if sql.lstrip()[:7].lower() != "execute":
        return None
    rest = sql.strip()[7:]
    try:
        tokens = sqlglot.tokenize(rest, dialect="trino")
    except SqlglotError:
        raise QueryError("The statement is not SQL as Trino has it: a quote is not closed.", "SYNTAX_ERROR") from None
    if len(tokens) < 2 or tokens[0].text.upper() != "IMMEDIATE" or tokens[1].token_type.name != "STRING":
        raise QueryError("EXECUTE IMMEDIATE 'statement' USING values is served; prepared statements by name are not.")
    if [token.text for token in tokens[2:]] in ([], [";"]):
        return tokens[1].text, []
    if tokens[2].text.upper() != "USING":
        raise QueryError("After EXECUTE IMMEDIATE 'statement' only USING can follow.", "SYNTAX_ERROR")
    row = _parse("SELECT " + rest[tokens[2].end + 1 :])
    plain = isinstance(row, exp.Select) and not [key for key, arg in row.args.items() if arg and key != "expressions"]
    for value in row.selects if plain else [row]:
        for node in value.walk():
            number = isinstance(node, exp.Anonymous) and node.name.lower() in ("infinity", "nan")
            if not number and not isinstance(node, LITERALS):
                raise QueryError("USING takes literals only: strings, numbers, dates, arrays, rows and maps of them.")
    return tokens[1].text, row.selects


def _bind(tree: exp.Query, values: list | dict | None) -> exp.Query:
    """Puts values where the placeholders are, as nodes of the tree: no value can become SQL."""
    holes = list(tree.find_all(exp.Placeholder, bfs=False))
    names, named = {hole.this for hole in holes if hole.this}, isinstance(values, dict)
    if names and len(names) < len({hole.this for hole in holes}) or names and not named and values:
        raise QueryError("`?` takes a list of parameters, and `:name` an object of them; do not mix the two.")
    if named or names:
        unmatched = ", ".join(sorted(names ^ (values or {}).keys()))
        if unmatched or len(names) < len({hole.this for hole in holes}):
            raise QueryError(f"Parameters and placeholders do not match: {unmatched or '?'}."[:300])
    elif len(holes) != len(values or []):
        raise QueryError(
            f"The statement has {len(holes)} `?` and {len(values or [])} parameters.", "INVALID_PARAMETER_USAGE"
        )
    for place, hole in enumerate(holes):
        value = values[hole.this] if named else values[place]
        if isinstance(value, list) and isinstance(hole.parent, exp.In):
            hole.replace([_literal(one) for one in value]) if value else hole.parent.replace(exp.false())
        else:
            hole.replace(value.copy() if isinstance(value, exp.Expr) else _literal(value))
    return tree


def _literal(value) -> exp.Expr:
    if isinstance(value, list):
        return exp.Array(expressions=[_literal(one) for one in value])
    if value is None or isinstance(value, str | int | float | bool):
        return exp.convert(value)
    raise QueryError("A parameter is a string, a number, true, false, null, or a list of these.")


def _resolve(tree: exp.Query, tables: set[str], release_id: str, default: tuple) -> None:
    """Gives every table its full name, or refuses it."""
    for name in tree.find_all(exp.Identifier):
        if not isinstance(name.parent, exp.Alias):  # what a result's columns are called stays
            name.set("this", name.this.lower())
    left = {id(table) for table in tree.find_all(exp.Table)}
    try:
        scopes = traverse_scope(tree)
    except SqlglotError as error:
        raise QueryError(f"{str(error).splitlines()[0][:200].rstrip('.')}.") from None
    real = []
    for scope in scopes:
        for table in scope.tables:
            left.discard(id(table))
            if not (table.name in scope.cte_sources and not table.db):
                real.append(table)
    if left:
        raise QueryError("A table of the statement stands where tables cannot be resolved. Write it in FROM.")
    for table in real:
        if not isinstance(table.this, exp.Identifier):
            raise QueryError("Table functions are not served, but UNNEST and VALUES.")
        schema, name = _published(table, tables, release_id, default)
        if schema != SCHEMA and not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(schema, quoted=True))
        table.set("catalog", None)


def _published(table: exp.Table, tables: set[str], release_id: str, default: tuple) -> tuple[str, str]:
    catalog = table.catalog or (default[0] or CATALOG).lower()
    schema = table.db or (default[1] or SCHEMA).lower()
    name = table.name
    full = f"{catalog}.{schema}.{name}"
    if catalog == CATALOG and schema in (SCHEMA, f"{SCHEMA}_{release_id.lower()}") and name in tables:
        return SCHEMA, name
    if full in VIEWS or f"*.{schema}.{name}" in VIEWS and catalog == CATALOG:
        return "temp", f"{schema}.{name}"
    if catalog == CATALOG and schema.startswith(f"{SCHEMA}_"):
        raise QueryError(
            f"This server reads release {release_id}, schema oso_{release_id.lower()}; {schema[:60]} is not here. "
            "Ask over HTTP with ?release=<id>, or the consumer's Trino.",
            "SCHEMA_NOT_FOUND",
        )
    raise QueryError(f"There is no table {full[:150]}. SHOW TABLES lists the published ones.", "TABLE_NOT_FOUND")
