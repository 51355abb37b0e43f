"""One real Airflow on the made-up world: the chain by asset events, backfills, and a day run again."""

import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta

import pytest

from demo import run
from demo.server import DemoServer, body_of
from include.ingest import ensure_raw_tables
from include.settings import load_settings
from tests.demo.processes import MARK, left_of
from tests.demo.scheduled import DAG, Scheduled

DAGS = """
from dataclasses import replace
from datetime import timedelta

from include.airflow_kit import build_ingest_dag, build_publish_dag, build_transform_dag
from include.sources import all_sources, get_source

for source in all_sources():
    build_ingest_dag(replace(source, restate_days=2 if source.window == "day" else 0))
build_ingest_dag(replace(get_source("github_archive"), name="late", ready_after=timedelta(days=40_000)))
build_transform_dag(all_sources())
build_publish_dag()
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """With the registry landed, and nothing built before the last test, so that the others are short."""
    home = tmp_path_factory.mktemp("scheduler")
    (home / "dags").mkdir()
    (home / "dags" / "restating.py").write_text(DAGS)
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | {
            MARK: str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",  # they run in tests/dags
        }
        with run.airflow(home, env) as api:
            subprocess.run([sys.executable, "-m", "include", "land", "oss_directory"], env=env, check=True)
            ensure_raw_tables(load_settings({"OPENIMPACT_HOME": str(home)}))
            api.unpause(DAG)
            running = Scheduled(home, upstreams, env, api)
            try:
                yield running
            finally:
                running.stop()
    assert left_of(str(home)) == [], "the demo left processes behind"


def test_a_backfill_of_the_command_line_lands_each_run_its_own_day(airflow):
    wanted = {date(2025, 10, day) for day in (20, 21, 22)}
    before = airflow.days("events")
    days = ("--from-date", "2025-10-20", "--to-date", "2025-10-22")
    airflow.backfill(lambda: airflow.airflow("backfill", "create", "--dag-id", DAG, *days, "--max-active-runs", "2"))
    assert airflow.runs("backfill") == dict.fromkeys(wanted, "success")
    _assert_landed(airflow, before, wanted)


def test_a_backfill_of_the_user_interface_lands_each_run_its_own_day(airflow):
    wanted = {date(2025, 10, 16), date(2025, 10, 17)}
    before, earlier = airflow.days("events"), airflow.runs("backfill")
    body = {"dag_id": DAG, "from_date": "2025-10-16T00:00:00Z", "to_date": "2025-10-17T00:00:00Z"}
    body |= {"max_active_runs": 2, "reprocess_behavior": "none"}
    airflow.backfill(lambda: airflow.api.call("POST", "/api/v2/backfills", body))
    assert airflow.runs("backfill") == earlier | dict.fromkeys(wanted, "success")
    _assert_landed(airflow, before, wanted)


def _assert_landed(airflow, before: Counter, wanted: set[date]) -> None:
    after = airflow.days("events")
    assert set(after) - set(before) == wanted
    assert {day: after[day] for day in before} == before
    coverage = airflow.days("coverage")
    assert {day: coverage[day] for day in wanted} == dict.fromkeys(wanted, 25)
    # each day was landed once, by the run of that day: none restated the days before
    landed_by = {(row["_day"], row["_run_id"]) for row in airflow.rows("coverage") if row["_day"] in wanted}
    assert len(landed_by) == len(wanted)
    assert all(run_id.startswith(f"backfill--{day + timedelta(days=1)}T00-00-00") for day, run_id in landed_by)


def test_a_source_of_now_refuses_a_backfill(airflow):
    body = {"dag_id": "ingest_oss_directory", "from_date": "2025-10-16T00:00:00Z", "to_date": "2025-10-17T00:00:00Z"}
    with pytest.raises(run.DemoFailed, match="400 .*does not allow backfill runs"):
        airflow.api.call("POST", "/api/v2/backfills", body)


def test_a_run_waits_for_a_day_that_is_not_published(airflow):
    airflow.api.unpause("ingest_late")
    airflow.api.trigger("ingest_late", {})
    state = None
    while state in (None, "scheduled", "queued", "running"):
        time.sleep(1)
        tasks = airflow.api.call("GET", "/api/v2/dags/ingest_late/dagRuns/~/taskInstances")["task_instances"]
        state = next((task["state"] for task in tasks if task["task_id"] == "check"), None)
    assert state == "up_for_reschedule"


@pytest.mark.parametrize(("by", "hour"), [("cli", 9), ("api", 11)])
def test_clearing_a_days_run_lands_the_days_new_content_and_only_it(airflow, by, hour):
    day, added = date(2025, 10, 20), f"7700{hour}"
    changed = f"{day}-{hour}.json.gz"
    lines = [json.loads(line) for line in gzip.decompress(body_of(f"/archive/{changed}")).splitlines()]
    before = airflow.rows("events")
    tracked = {row["id"] for row in before if row["_day"] == day and row["hour"] == hour}
    new = next(line for line in lines if line["id"] in tracked) | {"id": added}
    rest = [line for line in lines if line["id"] not in tracked]
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in [*rest, new]).encode())
    airflow.upstreams.faults.clear()
    for archive in ("archive", "archive2"):
        airflow.upstreams.faults.replaced(f"/{archive}/{changed}", body)

    if by == "cli":
        airflow.airflow("tasks", "clear", DAG, "--yes", "--start-date", str(day), "--end-date", str(day))
    else:
        runs = airflow.api.call("GET", f"/api/v2/dags/{DAG}/dagRuns")["dag_runs"]
        (run_id,) = [r["dag_run_id"] for r in runs if r["logical_date"][:10] == str(day)]
        airflow.api.call("POST", f"/api/v2/dags/{DAG}/dagRuns/{run_id}/clear", {"dry_run": False})
    airflow.settle()

    assert airflow.runs("backfill")[day] == "success"
    after = airflow.rows("events")
    assert {row["id"] for row in after if row["_day"] == day and row["hour"] == hour} == {added}
    others = [[row for row in rows if row["_day"] != day] for rows in (before, after)]
    assert sorted(map(str, others[0])) == sorted(map(str, others[1]))
    ids = Counter((row["_day"], row["id"]) for row in after)
    assert set(ids.values()) == {1}
    assert airflow.days("coverage")[day] == 25


def test_build_and_release_follow_the_asset_events(airflow, capsys):
    run.run_dags(airflow.api, days=2)
    for dag in ("transform", "publish"):
        runs = airflow.api.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
        assert {r["run_type"] for r in runs} == {"asset_triggered"}, dag
    assert {run.LAST_DAY - timedelta(days=1), run.LAST_DAY} <= set(airflow.days("coverage"))
    run.show_results(airflow.home)
    said = capsys.readouterr().out
    assert "release       20" in said and "contributors" in said
