"""The published tables as a GraphQL schema: one generator for both styles.

Every table has a root field for its rows and one for their aggregates; a column that holds another table's key leads
to that row, and the row leads back. What a field reads is in its `extensions`: a column, a relation or an aggregate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)

from consumer.bundle import Column, Table
from consumer.graphql.scalars import KINDS, finite, scalar

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000
EXTREMES = ("max", "min")
CURSOR = "Opaque place of this row in its order: the argument `after` of the next page."


@dataclass(frozen=True)
class Relation:
    """From a row to the rows of `table` whose `theirs` equals its `ours`: one row or many."""

    table: str
    ours: str
    theirs: str
    many: bool


@dataclass(frozen=True)
class Order:
    """A direction of a sort."""

    descending: bool
    nulls_first: bool


def camel(name: str) -> str:
    """snake_case to camelCase."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _pascal(name: str) -> str:
    return name[:1].upper() + camel(name)[1:]


@dataclass(frozen=True)
class Style:
    """How a style calls things; `field` turns a column's or relation's name into the field's."""

    field: Callable[[str], str]
    type: Callable[[str], str]
    suffixes: dict[str, str]
    scalars: str
    comparison: Callable[[str], str]
    order: tuple[str, dict[str, Order]]


OSO = Style(
    field=camel,
    type=lambda table: f"Oso_{_pascal(table)}",
    suffixes={"where": "BoolExp", "order_by": "OrderBy", "columns": "Columns"},
    scalars="oso",
    comparison=lambda name: f"Oso_{name}BoolExp",
    # OSO's documents write both ways
    order=("OrderBy", {name: Order(name.lower() == "desc", False) for name in ("Asc", "Desc", "asc", "desc")}),
)
HASURA = Style(
    field=lambda name: name,
    type=lambda table: table,
    suffixes={"where": "_bool_exp", "order_by": "_order_by", "columns": "_select_column"},
    scalars="hasura",
    comparison=lambda name: f"{name}_comparison_exp",
    order=(
        "order_by",
        {
            "asc": Order(False, False),
            "asc_nulls_first": Order(False, True),
            "asc_nulls_last": Order(False, False),
            "desc": Order(True, True),
            "desc_nulls_first": Order(True, True),
            "desc_nulls_last": Order(True, False),
        },
    ),
)


def build_schema(tables: dict[str, Table], style: Style) -> GraphQLSchema:
    """The schema of these tables in `style`; the same tables give the same object, whatever their rows."""
    return _built(tuple(replace(table, rows=0) for table in tables.values()), style is OSO)


@lru_cache(maxsize=4)
def _built(tables: tuple[Table, ...], oso: bool) -> GraphQLSchema:
    return _Generator({table.name: table for table in tables}, OSO if oso else HASURA).schema()


def relations(tables: dict[str, Table], table: Table) -> dict[str, Relation]:
    """The relations of a table's rows by name, both ways."""
    taken = {column.name for column in table.columns}
    found = {}
    for column in table.columns:
        if owner := tables.get(column.references or ""):
            name = column.name.removesuffix("_id")
            name = f"{name}_by_id" if name in taken else name
            found[name] = Relation(owner.name, column.name, owner.key[0], many=False)
    for other in tables.values():
        for column in other.columns:
            if column.references == table.name:
                own = table.key[0]
                name = other.name if column.name == own else f"{other.name}_by_{column.name.removesuffix('_id')}"
                found[name] = Relation(other.name, own, column.name, many=other.key != (column.name,))
    return found


class _Generator:
    def __init__(self, tables: dict[str, Table], style: Style) -> None:
        self.tables, self.style = tables, style
        names = {type_: getattr(kind, style.scalars) for type_, kind in KINDS.items()}
        self.scalars = {type_: scalar(type_, name) for type_, name in names.items()}
        name, directions = style.order
        self.order = GraphQLEnumType(name, directions, description="The direction of a sort.")
        self.comparisons = {type_: self._comparison(type_, name) for type_, name in names.items()}
        self.list_comparison = self._input(
            style.comparison("Array"),
            {"_contains": GraphQLList(GraphQLNonNull(self.scalars["varchar"])), "_is_null": GraphQLBoolean},
            "Conditions on a list of texts; `_contains` is true where it has all of these.",
        )
        self.column_aggregates = {type_: self._column_aggregate(type_) for type_ in KINDS}
        self.arguments = {name: self._arguments(table) for name, table in tables.items()}
        self.rows = {name: self._row(table) for name, table in tables.items()}

    def schema(self) -> GraphQLSchema:
        roots = self._oso_roots if self.style is OSO else self._hasura_roots
        fields = {name: field for table in self.tables.values() for name, field in roots(table).items()}
        return GraphQLSchema(GraphQLObjectType("Query", fields, description="The tables of one release."))

    def _name(self, table: Table, suffix: str) -> str:
        return self.style.type(table.name) + self.style.suffixes[suffix]

    @staticmethod
    def _input(name: str, fields: dict, about: str) -> GraphQLInputObjectType:
        return GraphQLInputObjectType(name, {key: GraphQLInputField(type_) for key, type_ in fields.items()}, about)

    def _comparison(self, type_: str, name: str) -> GraphQLInputObjectType:
        one = self.scalars[type_]
        many = GraphQLList(GraphQLNonNull(one))

        def fields() -> dict[str, GraphQLInputField]:
            found = {operator: many if operator in ("_in", "_nin") else one for operator in KINDS[type_].operators}
            found |= {"_is_null": GraphQLBoolean, **_logic(whole)}
            return {operator: GraphQLInputField(kind) for operator, kind in found.items()}

        whole = GraphQLInputObjectType(
            self.style.comparison(name), fields, f"Conditions on a {name}; all of them hold. Null meets only _is_null."
        )
        return whole

    def _arguments(self, table: Table) -> dict[str, tuple]:
        """The type and description of each argument that chooses rows of the table."""
        columns = _scalar_columns(table)

        def conditions() -> dict[str, GraphQLInputField]:
            fields = {operator: GraphQLInputField(kind) for operator, kind in _logic(where).items()}
            for column in table.columns:
                kind = self.comparisons.get(column.type)
                kind = self.list_comparison if column.type == "varchar array" else kind
                if kind:
                    fields[self.style.field(column.name)] = GraphQLInputField(kind, out_name=column.name)
            return fields

        where = GraphQLInputObjectType(
            self._name(table, "where"), conditions, f"Conditions on a row of {table.name}; all of them hold."
        )
        order_by = GraphQLInputObjectType(
            self._name(table, "order_by"),
            {self.style.field(column.name): GraphQLInputField(self.order, out_name=column.name) for column in columns},
            f"One column of {table.name} and its direction.",
        )
        column_enum = GraphQLEnumType(
            self._name(table, "columns"),
            {self.style.field(column.name): GraphQLEnumValue(column.name) for column in columns},
            description=f"A column of {table.name}.",
        )
        found = {
            "where": (where, "Conditions that a row meets."),
            "order_by": (GraphQLList(GraphQLNonNull(order_by)), "Sort, first column first; then by the key."),
            "distinct_on": (GraphQLList(GraphQLNonNull(column_enum)), "Only the first row of each value of these."),
            "limit": (GraphQLInt, f"At most so many rows; {DEFAULT_LIMIT} without it, {MAX_LIMIT} at most."),
            "offset": (GraphQLInt, "Leaves out so many rows first, 100,000 at most; `after` is quicker."),
        }
        if table.key:
            found["after"] = (self.scalars["varchar"], "Only rows after the one with this _cursor, in the same order.")
        return found

    def _graphql_arguments(self, table: Table, *without: str) -> dict[str, GraphQLArgument]:
        return {
            name: GraphQLArgument(type_, description=about)
            for name, (type_, about) in self.arguments[table.name].items()
            if name not in without
        }

    def _row(self, table: Table) -> GraphQLObjectType:
        def fields() -> dict[str, GraphQLField]:
            found = {self.style.field(column.name): self._column(table, column) for column in table.columns}
            if table.key:
                found["_cursor"] = GraphQLField(
                    GraphQLNonNull(self.scalars["varchar"]),
                    None,
                    _by("_cursor"),
                    description=CURSOR,
                    extensions={"cursor": True},
                )
            for name, relation in relations(self.tables, table).items():
                found[self.style.field(name)] = self._relation(relation)
            return found

        return GraphQLObjectType(self.style.type(table.name), fields, description=table.description)

    def _column(self, table: Table, column: Column) -> GraphQLField:
        name = column.name
        type_ = self._type(table, column)
        resolve = (lambda row, _: finite(row[name])) if column.type == "double" else _by(name)
        # a double that is not finite is null, whatever the column promises
        if not column.nullable and column.type != "double":
            type_ = GraphQLNonNull(type_)
        return GraphQLField(type_, None, resolve, description=column.description, extensions={"column": name})

    def _type(self, table: Table, column: Column):
        if column.type in self.scalars:
            return self.scalars[column.type]
        of = column.type.removesuffix(" array")
        if of in self.scalars:
            return GraphQLList(self.scalars[of])
        parts = dict(part.split(" ", 1) for part in of.removeprefix("row(").removesuffix(")").split(", "))
        return GraphQLList(
            GraphQLObjectType(
                self.style.type(f"{table.name}_{column.name}"),
                {
                    self.style.field(part): GraphQLField(self.scalars[type_], None, _by(part))
                    for part, type_ in parts.items()
                },
                description=column.description,
            )
        )

    def _relation(self, relation: Relation) -> GraphQLField:
        table = self.tables[relation.table]
        row = self.rows[relation.table]
        return GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(row))) if relation.many else row,
            self._graphql_arguments(table, "after") if relation.many else {},
            lambda row, info, **_: row[(info.path.key,)],
            description=table.description,
            extensions={"relation": relation},
        )

    def _rows_field(self, table: Table, type_) -> GraphQLField:
        def resolve(_, info, **arguments):
            return info.context.select(table, info, arguments)

        return GraphQLField(type_, self._graphql_arguments(table), resolve, description=table.description)

    def _oso_roots(self, table: Table) -> dict[str, GraphQLField]:
        name, type_ = f"oso_{camel(table.name)}", self.style.type(table.name)
        filter_input = GraphQLInputObjectType(
            f"{type_}FilterInput",
            {
                argument: GraphQLInputField(kind, description=about)
                for argument, (kind, about) in self.arguments[table.name].items()
                if argument != "after"
            },
            f"Which rows of {table.name}; without a limit all.",
        )
        columns = {
            self.style.field(column.name): GraphQLField(
                self.column_aggregates[column.type],
                None,
                _same,
                description=column.description,
                extensions={"of": column.name},
            )
            for column in _scalar_columns(table)
        }
        aggregates = GraphQLObjectType(
            f"{type_}AggExp",
            {"_count": self._aggregate("count", "bigint", "Number of rows."), **columns},
            description=f"Aggregates of {table.name}.",
        )

        def aggregate(_, info, filter_input=None):
            return info.context.aggregate(table, info, filter_input or {})

        return {
            name: self._rows_field(table, GraphQLList(GraphQLNonNull(self.rows[table.name]))),
            f"{name}Aggregate": GraphQLField(
                aggregates,
                {"filter_input": GraphQLArgument(filter_input)},
                aggregate,
                description=f"Aggregates of {table.name}.",
            ),
        }

    def _column_aggregate(self, type_: str) -> GraphQLObjectType:
        """OSO's aggregates of a column of this type."""
        kind = KINDS[type_]
        fields = {
            "_count": self._aggregate("count", "bigint", "Number of values that are not null."),
            "_count_distinct": self._aggregate("count_distinct", "bigint", "Number of different values."),
        }
        if kind.statistics:
            fields["count"] = fields["_count"]
        fields |= {name: self._aggregate(name, result) for name, result in _functions(type_).items()}
        return GraphQLObjectType(f"Oso_{kind.oso}AggExp", fields, description=f"Aggregates of a {kind.oso}.")

    def _aggregate(self, function: str, result: str, about: str | None = None) -> GraphQLField:
        type_ = self.scalars[result]
        type_ = GraphQLNonNull(type_) if result == "bigint" and function.startswith("count") else type_
        return GraphQLField(type_, None, _by_path, description=about, extensions={"aggregate": function})

    def _hasura_roots(self, table: Table) -> dict[str, GraphQLField]:
        name, row = table.name, self.rows[table.name]
        rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(row)))
        found = {name: self._rows_field(table, rows), f"{name}_aggregate": self._hasura_aggregate(table, rows)}
        keys = [column for column in table.columns if column.name in table.key]
        if keys and not any(column.nullable for column in keys):

            def by_pk(_, info, **key):
                where = {column: {"_eq": value} for column, value in key.items()}
                return next(iter(info.context.select(table, info, {"where": where, "limit": 1})), None)

            arguments = {column.name: GraphQLArgument(GraphQLNonNull(self.scalars[column.type])) for column in keys}
            found[f"{name}_by_pk"] = GraphQLField(row, arguments, by_pk, description=f"One row of {name}, by its key.")
        return found

    def _hasura_aggregate(self, table: Table, rows) -> GraphQLField:
        name = table.name
        by_function: dict[str, dict[str, str]] = {}
        for column in _scalar_columns(table):
            for function, result in _functions(column.type).items():
                by_function.setdefault(function, {})[column.name] = result
        columns = self.arguments[name]["distinct_on"][0]
        fields = {
            "count": GraphQLField(
                GraphQLNonNull(GraphQLInt),
                {"columns": GraphQLArgument(columns), "distinct": GraphQLArgument(GraphQLBoolean)},
                _by_path,
                description="Number of rows, or of those where none of the columns is null.",
                extensions={"aggregate": "count"},
            )
        }
        for function, results in by_function.items():
            of = GraphQLObjectType(
                f"{name}_{function}_fields",
                {
                    column: GraphQLField(
                        self.scalars[result], None, _by_path, extensions={"aggregate": function, "of": column}
                    )
                    for column, result in results.items()
                },
                description=f"{function} of the columns of {name}.",
            )
            fields[function] = GraphQLField(of, None, _same, description=f"{function} of each column.")
        whole = GraphQLObjectType(
            f"{name}_aggregate",
            {
                "aggregate": GraphQLField(
                    GraphQLObjectType(f"{name}_aggregate_fields", fields, description=f"Aggregates of {name}."),
                    None,
                    _same,
                    description="The aggregates.",
                ),
                "nodes": GraphQLField(rows, None, _by_path, description="The rows.", extensions={"nodes": True}),
            },
            description=f"Aggregates of {name} and the rows that they are of.",
        )

        def aggregate(_, info, **arguments):
            return info.context.aggregate(table, info, arguments)

        return GraphQLField(
            GraphQLNonNull(whole),
            self._graphql_arguments(table, "after"),
            aggregate,
            description=f"Aggregates of {name}.",
        )


def _scalar_columns(table: Table) -> list[Column]:
    return [column for column in table.columns if column.type in KINDS]


def _functions(type_: str) -> dict[str, str]:
    """The aggregates of a column of this type beside the counts, and the types of their results."""
    kind = KINDS[type_]
    found = {name: type_ if name == "sum" else "double" for name in kind.statistics}
    return found | {name: type_ for name in EXTREMES if kind.extremes}


def _logic(of: GraphQLInputObjectType) -> dict:
    several = GraphQLList(GraphQLNonNull(of))
    return {"_and": several, "_or": several, "_not": of}


def _by(name: str) -> Callable:
    return lambda row, _: row[name]


def _by_path(found: dict, info, **_):
    return found[tuple(info.path.as_list())]


def _same(found: dict, _) -> dict:
    return found
