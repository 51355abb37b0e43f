"""Every DAG says who owns it, what it does and what to do when it fails, and the chain runs."""

import ast
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include.airflow_kit.windows import window_of
from include.errors import BadCredentials, RateLimited, SuspectData, Unavailable, WindowRefused
from include.sources import all_sources, get_source
from include.sources.base import Window
from tests.e2e.world import World

ROOT = Path(__file__).parents[2]
TAGS = {"kind/ingest", "kind/transform", "kind/publish", "window/day", "window/now", "tier/1", "tier/2", "tier/3"}
HEAVY = {"pyarrow", "dbt", "pyiceberg", "great_expectations", "duckdb", "google"}


@pytest.fixture(scope="module")
def bag(airflow_database):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


def test_every_dag_file_imports(bag):
    assert bag.import_errors == {}
    assert sorted(bag.dags) == sorted([f"ingest_{s.name}" for s in all_sources()] + ["transform", "publish"])


def test_every_dag_has_owner_tags_doc_and_retries(bag):
    tags = TAGS | {f"source/{s.name}" for s in all_sources()}
    for dag in bag.dags.values():
        assert set(dag.tags) <= tags, dag.dag_id
        assert "## When it fails" in dag.doc_md, dag.dag_id
        for task in dag.tasks:
            assert task.owner != "airflow" and task.retries > 0, task


def test_a_source_is_fetched_in_its_own_pool_and_ends_in_its_assets(bag):
    for source in all_sources():
        dag = bag.dags[f"ingest_{source.name}"]
        assert dag.get_task("fetch").pool == source.pool.name
        names = {asset.name for asset in dag.get_task("commit").outlets}
        assert names == {f"raw/{source.name}/{stream.name}" for stream in source.streams}


def test_dag_files_import_nothing_heavy_and_never_each_other():
    for path in (ROOT / "dags").glob("*.py"):
        names = {
            (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not names & (HEAVY | {"dags"}), path


def test_a_scheduled_run_loads_its_interval_and_the_days_it_restates():
    source = get_source("github_archive")
    interval = (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    window = window_of(source, {}, interval)
    assert window.end == date(2026, 11, 25)
    assert len(window.days()) == 1 + source.restate_days


def test_a_person_may_ask_for_days_both_included():
    asked = {"from_day": "2026-11-01", "to_day": "2026-11-03"}
    assert window_of(get_source("github_archive"), asked, None) == Window(date(2026, 11, 1), date(2026, 11, 4))


def test_a_run_without_days_is_refused():
    with pytest.raises(WindowRefused, match="no data interval. Trigger it with from_day and to_day"):
        window_of(get_source("github_archive"), {}, None)


def test_reversed_days_are_refused():
    with pytest.raises(WindowRefused, match="from_day 2026-11-03 is after to_day 2026-11-01"):
        window_of(get_source("github_archive"), {"from_day": "2026-11-03", "to_day": "2026-11-01"}, None)


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (RateLimited("x"), "RETRY"),
        (Unavailable("x"), "RETRY"),
        (BadCredentials("x"), "FAIL"),
        (WindowRefused("x"), "FAIL"),
        (SuspectData("x"), "FAIL"),
    ],
)
def test_only_what_may_pass_is_retried(error, action):
    from include.airflow_kit.retries import POLICY

    assert POLICY.evaluate(error, 1, 4, None).action.name == action


def test_the_dags_one_after_the_other_publish_a_release(airflow_database, tmp_path):
    day = date(2024, 3, 4)
    world = World(tmp_path, day, day)
    world.push("2024-03-04 01:00:00", (1, "one/r1"), [("m0", "A")])
    connections = world.write({"p": ["https://github.com/one/r1"]}, {"k": ["p"]})
    env = os.environ | connections | {"OPENIMPACT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    code = """
from airflow.dag_processing.dagbag import DagBag
dags = DagBag().dags
days = {"from_day": "2024-03-04", "to_day": "2024-03-04"}
for name in ("ingest_oss_directory", "ingest_github_archive", "transform", "publish"):
    run = dags[name].test(run_conf=days if name == "ingest_github_archive" else {})
    assert run.state == "success", (name, run.state)
"""
    subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], env=env, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    shown = subprocess.run(
        [sys.executable, "-m", "include", "release", "show"], env=env, cwd=ROOT, capture_output=True, text=True
    )
    # the one commit, at one artifact: its event
    assert "timeseries_events_by_artifact_v1                    1" in shown.stdout
