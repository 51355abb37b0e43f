"""Two builds of the same raw days, compared table by table and row by row."""

import json
import math
from datetime import UTC, datetime

from include.lake.catalog import open_catalog
from include.settings import Settings

# what differs between two equal builds, and what only tells when or how a build ran
RUN_COLUMNS = {"computed_at", "run_id", "last_success_at", "lag_hours"}
BUILD_COLUMNS = {"models_v1": {"last_run_at", "seconds", "rows", "materialized"}}
OWN_TABLES = {"releases_v1"}  # each lake has releases of its own
JSON_ROWS = "components"  # a column of JSON text, in which each engine writes numbers its own way
RELATIVE = 1e-9


def released_tables(settings: Settings) -> dict[str, dict[str, str]]:
    """{table: {column: Iceberg type}} of the current release."""
    catalog = open_catalog(settings, "consumer")
    return {
        name: {field.name: str(field.field_type) for field in catalog.load_table(f"oso.{name}").schema().fields}
        for _, name in catalog.list_tables("oso")
        if name not in OWN_TABLES
    }


def released_rows(settings: Settings, table: str) -> list[dict]:
    """All rows of a table of the current release, read by PyIceberg."""
    return open_catalog(settings, "consumer").load_table(f"oso.{table}").scan().to_arrow().to_pylist()


def differences(table: str, left: list[dict], right: list[dict], limit: int = 5) -> list[str]:
    """What differs, as lines; empty when both have the same rows in whatever order. Doubles agree within 1e-9."""
    leave_out = RUN_COLUMNS | BUILD_COLUMNS.get(table, set())
    a, b = _sorted(left, leave_out), _sorted(right, leave_out)
    if len(a) != len(b):
        alone = [set(map(_key, rows)) for rows in (a, b)]
        return [
            f"{table}: {len(a)} rows and {len(b)}",
            *(f"{table}: only left: {key}" for key in sorted(alone[0] - alone[1])[:limit]),
            *(f"{table}: only right: {key}" for key in sorted(alone[1] - alone[0])[:limit]),
        ]
    found = []
    for one, other in zip(a, b, strict=True):
        bad = [c for c in one.keys() | other.keys() if not _same(one.get(c, "absent"), other.get(c, "absent"))]
        if bad:
            found.append(
                f"{table}: {[(c, one.get(c, 'absent'), other.get(c, 'absent')) for c in sorted(bad)]} in {one}"
            )
    return found[:limit]


def _sorted(rows: list[dict], leave_out: set[str]) -> list[dict]:
    plain = [{name: _plain(value) for name, value in _flat(row).items() if name not in leave_out} for row in rows]
    return sorted(plain, key=lambda row: (_key(row), repr(row)))


def _flat(row: dict) -> dict:
    """The row with a column for every value of its JSON rows."""
    terms = json.loads(row.get(JSON_ROWS, "[]"))
    inside = {f"{JSON_ROWS}.{n}.{name}": value for n, term in enumerate(terms) for name, value in term.items()}
    return {name: value for name, value in row.items() if name != JSON_ROWS} | inside


def _key(row: dict) -> str:
    return repr([(name, row[name]) for name in sorted(row) if not isinstance(row[name], float)])


def _plain(value):
    """Values as both readers give them: instants in UTC, rows and lists as lists."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return [_plain(item) for item in value.values()]
    return value


def _same(one, other) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE) or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and one == other
