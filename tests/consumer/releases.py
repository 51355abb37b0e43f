"""Small releases written by hand, with every published table in its promised types."""

from datetime import UTC, date, datetime

import pyarrow as pa
import yaml

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import Release, publish
from include.settings import Settings
from include.transform.dictionary import columns_table
from tests.conftest import ROOT

CONTRACTS = yaml.safe_load((ROOT / "dbt/contracts.yml").read_text())
TYPES = {
    "varchar": (pa.string(), ""),
    "bigint": (pa.int64(), 0),
    "double": (pa.float64(), 0.0),
    "boolean": (pa.bool_(), False),
    "date": (pa.date32(), date(2026, 1, 1)),
    "timestamp with time zone": (pa.timestamp("us", tz="UTC"), datetime(2026, 1, 1, tzinfo=UTC)),
    "varchar array": (pa.list_(pa.string()), []),
}


def publish_rows(settings: Settings, rows: dict[str, list[dict]]) -> Release:
    """Publishes all tables of dbt/contracts.yml; `rows` by table name, columns left out are null or 0."""
    lake = open_catalog(settings, "lake")
    for name, contract in CONTRACTS.items():
        if name == "columns_v1":
            write_export(lake, name, columns_table(manifest()))
        elif name != "releases_v1":
            write_export(lake, name, _table(contract["columns"], rows.get(name, [])))
    tables = [f"exports.{name}" for name in CONTRACTS if name != "releases_v1"]
    return publish(settings, tables, run_id="hand", code_sha="c", directory_sha="d")


def manifest() -> dict:
    """As much of dbt's manifest as the dictionary needs, read from the models' twins."""
    nodes = {}
    for path in (ROOT / "dbt/models/exports").glob("*.yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            nodes[f"model.openimpact.{model['name']}"] = {
                "resource_type": "model",
                "name": model["name"],
                "fqn": ["openimpact", "exports", model["name"]],
                "description": model["description"],
                "columns": {column["name"]: column for column in model["columns"]},
            }
    return {"nodes": nodes}


def _table(columns: dict[str, str], rows: list[dict]) -> pa.Table:
    fields, whole = [], [{} for _ in rows]
    for name, kind in columns.items():
        arrow, empty = TYPES[kind.removesuffix("?")]
        fields.append(pa.field(name, arrow))
        for given, row in zip(rows, whole, strict=True):
            row[name] = given.get(name, None if kind.endswith("?") else empty)
    unknown = {name for row in rows for name in row} - columns.keys()
    assert not unknown, f"no such columns: {unknown}"
    return pa.Table.from_pylist(whole, pa.schema(fields))
