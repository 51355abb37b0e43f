"""The exports in the lake: from DuckDB in the embedded profile, and the table of models from dbt's artifacts."""

import json
from datetime import UTC, datetime

from include.settings import Settings


def write_exports(settings: Settings) -> list[str]:
    """Writes every export of the embedded database to lake.exports, and models_v1 on both engines.

    Returns the names written. On Trino dbt has written the tables itself.
    """
    import duckdb

    from include.lake.catalog import open_catalog
    from include.lake.exports import write_export

    catalog = open_catalog(settings, "lake")
    written = []
    if settings.engine == "duckdb":
        with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
            db.execute("set timezone = 'UTC'")
            names = "select table_name from information_schema.tables where table_schema = 'exports' order by 1"
            for (name,) in db.execute(names).fetchall():
                write_export(catalog, name, db.execute(f'select * from exports."{name}"').to_arrow_reader(50_000))
                written.append(name)
    write_export(catalog, "models_v1", models_table(settings))
    return [*written, "models_v1"]


def models_table(settings: Settings):
    """models_v1 of metrics.md section 7 as an Arrow table, from the newest manifest and run results of each layer."""
    import pyarrow as pa

    schema = pa.schema(
        [(n, pa.string()) for n in ("model_name", "layer", "materialized", "description", "sql")]
        + [("depends_on", pa.list_(pa.string())), ("tests", pa.int64())]
        + [("last_run_at", pa.timestamp("us", tz="UTC")), ("last_status", pa.string())]
        + [("rows", pa.int64()), ("seconds", pa.float64())]
    )
    manifest, results = _newest(settings, "manifest.json"), {}
    for path in sorted(settings.dbt_target.glob("*/run_results.json"), key=lambda p: p.stat().st_mtime):
        results |= {r["unique_id"]: r for r in json.loads(path.read_text())["results"]}
    tested: dict[str, int] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            for parent in node["depends_on"]["nodes"]:
                tested[parent] = tested.get(parent, 0) + 1
    rows = [
        _model_row(node, results.get(key), tested.get(key, 0))
        for key, node in sorted(manifest["nodes"].items())
        if node["resource_type"] == "model"
    ]
    return pa.Table.from_pylist(rows, schema)


def _model_row(node: dict, result: dict | None, tests: int) -> dict:
    timing = {t["name"]: t for t in (result or {}).get("timing", [])}
    done = timing.get("execute", {}).get("completed_at")
    affected = ((result or {}).get("adapter_response") or {}).get("rows_affected")
    return {
        "model_name": node["name"],
        "layer": node["fqn"][1],
        "materialized": node["config"]["materialized"],
        "description": node["description"].strip(),
        "sql": node["raw_code"],
        "depends_on": sorted(key.split(".")[-1] for key in node["depends_on"]["nodes"]),
        "tests": tests,
        "last_run_at": datetime.fromisoformat(done.replace("Z", "+00:00")).astimezone(UTC) if done else None,
        "last_status": (result or {}).get("status"),
        "rows": affected if isinstance(affected, int) and affected >= 0 else None,
        "seconds": (result or {}).get("execution_time"),
    }


def _newest(settings: Settings, name: str) -> dict:
    paths = sorted(settings.dbt_target.glob(f"*/{name}"), key=lambda p: p.stat().st_mtime)
    return json.loads(paths[-1].read_text())
