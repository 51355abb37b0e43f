"""What a GraphQL field asks, as SQL with bound parameters: only the columns asked for, one query a field and level."""

import base64
import json
import re
import time
from collections.abc import Callable
from math import isfinite
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values

from consumer.bundle import Table
from consumer.graphql.scalars import KINDS, PARSERS, finite, written
from consumer.graphql.schema import DEFAULT_LIMIT, MAX_LIMIT, Order, Relation

MAX_ROWS = 10_000
MAX_OFFSET = 100_000
FEW = 200
MAX_PATTERN = 200
COMPARISONS = {"_eq": "=", "_neq": "<>", "_gt": ">", "_gte": ">=", "_lt": "<", "_lte": "<="}
PATTERNS = {"_like": ("", "s"), "_nlike": ("not ", "s"), "_ilike": ("", "si"), "_nilike": ("not ", "si")}
Terms = list[tuple[str, Order]]


class Reader:
    """Reads what one GraphQL request asks; `rows_read` counts its rows, `seconds` the time of its queries.

    `query(sql, parameters)` gives the rows of a query as dicts by column.
    """

    def __init__(self, tables: dict[str, Table], query: Callable[[str, list], list[dict]]) -> None:
        self.tables, self._query, self.rows_read, self.seconds = tables, query, 0, 0.0

    def select(self, table: Table, info: GraphQLResolveInfo, arguments: dict) -> list[dict]:
        """The rows of a root field with all that is asked below them.

        Raises:
            GraphQLError: an argument cannot be met, or the answer has too many rows.
        """
        return self._rows(table, info, info.return_type, info.field_nodes, arguments)

    def aggregate(self, table: Table, info: GraphQLResolveInfo, arguments: dict) -> dict[tuple, Any]:
        """The values of the aggregates asked for below a root field, by the path of each.

        Raises:
            GraphQLError: an argument cannot be met, or the rows asked for beside them are too many.
        """
        wanted: dict[tuple, tuple[str, list]] = {}
        found: dict[tuple, Any] = {}

        def gather(type_: GraphQLObjectType, nodes: list[FieldNode], path: tuple, of: str | None) -> None:
            for key, below in _sub_fields(info, type_, nodes).items():
                field = type_.fields.get(below[0].name.value)
                extensions = field.extensions if field else {}
                here, column = (*path, key), extensions.get("of", of)
                if "aggregate" in extensions:
                    given = get_argument_values(field, below[0], info.variable_values)
                    wanted[here] = _aggregate_sql(extensions["aggregate"], column, given)
                elif "nodes" in extensions:
                    found[here] = self._rows(table, info, field.type, below, arguments)
                elif field:
                    gather(get_named_type(field.type), below, here, column)

        gather(get_named_type(info.return_type), info.field_nodes, tuple(info.path.as_list()), None)
        if wanted:
            parameters: list = []
            rows = self._filtered(table, ["*"], arguments, parameters)
            if {"limit", "offset"} & arguments.keys():
                rows += f"{_by_order(_order_sql(_terms(table, arguments)))} limit ? offset ?"
                parameters += [_natural("limit", arguments, None), _natural("offset", arguments, 0)]
            sqls = ", ".join(f'{sql} as "{place}"' for place, sql in enumerate(wanted.values()))
            (values,) = self._timed(f"select {sqls} from ({rows})", parameters)
            for path, value in zip(wanted, values.values(), strict=True):
                found[path] = finite(value) if isinstance(value, float) else value
        return found

    def _timed(self, sql: str, parameters: list) -> list[dict]:
        began = time.perf_counter()
        try:
            return self._query(sql, parameters)
        finally:
            self.seconds += time.perf_counter() - began

    def _rows(
        self,
        table: Table,
        info: GraphQLResolveInfo,
        type_,
        nodes: list[FieldNode],
        arguments: dict,
        of: tuple[Relation, list] | None = None,
    ) -> list[dict]:
        """Rows of `table`; with `of` those that a relation leads to from these values, each with a limit of its own."""
        fields = _sub_fields(info, get_named_type(type_), nodes)
        known = get_named_type(type_).fields
        asked = {
            key: known[below[0].name.value].extensions for key, below in fields.items() if below[0].name.value in known
        }
        terms = _terms(table, arguments)
        with_cursor = any("cursor" in extensions for extensions in asked.values())
        columns = {extensions["column"] for extensions in asked.values() if "column" in extensions}
        columns |= {extensions["relation"].ours for extensions in asked.values() if "relation" in extensions}
        columns |= {column for column, _ in terms} if with_cursor else set()
        columns |= {of[0].theirs} if of else set()
        columns = columns or {table.columns[0].name}
        rows = self._read(table, columns, arguments, terms, of)
        if with_cursor:
            for row in rows:
                row["_cursor"] = _cursor(terms, row)
        for key, extensions in asked.items():
            if "relation" in extensions:
                self._attach(rows, extensions["relation"], info, known, key, fields[key])
        return rows

    def _read(self, table: Table, columns: set[str], arguments: dict, terms: Terms, of) -> list[dict]:
        parameters: list = []
        limit = _natural("limit", arguments, DEFAULT_LIMIT)
        if limit > MAX_LIMIT:
            raise GraphQLError(
                f"limit is {limit}, and {MAX_LIMIT} is the most: take the next ones by `after` with the last _cursor."
            )
        offset = _natural("offset", arguments, 0)
        if offset > MAX_OFFSET:
            raise GraphQLError(
                f"offset is {offset}, and {MAX_OFFSET} is the most: go on by `after` with the last _cursor."
            )
        sql = self._filtered(table, sorted(columns | {column for column, _ in terms}), arguments, parameters, of)
        if (cursor := arguments.get("after")) is not None:
            sql = f"select * from ({sql}) where {_after_sql(table, terms, cursor, parameters)}"
        order = _order_sql(terms)
        left = MAX_ROWS - self.rows_read
        if of:
            if of[0].many:
                place = f"row_number() over (partition by {_q(of[0].theirs)}{_by_order(order)})"
                sql = f"select * from ({sql}) qualify {place} between ? and ?"
                parameters += [offset + 1, offset + limit]
            limit, offset = left + 1, 0
        sql = f"select {_list(sorted(columns))} from ({sql}){_by_order(order)} limit ? offset ?"
        parameters += [min(limit, left + 1), offset]
        rows = self._timed(sql, parameters)
        self.rows_read += len(rows)
        if self.rows_read > MAX_ROWS:
            raise GraphQLError(
                f"The answer would have more than {MAX_ROWS} rows, those of relations included: lower the limits or "
                "ask in several requests."
            )
        return rows

    def _filtered(self, table: Table, columns: list[str], arguments: dict, parameters: list, of=None) -> str:
        """The query of the rows that `where`, `distinct_on` and the relation leave, unsorted."""
        conditions = [_where_sql(table, arguments.get("where") or {}, parameters)]
        if of:
            relation, values = of
            kind = next(KINDS[c.type].duckdb for c in table.columns if c.name == relation.theirs)
            conditions.append(_in_sql(_q(relation.theirs), kind, values, parameters))
        sql = f"select {'*' if columns == ['*'] else _list(columns)} from oso.{_q(table.name)}"
        sql += f" where {' and '.join(conditions)}"
        if distinct := arguments.get("distinct_on"):
            groups = [*([of[0].theirs] if of else []), *distinct]
            order = _by_order(_order_sql(_terms(table, arguments)))
            sql += f" qualify row_number() over (partition by {_list(groups)}{order}) = 1"
        return sql

    def _attach(self, rows: list[dict], relation: Relation, info, known, key: str, nodes: list[FieldNode]) -> None:
        """Reads the rows that a relation leads to from all of `rows` at once, and gives each row its own."""
        field = known[nodes[0].name.value]
        arguments = get_argument_values(field, nodes[0], info.variable_values)
        values = list({row[relation.ours]: None for row in rows if row[relation.ours] is not None})
        table = self.tables[relation.table]
        found = self._rows(table, info, field.type, nodes, arguments, (relation, values)) if values else []
        by_value: dict[Any, list[dict]] = {}
        for row in found:
            by_value.setdefault(row[relation.theirs], []).append(row)
        for row in rows:
            own = by_value.get(row[relation.ours], [])
            row[(key,)] = own if relation.many else next(iter(own), None)


def _sub_fields(
    info: GraphQLResolveInfo, type_: GraphQLObjectType, nodes: list[FieldNode]
) -> dict[str, list[FieldNode]]:
    return collect_sub_fields(info.schema, info.fragments, info.variable_values, type_, nodes)


def _aggregate_sql(function: str, column: str | None, given: dict) -> str:
    columns = given.get("columns") or ([column] if column else [])
    if not columns:
        return "count(*)"
    named = _list(columns)
    if function == "count_distinct" or given.get("distinct"):
        return f"count(distinct {named if len(columns) == 1 else f'({named})'})"
    if function == "count":
        return f"count(*) filter (where {' and '.join(f'{_q(one)} is not null' for one in columns)})"
    return f"{function}({named})"


def _where_sql(table: Table, where: dict, parameters: list) -> str:
    types = {column.name: column.type for column in table.columns}

    def all_of(conditions: dict, meaning: Callable[[str, Any], str]) -> str:
        parts = []
        for name, value in conditions.items():
            if value is None:
                raise GraphQLError(
                    f"{name} is null, which compares with nothing: leave it out or write _is_null: true."
                )
            if name in ("_and", "_or"):
                several = [all_of(one, meaning) for one in value]
                parts.append(f" {name[1:]} ".join(several) or ("true" if name == "_and" else "false"))
            elif name == "_not":
                parts.append(f"not {all_of(value, meaning)}")
            else:
                parts.append(meaning(name, value))
        return f"({' and '.join(f'({part})' for part in parts) or 'true'})"

    def on_column(column: str) -> Callable[[str, Any], str]:
        return lambda operator, value: _comparison_sql(_q(column), types[column], operator, value, parameters)

    return all_of(where, lambda column, comparison: all_of(comparison, on_column(column)))


def _comparison_sql(column: str, type_: str, operator: str, value: Any, parameters: list) -> str:
    if operator == "_is_null":
        return f"{column} is {'' if value else 'not '}null"
    if operator in ("_in", "_nin"):
        found = _in_sql(column, KINDS[type_].duckdb, value, parameters)
        return found if operator == "_in" else f"not ({found})"
    parameters.append(value)
    if operator in COMPARISONS:
        return f"{column} {COMPARISONS[operator]} ?::{KINDS[type_].duckdb}"
    if operator in PATTERNS:
        negation, options = PATTERNS[operator]
        parameters[-1] = _regular_expression(operator, value)
        return f"{negation}regexp_full_match({column}, ?, '{options}')"
    if type_ == "varchar array":
        return f"list_has_all({column}, ?::varchar[])"
    return f"contains({column}, ?)"


def _regular_expression(operator: str, pattern: str) -> str:
    """The pattern of LIKE for RE2, whose time is linear; that of LIKE itself is exponential in the number of its %."""
    if len(pattern) > MAX_PATTERN:
        raise GraphQLError(f"The pattern of {operator} has {len(pattern)} characters, and {MAX_PATTERN} is the most.")
    return "".join({"%": ".*", "_": "."}.get(character) or re.escape(character) for character in pattern)


def _in_sql(column: str, kind: str, values: list, parameters: list) -> str:
    """Whether the column has one of the values. Few are written one by one, which skips blocks of the table."""
    if 0 < len(values) <= FEW:
        parameters += values
        return f"{column} in ({', '.join([f'?::{kind}'] * len(values))})"
    parameters.append(values)
    return f"{column} in (select unnest(?::{kind}[]))"


def _terms(table: Table, arguments: dict) -> Terms:
    """The sort: what order_by says, then the key, so that it is total."""
    terms = []
    for one in arguments.get("order_by") or []:
        if len(one) != 1 or None in one.values():
            raise GraphQLError(
                "Each object of order_by names one column, for the fields of an object have no order: write "
                "order_by: [{…}, {…}]."
            )
        terms += one.items()
    sorted_by = {column for column, _ in terms}
    return terms + [(column, Order(False, False)) for column in table.order if column not in sorted_by]


def _order_sql(terms: Terms) -> str:
    return ", ".join(
        f"{_q(column)} {'desc' if order.descending else 'asc'} nulls {'first' if order.nulls_first else 'last'}"
        for column, order in terms
    )


def _by_order(order: str) -> str:
    return f" order by {order}" if order else ""


def _cursor(terms: Terms, row: dict) -> str:
    order = [[column, order.descending, order.nulls_first] for column, order in terms]
    content = json.dumps([order, [written(row[column]) for column, _ in terms]], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode()


def _after_sql(table: Table, terms: Terms, cursor: str, parameters: list) -> str:
    """Whether a row comes after the one of the cursor in the order of `terms`."""
    types = {column.name: column.type for column in table.columns}
    try:
        order, values = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if order != [[column, order.descending, order.nulls_first] for column, order in terms]:
            raise ValueError
        values = [
            value if value is None or _is_infinite(value) else PARSERS[types[column]](value)
            for value, (column, _) in zip(values, terms, strict=True)
        ]
    except (ValueError, TypeError, RecursionError, GraphQLError):
        raise GraphQLError(
            "`after` is not a _cursor of this table with this order_by: take it from such a row."
        ) from None
    ways = []
    for place, (column, order) in enumerate(terms):
        equal = [f"{_q(terms[i][0])} is not distinct from ?::{KINDS[types[terms[i][0]]].duckdb}" for i in range(place)]
        if values[place] is None:
            beyond = f"{_q(column)} is not null" if order.nulls_first else "false"
            given = []
        else:
            beyond = f"{_q(column)} {'<' if order.descending else '>'} ?::{KINDS[types[column]].duckdb}"
            beyond = beyond if order.nulls_first else f"({beyond} or {_q(column)} is null)"
            given = [values[place]]
        ways.append(" and ".join([*equal, beyond]))
        parameters += [*values[:place], *given]
    return " or ".join(f"({way})" for way in ways)


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and not isfinite(value)


def _natural(name: str, arguments: dict, default: int | None) -> int | None:
    value = arguments.get(name)
    if value is not None and value < 0:
        raise GraphQLError(f"{name} is {value}; it counts rows and cannot be negative.")
    return default if value is None else value


def _q(name: str) -> str:
    return f'"{name}"'


def _list(names: list[str]) -> str:
    return ", ".join(map(_q, names))
