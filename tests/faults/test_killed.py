"""Processes of Airflow that are killed or away: each day lands once and whole, and the status says so until then."""

import os
import signal
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from demo import run
from demo.server import DemoServer, Fault
from include.lake.catalog import open_catalog
from include.sources import get_source
from tests.demo.processes import MARK, left_of, pids
from tests.demo.scheduled import DAG, Scheduled, land, until

WORKER, FETCH, COMMIT, SCHEDULER, MACHINE, API, POOL = DAYS = [date(2025, 10, day) for day in range(16, 23)]
NOW = datetime(2025, 10, 23, 12, tzinfo=UTC)  # the day before is due
POOLED = ("ingest_ecb_rates", "ingest_oss_directory", DAG)
DAGS = """
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from include.airflow_kit import build_ingest_dag, build_publish_dag, build_transform_dag
from include.airflow_kit.retries import TASK
from include.sources import all_sources
from include.sources.base import Pool

TASK["retry_delay"] = timedelta(seconds=5)
fuse = Path(os.environ["OPENIMPACT_HOME"], "fuse")
if fuse.exists():
    os.environ["OPENIMPACT_FAILPOINT"] = fuse.read_text()
for source in all_sources():
    shared = source.name in ("ecb_rates", "oss_directory", "github_archive")
    build_ingest_dag(replace(source, restate_days=0, pool=Pool("shared", 1) if shared else source.pool))
build_transform_dag(all_sources())
build_publish_dag()
"""
# what is lost is missed in seconds, not in minutes
SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
}


class Killable(Scheduled):
    """Whose processes can be killed; `truth` holds the same days, landed without a fault."""

    def __init__(self, *given, truth):
        super().__init__(*given)
        self.truth = truth

    def kill(self, words: str) -> None:
        """SIGKILL for every process of this Airflow whose command line holds `words`."""
        found = pids(str(self.home), words)
        assert found, f"no process is called {words}"
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    @contextmanager
    def held(self, path: str, seconds: float):
        """The upstream says nothing about `path` for so long; yields as soon as somebody asks."""
        asked = self.upstreams.requests[path]
        self.upstreams.faults.add(path, Fault(hang_s=seconds))
        until(lambda: self.upstreams.requests[path] > asked)
        yield

    def fetching(self, run_id: str) -> dict:
        """The task instance that fetches."""
        return next(task for task in self.tasks(DAG, run_id) if task["task_id"] == "fetch")

    def content(self, settings, day: date) -> dict[str, list[str]]:
        """The rows of a day in every raw table of the archive, without who landed them."""
        catalog, found = open_catalog(settings, "lake"), {}
        for stream in get_source("github_archive").all_streams:
            table = catalog.load_table(f"raw.github_archive__{stream.name}")
            rows = table.scan(row_filter=f"_day == '{day}'").to_arrow().drop(["_run_id", "_loaded_at"]).to_pylist()
            found[stream.name] = sorted(map(str, rows))
        return found

    def archive(self):
        """The archive in the status."""
        status = self.status(NOW)
        assert status.failures == (), "a day that is tried again is not given up"
        return next(source for source in status.sources if source.name == "github_archive")

    def assert_not_yet(self, day: date) -> None:
        """The status misses the day and every one after it, and no other."""
        status = self.archive()
        assert {d for d in DAYS if status.mark(d) == "missing"} == {d for d in DAYS if d >= day}

    def assert_landed(self, day: date) -> None:
        """The day holds every true row once, and the status lists it and the days before it as landed."""
        found, true = self.content(self.settings, day), self.content(self.truth, day)
        assert found == true and found["events"] and found["coverage"]
        status = self.archive()
        assert {d for d in DAYS if status.mark(d) == "landed"} == {d for d in DAYS if d <= day}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """With the registry and the day before landed; every day's true content is in a lake beside it."""
    home, before = tmp_path_factory.mktemp("killed"), DAYS[0] - timedelta(days=1)
    (home / "dags").mkdir()
    (home / "dags" / "shared_pool.py").write_text(DAGS)
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | SOON
        env |= {MARK: str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
        land(home, upstreams.base_url, [before])
        true = land(tmp_path_factory.mktemp("truth"), upstreams.base_url, [before, *DAYS])
        with run.airflow(home, env) as api:
            api.call("POST", "/api/v2/pools", {"name": "shared", "slots": 1})
            for dag in POOLED:
                api.unpause(dag)
            running = Killable(home, upstreams, env, api, truth=true)
            try:
                yield running
            finally:
                running.stop()
    assert left_of(str(home)) == [], "Airflow left processes behind"


def hour(day: date) -> str:
    return f"/archive/{day}-5.json.gz"


def test_a_worker_killed_while_it_fetches(airflow):
    run_id = airflow.trigger(DAG, [WORKER])
    with airflow.held(hour(WORKER), 15):
        airflow.assert_not_yet(WORKER)
        task = airflow.fetching(run_id)["id"]
        airflow.kill(f"LocalExecutor: {task}")
        airflow.kill(f"airflow worker -- {task}")
    airflow.wait(DAG, run_id)
    assert airflow.fetching(run_id)["try_number"] == 2
    airflow.assert_landed(WORKER)


def test_a_task_killed_while_it_fetches(airflow):
    run_id = airflow.trigger(DAG, [FETCH])
    with airflow.held(hour(FETCH), 15):
        airflow.kill(f"airflow worker -- {airflow.fetching(run_id)['id']}")
    airflow.wait(DAG, run_id)
    assert airflow.fetching(run_id)["try_number"] == 2
    airflow.assert_landed(FETCH)


def test_a_task_killed_while_it_commits(airflow):
    (airflow.home / "fuse").write_text("before_coverage")
    run_id = airflow.trigger(DAG, [COMMIT])

    def killed():
        return next(t for t in airflow.tasks(DAG, run_id) if t["task_id"] == "commit")["state"] == "up_for_retry"

    until(killed)
    (airflow.home / "fuse").unlink()
    assert airflow.content(airflow.settings, COMMIT)["events"], "it was killed between two tables"
    airflow.assert_not_yet(COMMIT)
    airflow.wait(DAG, run_id)
    airflow.assert_landed(COMMIT)


@pytest.mark.parametrize(
    ("day", "killed"),
    [(SCHEDULER, ["airflow scheduler"]), (MACHINE, ["airflow scheduler", "airflow worker"])],
    ids=["alone, its tasks go on", "with all its workers"],
)
def test_the_scheduler_killed_and_started_again(airflow, day, killed):
    run_id = airflow.trigger(DAG, [day])
    with airflow.held(hour(day), 12):
        for words in killed:
            airflow.kill(words)
        airflow.assert_not_yet(day)
        airflow.start("scheduler")
    airflow.wait(DAG, run_id)
    airflow.assert_landed(day)


def test_the_api_server_away_while_a_task_runs(airflow):
    run_id = airflow.trigger(DAG, [API])
    with airflow.held(hour(API), 3):
        airflow.kill("airflow api_server")
        airflow.assert_not_yet(API)
        time.sleep(5)  # the fetch has more to say meanwhile, and nobody hears it
        airflow.start("api-server")
    until(lambda: answers(airflow))
    airflow.wait(DAG, run_id)
    airflow.assert_landed(API)


def answers(airflow) -> bool:
    try:
        return bool(airflow.api.call("GET", "/api/v2/version"))
    except OSError:
        return False


def test_three_dags_take_turns_in_one_pool(airflow):
    airflow.upstreams.faults.add("/eurofxref-hist.zip", Fault(hang_s=3))
    runs = {dag: airflow.trigger(dag, [POOL] if dag == DAG else None) for dag in POOLED}
    for dag, run_id in runs.items():
        airflow.wait(dag, run_id)
    tasks = [task for dag, run_id in runs.items() for task in airflow.tasks(dag, run_id) if task["pool"] == "shared"]
    assert len(tasks) == 6
    turns = sorted((datetime.fromisoformat(t["start_date"]), datetime.fromisoformat(t["end_date"])) for t in tasks)
    assert all(one[1] <= other[0] for one, other in pairwise(turns))
    airflow.assert_landed(POOL)
