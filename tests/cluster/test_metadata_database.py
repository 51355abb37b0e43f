"""Airflow on PostgreSQL, which is restarted while a task runs: its day lands once and whole, and the status says so."""

import pytest

from demo import run
from demo.server import DemoServer
from tests.cluster.servers import DATABASE, HOST, OWNER
from tests.demo.processes import MARK, left_of, pids
from tests.demo.scheduled import DAG, land, until
from tests.faults.test_killed import DAGS, DAYS, SOON, Killable, hour


@pytest.mark.slow
def test_the_metadata_database_is_restarted_while_a_task_runs(database, tmp_path):
    home, (before, day) = tmp_path / "home", DAYS[:2]
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "shared_pool.py").write_text(DAGS)
    address = f"postgresql+psycopg2://{OWNER}:{database.keys[OWNER]}@{HOST}:{database.pg_port}/{DATABASE}"
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | SOON
        env |= {MARK: str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
        del env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS"]  # SQLite's
        env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = address
        land(home, upstreams.base_url, [before])
        true = land(tmp_path / "truth", upstreams.base_url, [before, day])
        with run.airflow(home, env) as api:
            api.call("POST", "/api/v2/pools", {"name": "shared", "slots": 1})
            api.unpause(DAG)
            airflow = Killable(home, upstreams, env, api, truth=true)
            try:
                run_id = airflow.trigger(DAG, [day])
                with airflow.held(hour(day), 12):
                    database.restart_database(away_s=3)
                    status = airflow.archive()
                    assert status.mark(before) == "landed" and status.mark(day) == "missing"
                # Airflow's scheduler ends without its database, and whoever watches over it starts it again
                until(lambda: not pids(str(home), "airflow scheduler"))
                airflow.start("scheduler")
                airflow.wait(DAG, run_id)
                assert airflow.content(airflow.settings, day) == airflow.content(true, day)
                assert airflow.archive().mark(day) == "landed"
            finally:
                airflow.stop()
    assert left_of(str(home)) == [], "Airflow left processes behind"
