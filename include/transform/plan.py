"""What to rebuild: the raw tables' snapshots newer than those of the last successful build.

The record stands beside the data, as properties of the lake's namespace `raw`,
one set per engine; it moves only after every layer and its tests succeeded.
"""

import hashlib
from pathlib import Path

from include.settings import Settings

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt"
EVERYTHING = "all"


def plan(settings: Settings) -> dict:
    """The work list: {"rebuild_from": ISO day | "all", "snapshots": {table: id}, "changed": [table], "code": digest}.

    rebuild_from is the earliest day landed since the last build; "all" when nothing was built before, when the
    dbt project or the directory changed (both bear on every day), or when the history cannot be followed; None
    when nothing changed.
    """
    from include.lake.catalog import open_catalog
    from include.lake.landing import earliest_day_touched, snapshots_of

    catalog = open_catalog(settings, "lake")
    now = snapshots_of(catalog)
    built, code = _built(settings, catalog), _project_digest()
    changed = sorted(name for name, snapshot in now.items() if built.get(name) != str(snapshot))
    work = {"snapshots": {k: str(v) for k, v in now.items()}, "changed": changed, "code": code}
    if built.get("code") != code or (settings.engine == "duckdb" and not settings.duckdb_path.exists()):
        return work | {"rebuild_from": EVERYTHING}
    if any("oss_directory" in name or name not in built for name in changed):
        return work | {"rebuild_from": EVERYTHING}
    if not changed:
        return work | {"rebuild_from": None}
    first = earliest_day_touched(catalog, {name: int(built[name]) for name in changed})
    return work | {"rebuild_from": first.isoformat() if hasattr(first, "isoformat") else EVERYTHING}


def finish(settings: Settings, work: dict) -> None:
    """Records that the snapshots of `work` are built; in the embedded profile first writes the exports to the lake."""
    from include.lake.catalog import open_catalog
    from include.transform.exports import write_exports

    write_exports(settings)
    catalog = open_catalog(settings, "lake")
    prefix = f"built.{settings.engine}."
    record = {prefix + name: str(snapshot) for name, snapshot in work["snapshots"].items()}
    catalog.update_namespace_properties("raw", updates=record | {prefix + "code": work["code"]})


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
