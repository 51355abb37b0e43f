"""Audit ► release: the exports of the lake become the current release, or the last good one stays."""

import os
import subprocess
from pathlib import Path

from include.errors import SuspectData, Unavailable
from include.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MADE_AT_PUBLISH = {"releases_v1"}
MADE_AFTER_DBT = {"columns_v1", "models_v1"}


def audit(settings: Settings, run_id: str, *, accept_shrunk: bool = False) -> dict[str, int]:
    """Checks the exports of the lake before a release. Returns rows by table.

    `accept_shrunk` leaves out the comparison with the current release, for a drop that is real.

    Raises:
        SuspectData: a table is missing, empty where the release before had rows, or shrank below 80 %.
    """
    from include.lake.catalog import open_catalog
    from include.lake.releases import list_releases
    from include.quality.exports import failures
    from include.quality.kept import keep

    catalog = open_catalog(settings, "lake")
    rows = {name: _rows(catalog.load_table(f"exports.{name}")) for name in _export_names(catalog)}
    releases = list_releases(settings)
    current = next((r for r in releases if r.current), None) if releases else None
    before = {t.name: t.rows for t in current.tables} if current and not accept_shrunk else {}
    bad, checks = failures(rows, {k: v for k, v in before.items() if k not in MADE_AT_PUBLISH}, expected_exports())
    keep(settings, "release", checks, run_id=run_id)
    if bad:
        raise SuspectData(
            f"The audit of run {run_id} found: {'; '.join(bad)}. Nothing was released and the last good release "
            "stays current. Mend the data, then publish again; if the drop is real: "
            "python -m include release publish --accept-shrunk"
        )
    return rows


def release(settings: Settings, run_id: str, notes: str | None = None):
    """Publishes every export of the lake as one release and makes it current. Returns the Release.

    Raises:
        Unavailable: a build on Trino is under way or broke off; DuckDB's exports come to the lake when it is done.
        FixNeeded, Unavailable: as publish of include/lake/releases.py.
    """
    from include.lake.catalog import open_catalog
    from include.lake.releases import publish
    from include.transform.plan import last_build

    _, unfinished = last_build(settings)
    if unfinished and settings.engine == "trino":
        raise Unavailable(
            f"Build {unfinished} is under way or broke off, so that exports may be half new. Nothing was released and "
            "the former release stays current: let a build finish, then publish again."
        )
    catalog = open_catalog(settings, "lake")
    tables = [f"exports.{name}" for name in _export_names(catalog) if name not in MADE_AT_PUBLISH]
    projects = catalog.load_table("exports.projects_v1").scan(selected_fields=("directory_sha",), limit=1).to_arrow()
    sha = projects["directory_sha"][0].as_py() if projects.num_rows else "unknown"
    return publish(settings, tables, run_id=run_id, code_sha=code_sha(), directory_sha=sha or "unknown", notes=notes)


def expected_exports() -> set[str]:
    """Names of the exports that the dbt project defines, and those about them."""
    return {path.stem for path in (ROOT / "dbt" / "models" / "exports").glob("*.sql")} | MADE_AFTER_DBT


def code_sha() -> str:
    """The git commit: what OPENIMPACT_CODE_SHA says (the image's), or of this checkout; 'unknown' without either."""
    if given := os.environ.get("OPENIMPACT_CODE_SHA"):
        return given
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _export_names(catalog) -> list[str]:
    if ("exports",) not in catalog.list_namespaces():
        return []
    return sorted(identifier[-1] for identifier in catalog.list_tables("exports"))


def _rows(table) -> int:
    snapshot = table.current_snapshot()
    return int(snapshot.summary["total-records"]) if snapshot else 0
