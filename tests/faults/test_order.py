"""Days and landings out of order: a gap after days off, a landing during a build, a run longer than its interval."""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from demo import oracle, run
from demo.oracle import compare
from demo.oracle.others import STOCKS
from demo.server import DemoServer, Fault
from include.lake.catalog import open_catalog
from tests.demo.processes import MARK, left_of
from tests.demo.scheduled import ACTIVE, DAG, Scheduled, land, until

pytestmark = pytest.mark.slow
DAYS = [date(2025, 10, 16) + timedelta(days=n) for n in range(7)]
LAST_GOOD, *OFF, NEWEST = DAYS  # Airflow was off for five days
NOW = datetime(2025, 10, 23, 12, tzinfo=UTC)
SECONDS = 8
DAGS = f"""
import os
from dataclasses import replace
from datetime import timedelta

from include.airflow_kit import build_ingest_dag, build_publish_dag, build_transform_dag
from include.airflow_kit.retries import TASK
from include.sources import all_sources, get_source

TASK["retry_delay"] = timedelta(seconds=5)
build_transform_dag(all_sources())
build_publish_dag()
for source in all_sources():
    if source.name != "ecb_rates":
        build_ingest_dag(replace(source, restate_days=0))
del os.environ["OPENIMPACT_LAST_DAY"]  # its clock goes on
build_ingest_dag(replace(get_source("ecb_rates"), schedule="* * * * * */{SECONDS}"))
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """With the registry and the last good day landed."""
    home = tmp_path_factory.mktemp("order")
    (home / "dags").mkdir()
    (home / "dags" / "order.py").write_text(DAGS)
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url)
        env |= {MARK: str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
        land(home, upstreams.base_url, [LAST_GOOD])
        with run.airflow(home, env) as api:
            api.unpause(DAG)
            running = Scheduled(home, upstreams, env, api)
            try:
                yield running
            finally:
                running.stop()
    assert left_of(str(home)) == [], "Airflow left processes behind"


def archive(airflow):
    return next(source for source in airflow.status(NOW).sources if source.name == "github_archive")


def test_the_gap_of_days_off_is_told_until_a_backfill_closes_it(airflow):
    found = archive(airflow)
    assert (found.state, found.lag, found.missing) == ("late", 6, ())
    assert {day for day in DAYS if found.mark(day) == "missing"} == {*OFF, NEWEST}

    for place in ("archive", "archive2"):
        airflow.upstreams.faults.unavailable(f"/{place}/{NEWEST}-11.json.gz", times=-1, status=404)
    airflow.wait(DAG, airflow.trigger(DAG, [NEWEST]))
    found = archive(airflow)
    assert (found.state, found.lag, found.missing) == ("incomplete", 0, tuple(OFF))
    assert [(gap.days, gap.parts) for gap in found.gaps] == [((NEWEST,), ("11",))]

    body = {"dag_id": DAG, "from_date": f"{OFF[0]}T00:00:00Z", "to_date": f"{OFF[-1]}T00:00:00Z"}
    body |= {"max_active_runs": 2, "reprocess_behavior": "none"}
    airflow.backfill(lambda: airflow.api.call("POST", "/api/v2/backfills", body))
    assert airflow.runs("backfill") == dict.fromkeys(OFF, "success")
    found = archive(airflow)
    assert (found.lag, found.missing) == (0, ())
    assert [day for day in DAYS if found.mark(day) != "landed"] == [NEWEST]


def test_what_lands_while_a_build_runs_is_built_by_the_next(airflow):
    (landing,) = [r["dag_run_id"] for r in airflow.every(DAG) if r["run_type"] == "manual"]
    for dag in ("transform", "publish"):
        airflow.api.unpause(dag)
    first = airflow.trigger("transform")
    until(lambda: tasks(airflow, first).get("intermediate") == "success", 240)
    dbt_slots(airflow, 0)

    airflow.upstreams.faults.clear()
    airflow.api.call("POST", f"/api/v2/dags/{DAG}/dagRuns/{landing}/clear", {"dry_run": False})
    airflow.wait(DAG, landing)
    assert airflow.state("transform", first) == "running", "the build ended before the landing"
    status = airflow.status(NOW)
    assert archive(airflow).state == "ok" and status.unfinished == first

    dbt_slots(airflow, 1)
    airflow.wait("transform", first)
    status = airflow.status(NOW)
    assert (status.to_build, status.behind) == (f"from {NEWEST}", ("github_archive",))
    until(lambda: len(airflow.every("transform")) == 2)
    (second,) = {r["dag_run_id"] for r in airflow.every("transform")} - {first}
    airflow.wait("transform", second)
    until(lambda: len(airflow.every("publish")) == 2 and not ACTIVE & {r["state"] for r in airflow.every("publish")})
    status = airflow.status(NOW)
    assert (status.to_build, status.unfinished, status.unreleased, status.broken) == ("nothing", None, (), ())

    published = compare.read(open_catalog(airflow.settings, "consumer"))
    published.rows = {key: row for key, row in published.rows.items() if key[4] not in STOCKS}
    published.metrics -= {("GITHUB", metric) for metric in STOCKS}  # no snapshot was landed
    truth = oracle.Oracle(oracle.observe(DAYS[0], DAYS[-1]))
    assert compare.complaint(compare.compare(published, [truth], sources={"GITHUB"})) is None


def test_a_run_longer_than_its_interval_is_not_joined_by_the_next(airflow):
    dag, path = "ingest_ecb_rates", "/eurofxref-hist.zip"
    airflow.upstreams.faults.add(path, Fault(hang_s=3 * SECONDS))
    airflow.api.unpause(dag)
    until(lambda: airflow.upstreams.requests[path])
    time.sleep(2 * SECONDS)
    assert [run["state"] for run in airflow.every(dag)].count("running") == 1
    until(lambda: [run["state"] for run in airflow.every(dag)].count("success") >= 3)
    airflow.api.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": True})
    until(lambda: not ACTIVE & {run["state"] for run in airflow.every(dag)})
    fetched = sorted((t["start_date"], t["end_date"]) for t in airflow.tasks(dag) if t["task_id"] == "fetch")
    assert len(fetched) >= 3 and all(one[1] <= other[0] for one, other in pairwise(fetched))
    assert {run["state"] for run in airflow.every(dag)} == {"success"}
    rates = open_catalog(airflow.settings, "lake").load_table("raw.ecb_rates__rates").scan().to_arrow().to_pylist()
    assert rates and len({(rate["currency"], rate["rate_on"]) for rate in rates}) == len(rates)
    found = next(source for source in airflow.status(datetime.now(UTC)).sources if source.name == "ecb_rates")
    assert (found.state, found.last_day, found.failed) == ("ok", datetime.now(UTC).date(), frozenset())


def dbt_slots(airflow, slots: int) -> None:
    """Opens or closes the pool of the builds."""
    body = {"pool": "duckdb_file", "slots": slots, "include_deferred": False}
    airflow.api.call("PATCH", "/api/v2/pools/duckdb_file", body)


def tasks(airflow, run_id: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in airflow.tasks("transform", run_id)}
