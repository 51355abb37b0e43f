"""The column types of a release as GraphQL scalars, and what may be asked of each."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import inf, isfinite

from graphql import GraphQLBoolean, GraphQLError, GraphQLScalarType, GraphQLString

EQUAL = ("_eq", "_neq", "_in", "_nin")
COMPARE = (*EQUAL, "_gt", "_gte", "_lt", "_lte")
TEXT = (*COMPARE, "_like", "_nlike", "_ilike", "_nilike", "_contains")
STATISTICS = ("avg", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp")


@dataclass(frozen=True)
class Kind:
    """A column type: its names in DuckDB and in both styles, its operators, its aggregates beside the counts."""

    duckdb: str
    oso: str
    hasura: str
    operators: tuple[str, ...]
    statistics: tuple[str, ...] = ()
    extremes: bool = True


KINDS = {
    "varchar": Kind("varchar", "String", "String", TEXT),
    "bigint": Kind("bigint", "Int64", "bigint", COMPARE, STATISTICS),
    "double": Kind("double", "Float64", "float8", COMPARE, STATISTICS),
    "boolean": Kind("boolean", "Boolean", "Boolean", EQUAL, (), False),
    "date": Kind("date", "Date", "date", COMPARE),
    "timestamp with time zone": Kind("timestamptz", "Timestamptz", "timestamptz", COMPARE),
}


def parse_bigint(value) -> int:
    """A whole number of 64 bits, from a number or from its digits as text."""
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        value = int(value[:21])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise GraphQLError(f"{_shown(value)} is not a whole number of 64 bits.")
    return value


def parse_double(value) -> float:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise GraphQLError(f"{_shown(value)} is not a number.")
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise GraphQLError(f"{_shown(value)} is too large for a number of 64 bits.")
    return number


def parse_date(value) -> date:
    """A day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"{_shown(value)} is not a day: write YYYY-MM-DD.") from None


def parse_timestamp(value) -> datetime:
    """A moment in ISO 8601; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise GraphQLError(f"{_shown(value)} is not a moment: write 2026-11-01T00:00:00Z.") from None


def parse_text(value) -> str:
    """A text that can be stored."""
    if not isinstance(value, str):
        raise GraphQLError(f"{_shown(value)} is not a text.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise GraphQLError("The text has half of a surrogate pair, which UTF-8 cannot write.") from None
    return value


def parse_boolean(value) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise GraphQLError(f"{_shown(value)} is neither true nor false.")
    return value


PARSERS = {
    "varchar": parse_text,
    "bigint": parse_bigint,
    "double": parse_double,
    "boolean": parse_boolean,
    "date": parse_date,
    "timestamp with time zone": parse_timestamp,
}
ABOUT = {
    "varchar": "A text.",
    "bigint": "A whole number of 64 bits, all digits; an argument may also be its digits as text.",
    "double": "A number; null where it is unknown or not finite.",
    "boolean": "True or false.",
    "date": "A day of UTC, YYYY-MM-DD.",
    "timestamp with time zone": "A moment in UTC, ISO 8601.",
}


def scalar(type_: str, name: str) -> GraphQLScalarType:
    """The GraphQL scalar called `name` of a column type."""
    if name in ("String", "Boolean"):
        return {"String": GraphQLString, "Boolean": GraphQLBoolean}[name]

    return GraphQLScalarType(name, serialize=written, parse_value=PARSERS[type_], description=ABOUT[type_])


def written(value):
    """A value of a row as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def finite(value: float | None) -> float | None:
    """The number, or None where it is not one that JSON can write."""
    return value if value is None or isfinite(value) else None


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
