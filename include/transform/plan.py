"""What to rebuild: the raw tables' snapshots newer than those of the last successful build.

The record stands beside the data, as properties of the lake's namespace `raw`,
one set per engine; it moves only after every layer and its tests succeeded.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from include.settings import Settings
from include.sources import all_sources

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt"
EVERYTHING = "all"


def plan(settings: Settings, run_id: str | None = None) -> dict:
    """The work list: {"rebuild_from": ISO day | "all", "snapshots": {table: id}, "changed": [table], "code": digest}.

    rebuild_from is the earliest day landed since the last build, today if no day was. It is "all" when nothing was
    built before, when the dbt project changed, when the last build did not finish (its tables are half new), or when
    the history cannot be followed. With a `run_id` the build counts as begun by it until finish; it may plan again.
    """
    from include.lake.catalog import open_catalog
    from include.lake.landing import EVERYTHING as EVERY_DAY
    from include.lake.landing import earliest_day_touched, snapshots_of

    catalog = open_catalog(settings, "lake")
    now = snapshots_of(catalog)
    built, code = _built(settings, catalog), _project_digest()
    changed = sorted(name for name, snapshot in now.items() if built.get(name) != str(snapshot))
    work = {"snapshots": {k: str(v) for k, v in now.items()}, "changed": changed, "code": code}
    unfinished = built.get("begun", run_id) != run_id
    if run_id:  # without its code on record every build is whole until one finishes
        _record(settings, catalog, {"begun": run_id}, forget="code" if unfinished else None)
    if built.get("code") != code or unfinished:
        return work | {"rebuild_from": EVERYTHING}
    if settings.engine == "duckdb" and not settings.duckdb_path.exists():
        return work | {"rebuild_from": EVERYTHING}
    # what describes today only is read whole by every build
    daily = {s.table(stream.name) for s in all_sources() if s.window == "day" for stream in s.all_streams}
    recorded = {name: int(built[name]) if name in built else None for name in changed if name in daily}
    first = earliest_day_touched(catalog, recorded)
    if first is EVERY_DAY:
        return work | {"rebuild_from": EVERYTHING}
    return work | {"rebuild_from": (first or datetime.now(UTC).date()).isoformat()}


def finish(settings: Settings, work: dict) -> None:
    """Records that the snapshots of `work` are built; in the embedded profile first writes the exports to the lake."""
    from include.lake.catalog import open_catalog
    from include.transform.exports import write_exports

    write_exports(settings, work)
    catalog = open_catalog(settings, "lake")
    built = {"code": work["code"], "at": datetime.now(UTC).isoformat(timespec="seconds")}
    _record(settings, catalog, work["snapshots"] | built, forget="begun")


def last_build(settings: Settings) -> tuple[datetime | None, str | None]:
    """When the last good build finished (UTC), and the run id of one that began since and did not."""
    from include.lake.catalog import open_catalog

    built = _built(settings, open_catalog(settings, "lake"))
    return datetime.fromisoformat(built["at"]) if "at" in built else None, built.get("begun")


def _record(settings: Settings, catalog, properties: dict[str, str], forget: str | None = None) -> None:
    catalog.create_namespace_if_not_exists("raw")
    prefix = f"built.{settings.engine}."
    catalog.update_namespace_properties(
        "raw",
        removals={prefix + forget} if forget else None,
        updates={prefix + name: value for name, value in properties.items()},
    )


def _built(settings: Settings, catalog) -> dict[str, str]:
    if ("raw",) not in catalog.list_namespaces():
        return {}
    prefix = f"built.{settings.engine}."
    properties = catalog.load_namespace_properties("raw")
    return {name.removeprefix(prefix): value for name, value in properties.items() if name.startswith(prefix)}


def _project_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix in (".sql", ".csv") or path.name == "dbt_project.yml":
            if not {"target", "logs"} & set(path.relative_to(DBT_PROJECT).parts):
                digest.update(str(path.relative_to(DBT_PROJECT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
