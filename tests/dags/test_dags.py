"""Every DAG says who owns it, what it does and what to do when it fails, and the chain runs."""

import ast
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include.airflow_kit.windows import batches, is_published, window_of
from include.errors import BadCredentials, RateLimited, SuspectData, Unavailable, WindowRefused
from include.sources import all_sources, get_source
from include.sources.base import Window
from tests.e2e.world import World

ROOT = Path(__file__).parents[2]
TAGS = {"kind/ingest", "kind/transform", "kind/publish", "kind/maintain", "kind/operate", "window/day", "window/now"}
TAGS |= {"tier/1", "tier/2", "tier/3"}
OPERATE = ["operate_backfill", "operate_preview", "operate_rebuild", "operate_rollback", "operate_watch"]
HEAVY = {"pyarrow", "dbt", "pyiceberg", "great_expectations", "duckdb", "google"}


@pytest.fixture(scope="module")
def bag(airflow_database):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


def test_every_dag_file_imports(bag):
    assert bag.import_errors == {}
    assert sorted(bag.dags) == sorted(
        [f"ingest_{s.name}" for s in all_sources()] + OPERATE + ["maintain", "transform", "publish"]
    )


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


@pytest.mark.parametrize(("run_type", "first"), [("scheduled", 22), ("backfill", 24), ("manual", 24)])
def test_a_run_loads_its_interval_and_only_a_scheduled_one_the_days_it_restates(run_type, first):
    source = replace(get_source("github_archive"), restate_days=2)
    interval = (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    window = window_of(source, {}, interval, run_type=run_type)
    assert window == Window(date(2026, 11, first), date(2026, 11, 25))


@pytest.mark.parametrize("hours", [(3, 4), (0, 24), (5.5, 29.5)])
def test_an_interval_within_a_day_stands_for_the_whole_day(hours):
    start, end = (datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=h) for h in hours)
    assert window_of(get_source("github_archive"), {}, (start, end)) == Window.of(date(2026, 11, 24))


@pytest.mark.parametrize("schedule", ["30 5 * * *", "0 * * * *", "0 0,12 * * *"])
def test_a_source_of_days_starts_at_midnight_and_nowhere_else(schedule):
    with pytest.raises(ValueError, match="must run at 00:00 UTC.*set ready_after"):
        replace(get_source("github_archive"), schedule=schedule)


def test_a_day_is_waited_for_until_it_is_published():
    source, window = get_source("github_archive"), Window.of(date(2026, 11, 24))
    assert not is_published(source, window, datetime(2026, 11, 25, 5, 29, tzinfo=UTC))
    assert is_published(source, window, datetime(2026, 11, 25, 5, 30, tzinfo=UTC))
    assert is_published(get_source("oss_directory"), window, datetime(2026, 11, 24, 1, tzinfo=UTC))


def test_a_person_may_ask_for_days_both_included():
    asked = {"from_day": "2026-11-01", "to_day": "2026-11-03"}
    assert window_of(get_source("github_archive"), asked, None) == Window(date(2026, 11, 1), date(2026, 11, 4))


def test_a_run_without_days_is_refused():
    with pytest.raises(WindowRefused, match="no data interval. Trigger it with from_day and to_day"):
        window_of(get_source("github_archive"), {}, None)


def test_reversed_days_are_refused():
    with pytest.raises(WindowRefused, match="from_day 2026-11-03 is after to_day 2026-11-01"):
        window_of(get_source("github_archive"), {"from_day": "2026-11-03", "to_day": "2026-11-01"}, None)


def test_the_two_days_of_the_form_stay_two_days(bag):
    from airflow.sdk.definitions.param import process_params

    form = {"from_day": "2025-09-28", "to_day": "2025-10-27"}
    for source in all_sources():
        dag = bag.dags[f"ingest_{source.name}"]
        assert process_params(dag, dag.get_task("check"), form, suppress_exception=False) == form


def test_a_source_of_now_takes_the_asked_day_to_be_refused_by_the_check():
    from include.ingest import check
    from include.settings import load_settings

    source = get_source("oss_directory")
    window = window_of(source, {"from_day": "2025-10-01"}, None)
    with pytest.raises(WindowRefused, match="describes today only"):
        check(source, window, load_settings({}))


@pytest.mark.parametrize(
    ("days", "sizes"), [(1, [1]), (7, [7]), (8, [7, 1]), (30, [7, 7, 7, 7, 2]), (365, [19] * 19 + [4])]
)
def test_days_are_fetched_in_at_most_twenty_batches(days, sizes):
    first = date(2025, 1, 1)
    found = batches(Window(first, first + timedelta(days=days)))
    assert [len(batch) for batch in found] == sizes
    assert [day for batch in found for day in batch] == [str(first + timedelta(days=n)) for n in range(days)]


def test_transform_and_publish_follow_the_assets_and_the_pools(bag):
    transform, publish = bag.dags["transform"], bag.dags["publish"]
    assert {t.task_id for t in transform.tasks if t.pool == "duckdb_file"} == {"intermediate", "metrics", "exports"}
    assert [asset.name for asset in transform.get_task("exports").outlets] == ["exports"]
    assert transform.max_active_runs == publish.max_active_runs == 1
    assert publish.get_task("release").pool == "iceberg_commit"
    for source in all_sources():
        assert bag.dags[f"ingest_{source.name}"].get_task("commit").pool == "iceberg_commit"


MAY_NOT_IMPORT = {
    "include/http": ("airflow", "dbt", "include.lake", "include.sources"),
    "include/lake": ("airflow", "dbt", "include.sources"),
    "include/sources": ("airflow", "dbt", "include.airflow_kit"),
    "include/quality": ("airflow", "dbt", "include.airflow_kit"),
    "consumer": ("airflow", "dbt", "include.airflow_kit", "include.ingest", "include.sources", "include.transform"),
    "dags": ("dags", "pyarrow", "pyiceberg", "great_expectations"),
}
LOADED_BY_DBT = {"duckdb_raw.py"}  # a plugin of dbt-duckdb, named in dbt/profiles.yml


@pytest.mark.parametrize("folder", MAY_NOT_IMPORT)
def test_nothing_imports_upward(folder):
    banned = MAY_NOT_IMPORT[folder]
    upward = [
        f"{path.name}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in LOADED_BY_DBT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if any(name == one or name.startswith(one + ".") for one in banned)
    ]
    assert not upward, f"{folder}/ may not import {banned}; move the shared part down: {upward}"


@pytest.mark.parametrize(
    ("planned", "asked", "found"),
    [
        ("2026-11-05", None, "2026-11-05"),
        ("2026-11-05", "2026-11-03", "2026-11-03"),
        ("2026-11-05", "2026-11-07", "2026-11-05"),
        ("2026-11-05", "all", "all"),
        ("all", "2026-11-03", "all"),
    ],
)
def test_a_rebuild_asked_for_never_leaves_out_what_landed(planned, asked, found):
    from include.airflow_kit.transform import earlier

    assert earlier(planned, asked) == found


def test_a_rate_limit_waits_until_it_opens_and_an_outage_longer_each_time():
    from include.airflow_kit.retries import POLICY, TASK

    opens = datetime.now(UTC) + timedelta(minutes=40)
    delay = POLICY.evaluate(RateLimited("x", opens), 1, TASK["retries"], None).retry_delay
    assert timedelta(minutes=39) < delay < timedelta(minutes=41)
    assert POLICY.evaluate(RateLimited("x"), 1, TASK["retries"], None).retry_delay == timedelta(minutes=15)
    assert POLICY.evaluate(Unavailable("x"), 1, TASK["retries"], None).retry_delay is None
    assert TASK["retry_exponential_backoff"] == 2 and TASK["max_retry_delay"] == timedelta(hours=1)


@pytest.mark.parametrize(("cleared_at", "last"), [(0, 5), (3, 8)])
def test_an_outage_is_tried_five_times_and_a_quota_that_says_when_it_opens_twelve_times_also_after_a_clear(
    cleared_at, last
):
    from include.airflow_kit.retries import POLICY, TASK

    def action(error, try_number):
        return POLICY.evaluate(error, try_number, cleared_at + TASK["retries"], None).action.name

    assert [action(Unavailable("x"), n) for n in (last - 1, last)] == ["RETRY", "FAIL"]
    assert [action(KeyError("x"), n) for n in (last - 1, last)] == ["DEFAULT", "FAIL"]
    opens = datetime.now(UTC) + timedelta(hours=1)
    assert [action(RateLimited("x", opens), n) for n in (cleared_at + 12, cleared_at + 13)] == ["RETRY", "FAIL"]


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
    from include.airflow_kit.retries import POLICY, TASK

    assert POLICY.evaluate(error, 1, TASK["retries"], None).action.name == action


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
