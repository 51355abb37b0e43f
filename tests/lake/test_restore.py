"""The commands of docs/upgrade-and-restore.md, run as they stand there: a backup restores to a working home."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.landing import snapshots_of
from include.lake.maintenance import remove_orphans
from include.lake.releases import content_hash, publish
from include.settings import load_settings
from include.transform.plan import plan
from tests.lake.test_maintenance import ids, land

ROOT = Path(__file__).parents[2]
DAY = date(2026, 1, 5)


def commands(heading: str) -> str:
    """The shell block below a heading of the page."""
    page = (ROOT / "docs" / "upgrade-and-restore.md").read_text()
    (block,) = re.findall(rf"^### {re.escape(heading)}\n.*?```\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    return block


def run(heading: str, home: Path, backup: Path) -> None:
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"OPENIMPACT_HOME": str(home), "BACKUP": str(backup), "PATH": paths}
    script = commands(heading).replace(".venv/bin/python", "python")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def settings(tmp_path):
    made = load_settings({"OPENIMPACT_HOME": str(tmp_path / "home")})
    write_export(open_catalog(made, "lake"), "a_v1", pa.table({"a": [1, 2]}))
    publish(made, ["exports.a_v1"], run_id="r", code_sha="c", directory_sha="d")
    land(made, DAY, "a", "b")
    return made


def test_a_backup_taken_while_days_land_restores_to_a_working_home(settings, tmp_path):
    before, snapshots = content_hash(settings), snapshots_of(open_catalog(settings, "lake"))
    backup = tmp_path / "backup"
    run("Back up the embedded profile", settings.home, backup)
    land(settings, DAY, "later", run="r2")
    shutil.copytree(settings.home / "lake", backup / "lake", dirs_exist_ok=True)  # as if the copy had gone on meanwhile
    shutil.rmtree(settings.home)
    run("Restore the embedded profile", settings.home, backup)
    restored = open_catalog(settings, "lake")
    assert content_hash(settings) == before and snapshots_of(restored) == snapshots
    assert ids(restored) == ["a", "b"]
    land(settings, DAY, "c", run="r3")
    assert ids(restored) == ["c"]
    assert plan(settings)["rebuild_from"] == "all"  # the build's own database is no part of a backup
    assert remove_orphans(settings) == []
