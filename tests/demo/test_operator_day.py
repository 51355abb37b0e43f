"""An operator's day at a real Airflow: a source fails and says why, is mended and cleared; forms, approvals, alerts."""

import re
import subprocess
import sys
import time
from datetime import date

import pytest

from demo import run
from demo.server import DemoServer
from include.lake.failures import open_failures
from include.settings import load_settings
from include.sources import all_sources
from tests.dags.servers import Webhook, serving
from tests.demo.processes import MARK, left_of

SOURCE, DAG = "github_archive", "ingest_github_archive"
BROKEN = date(2025, 10, 21)
RANGE = {"source": SOURCE, "from_day": "2025-10-20", "to_day": str(BROKEN)}
PATIENCE_S = 300


class Operator:
    """A person at the Airflow UI, by the API that it uses."""

    def __init__(self, home, upstreams, api, messages):
        self.upstreams, self.api, self.messages = upstreams, api, messages
        self.settings = load_settings({"OPENIMPACT_HOME": str(home)})

    def start(self, dag: str, form: dict) -> str:
        """Fills in a form; returns the run's id."""
        self.api.unpause(dag)
        return self.api.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": form})["dag_run_id"]

    def run_of(self, dag: str, run_id: str) -> dict:
        """The run, as the UI shows it."""
        return self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")

    def ended(self, dag: str, run_id: str) -> dict:
        """The run, once it is neither queued nor running."""
        return self.until(lambda: self.run_of(dag, run_id), lambda r: r["state"] in ("success", "failed"))

    def until(self, ask, good):
        """The first answer of `ask` that is `good`."""
        deadline = time.monotonic() + PATIENCE_S
        while not good(answer := ask()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.5)
        return answer

    def question(self, dag: str, run_id: str, task: str) -> dict:
        """What a task waits to be told, once it does."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run_id}/hitlDetails"
        asked = self.until(
            lambda: self.api.call("GET", place)["hitl_details"],
            lambda all: any(d["task_instance"]["task_id"] == task for d in all),
        )
        return next(d for d in asked if d["task_instance"]["task_id"] == task)

    def answer(self, dag: str, run_id: str, task: str, option: str) -> None:
        """Answers what a task waits for; an answer before the task's process has ended makes it ask once more."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances/{task}/-1/hitlDetails"
        self.until(lambda: self.states(dag, run_id).get(task), lambda state: state == "awaiting_input")
        while (state := self.states(dag, run_id)[task]) not in ("success", "failed"):
            if state == "awaiting_input" and not self.api.call("GET", place)["response_received"]:
                time.sleep(3)  # a person reads first
                self.choose(place, option)
            time.sleep(1)

    def choose(self, place: str, option: str) -> None:
        """Gives the answer."""
        self.api.call("PATCH", place, {"chosen_options": [option]})

    def states(self, dag: str, run_id: str) -> dict[str, str]:
        """State by task."""
        tasks = self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}

    def runs(self, dag: str) -> list[dict]:
        """Every run of the DAG."""
        return self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    home = tmp_path_factory.mktemp("operator")
    with serving(Webhook()) as webhook, DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | {MARK: str(home)}
        subprocess.run([sys.executable, "-m", "include", "land", "oss_directory"], env=env, check=True)
        with run.airflow(home, env) as api:
            connection = {"connection_id": "openimpact_slack", "conn_type": "http", "password": webhook.url}
            api.call("POST", "/api/v2/connections", connection)
            person = Operator(home, upstreams, api, webhook.messages)
            dags = len(all_sources()) + 8  # transform, publish, maintain, five of operate
            person.until(lambda: api.call("GET", "/api/v2/dags"), lambda found: found["total_entries"] == dags)
            yield person
    assert left_of(str(home)) == [], "Airflow left processes behind"


def test_the_scheduler_made_the_pools(operator):
    pools = {p["name"]: p["slots"] for p in operator.api.call("GET", "/api/v2/pools?limit=100")["pools"]}
    assert pools["iceberg_commit"] == pools["duckdb_file"] == 1 and len(pools) > 8


def test_a_preview_says_what_is_asked_and_what_is_refused(operator):
    run_id = operator.start("operate_preview", RANGE)
    refused = operator.start("operate_preview", {"source": "oss_directory", "from_day": "2025-10-20"})
    assert operator.ended("operate_preview", run_id)["note"] == (
        "github_archive, 2025-10-20 to 2025-10-21: 2 days.\n\n"
        "What a day costs is not known, since none was landed yet: land one first to see."
    )
    ended = operator.ended("operate_preview", refused)
    assert ended["state"] == "failed"
    assert ended["note"].startswith("**Failed.** oss_directory describes today only")
    with pytest.raises(run.DemoFailed, match="400 .*'yesterday' is not a 'date'|Invalid input"):
        operator.start("operate_preview", RANGE | {"from_day": "yesterday"})


def test_a_backfill_waits_for_an_approval_and_a_paused_source_is_told_before(operator):
    paused = operator.ended("operate_backfill", operator.start("operate_backfill", RANGE))
    assert paused["state"] == "failed" and "ingest\\_" not in paused["note"]
    assert "ingest_github_archive is paused" in paused["note"]
    operator.api.unpause(DAG)
    run_id = operator.start("operate_backfill", RANGE)
    assert "2 days" in operator.question("operate_backfill", run_id, "approve")["body"]
    assert operator.runs(DAG) == []
    operator.answer("operate_backfill", run_id, "approve", "Reject")
    assert operator.ended("operate_backfill", run_id)["state"] == "success"
    assert operator.states("operate_backfill", run_id)["start"] == "skipped" and operator.runs(DAG) == []


def test_a_failed_day_says_why_until_it_is_mended_and_cleared(operator):
    hour = f"{BROKEN}-9.json.gz"
    for archive in ("archive", "archive2"):
        operator.upstreams.faults.garbled(f"/{archive}/{hour}", 0.9)
    run_id = operator.start("operate_backfill", RANGE)
    operator.answer("operate_backfill", run_id, "approve", "Approve")
    assert operator.ended("operate_backfill", run_id)["state"] == "success"
    (landing,) = operator.until(lambda: operator.runs(DAG), bool)
    assert landing["conf"] == {"from_day": RANGE["from_day"], "to_day": RANGE["to_day"]}
    failed = operator.ended(DAG, landing["dag_run_id"])
    assert failed["state"] == "failed"
    assert re.match(rf"\*\*Failed.\*\* github_archive: \d+ of \d+ lines of .*{hour} cannot be read", failed["note"])
    (failure,) = operator.until(lambda: open_failures(operator.settings), bool)
    assert (failure.source, failure.day, failure.run_id) == (SOURCE, BROKEN, landing["dag_run_id"])
    assert f"{hour} cannot be read" in failure.error
    (_, text), *more = operator.until(lambda: list(operator.messages), bool)
    assert more == [] and text.startswith("*ingest_github_archive failed*\ngithub_archive: ")
    assert f"/dags/{DAG}/runs/" in text and "Affects: " in text

    operator.upstreams.faults.clear()
    place = f"/api/v2/dags/{DAG}/dagRuns/{landing['dag_run_id']}/clear"
    operator.api.call("POST", place, {"dry_run": False, "only_failed": True})
    mended = operator.ended(DAG, landing["dag_run_id"])
    assert mended["state"] == "success" and not mended["note"]
    assert open_failures(operator.settings) == []


def test_a_rebuild_checks_its_form_and_whether_it_could_run(operator):
    neither = operator.ended("operate_rebuild", operator.start("operate_rebuild", {"from_day": None}))
    assert neither["state"] == "failed" and "Give either from_day or full_refresh" in neither["note"]
    paused = operator.ended("operate_rebuild", operator.start("operate_rebuild", {"full_refresh": True}))
    assert paused["state"] == "failed" and "transform is paused" in paused["note"]


def test_the_watch_tells_each_finding_once(operator):
    operator.messages.clear()
    for told in (1, 1):
        run_id = operator.start("operate_watch", {})
        ended = operator.ended("operate_watch", run_id)
        assert ended["state"] == "success"
        assert "github_archive is late" in ended["note"]
        assert len(operator.messages) == told
