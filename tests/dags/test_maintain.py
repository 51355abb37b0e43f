"""The weekly upkeep through Airflow, and the clean-up of Airflow's own database."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import content_hash, publish
from include.settings import load_settings

ROOT = Path(__file__).parents[2]


def events(session) -> list[str]:
    from airflow.models.log import Log
    from sqlalchemy import select

    return sorted(session.scalars(select(Log.event).where(Log.event.like("test %"))))


def test_old_rows_leave_airflows_database_and_new_ones_stay(airflow_database, monkeypatch):
    from airflow.models.log import Log
    from airflow.utils.session import create_session

    from include.airflow_kit.maintain import KEEP_DAYS, clean_metadata

    with create_session() as session:
        for days in (1, KEEP_DAYS - 1, KEEP_DAYS + 1):
            row = Log(event=f"test {days:03}")
            row.dttm = datetime.now(UTC) - timedelta(days=days)
            session.add(row)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")  # as Airflow does to tasks
    assert clean_metadata(KEEP_DAYS) == {"log": 1}
    with create_session() as session:
        assert events(session) == ["test 001", f"test {KEEP_DAYS - 1:03}"]


def test_without_a_database_in_reach_the_clean_up_is_skipped_with_a_sentence(monkeypatch, tmp_path):
    from airflow.sdk.exceptions import AirflowSkipException

    from include.airflow_kit.maintain import clean_metadata

    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with pytest.raises(AirflowSkipException, match="cannot find Airflow's database.*SQL_ALCHEMY_CONN_CMD"):
        clean_metadata(90)


def test_the_dag_frees_what_is_old_and_keeps_the_release(airflow_database, tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    write_export(open_catalog(settings, "lake"), "a_v1", pa.table({"a": [1]}))
    publish(settings, ["exports.a_v1"], run_id="r", code_sha="c", directory_sha="d")
    before = content_hash(settings)
    stray = tmp_path / "lake" / "exports" / "gone" / "data" / "stray.parquet"
    dead = tmp_path / "staging" / "npm" / "dead-run" / "rows.parquet"
    old = time.time() - 30 * 86_400
    for path in (stray, dead):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        os.utime(path, (old, old))
    os.utime(dead.parent, (old, old))
    code = """
from airflow.dag_processing.dagbag import DagBag
run = DagBag().dags["maintain"].test()
assert run.state == "success", run.state
"""
    env = os.environ | {"OPENIMPACT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], env=env, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert not stray.exists() and not dead.parent.exists()
    assert content_hash(settings) == before


def test_the_upkeep_of_a_table_waits_for_its_writer(airflow_database):
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(str(ROOT / "dags")).dags["maintain"]
    pools = {task.task_id: task.pool for task in dag.tasks}
    assert pools["compact_raw"] == pools["expire"] == "iceberg_commit" and pools["compact_models"] == "duckdb_file"
    assert dag.get_task("expire").upstream_task_ids == {"compact_raw", "compact_models"}
    assert dag.get_task("remove_files").upstream_task_ids == {"expire"}
