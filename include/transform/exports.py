"""The exports in the lake: from DuckDB in the embedded profile, and those about the tables from dbt's artifacts."""

import json
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from include.errors import FixNeeded
from include.settings import Settings
from include.transform.dictionary import columns_table
from include.transform.plan import EVERYTHING
from include.transform.runner import run_results

LONG = {
    f"timeseries_{name}_{version}": day
    for name, day in (
        ("metrics_by_artifact", "sample_date"),
        ("metrics_by_project", "sample_date"),
        ("metrics_by_collection", "sample_date"),
        ("events_by_artifact", "time"),
    )
    for version in ("v0", "v1")
}  # exports written by month, of this column


def write_exports(settings: Settings, work: dict) -> list[str]:
    """Writes the exports of the embedded database to lake.exports, and models_v1 and columns_v1 on both engines.

    Of a long export only the months that the build of plan `work` changed are replaced. Returns the names written. On
    Trino dbt has written the tables itself.
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
                _write(db, catalog, name, work, settings.staging)
                written.append(name)
    about = {"models_v1": models_table(settings), "columns_v1": columns_table(_newest(settings, "manifest.json"))}
    for name, rows in about.items():
        write_export(catalog, name, rows)
    return [*written, *about]


def _write(db, catalog, name: str, work: dict, staging: Path) -> None:
    """Writes one export: Parquet files by DuckDB, one commit by the lake; a long one by month."""
    import duckdb
    import pyarrow.parquet as pq

    from include.lake.exports import write_files

    relation, options = f'exports."{name}"', "format parquet, compression zstd"
    schema = db.execute(f"select * from {relation} limit 0").to_arrow_table().schema
    day = LONG.get(name)
    months = _changed_months(db, work) if day and catalog.table_exists(f"exports.{name}") else None
    staging.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=staging) as folder:
        target = folder.replace("'", "''")
        if day:
            wanted = " or ".join(f"{day} >= '{a}' and {day} < '{b}'" for a, b in months) if months else "true"
            rows = f"select *, strftime({day}, '%Y-%m') as _month from {relation} where {wanted}"
            copy = f"copy ({rows}) to '{target}' ({options}, partition_by (_month), overwrite_or_ignore)"
        else:
            copy = f"copy {relation} to '{target}/rows.parquet' ({options})"
        try:
            db.execute(copy)
        except duckdb.IOException as error:
            raise FixNeeded(
                f"exports.{name} could not be staged in {staging} ({str(error)[:200]}) and keeps its former rows. "
                "Free space or mend the folder, then build again."
            ) from error
        files = [path for path in sorted(Path(folder).rglob("*.parquet")) if pq.read_metadata(path).num_rows]
        replaced = _in_months(day, months) if months else None
        write_files(catalog, name, schema, files, replaced=replaced, month_of=day)


def _changed_months(db, work: dict) -> list[tuple[date, date]] | None:
    """First day and day after the last, of the months in which this build computed rows anew; None if in any."""
    if work["rebuild_from"] == EVERYTHING:
        return None
    artifacts = "select 1 from intermediate.int_rebuild__artifacts"
    if db.execute(f"select 1 from metrics.met_rebuild union all {artifacts} limit 1").fetchone():
        return None
    (from_day,) = db.execute("select from_day from intermediate.int_rebuild__from").fetchone()
    last, week = from_day.replace(day=1), from_day - timedelta(days=from_day.weekday())
    starts = {
        week.replace(day=1),
        date(from_day.year, from_day.month - (from_day.month - 1) % 3, 1),
        date(from_day.year, 1, 1),
    }
    months = [(start, (start + timedelta(days=31)).replace(day=1)) for start in sorted(starts - {last})]
    return [*months, (last, date.max)]


def _in_months(day: str, months: list[tuple[date, date]]):
    from pyiceberg.expressions import AlwaysFalse, And, GreaterThanOrEqual, LessThan, Or

    clock, found = "T00:00:00+00:00" if day == "time" else "", AlwaysFalse()
    for first, end in months:
        found = Or(found, And(GreaterThanOrEqual(day, f"{first}{clock}"), LessThan(day, f"{end}{clock}")))
    return found


def models_table(settings: Settings):
    """models_v1 of metrics.md section 7 as an Arrow table, from the newest manifest and run results of each layer."""
    import pyarrow as pa

    schema = pa.schema(
        [(n, pa.string()) for n in ("model_name", "layer", "materialized", "description", "sql")]
        + [("depends_on", pa.list_(pa.string())), ("tests", pa.int64())]
        + [("last_run_at", pa.timestamp("us", tz="UTC")), ("last_status", pa.string())]
        + [("rows", pa.int64()), ("seconds", pa.float64())]
    )
    manifest, results = _newest(settings, "manifest.json"), run_results(settings)
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
