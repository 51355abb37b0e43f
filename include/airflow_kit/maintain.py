"""The DAG maintain: compact ► expire ► remove_files, and Airflow's own database beside them."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_kit.retries import TASK
from include.airflow_kit.windows import last_timed_run
from include.errors import Unavailable
from include.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
NO_DATABASE = 3  # exit status of include.airflow_kit.metadata: the configuration names none, or an empty one
KEEP_DAYS = 90  # of runs, logs of events and task states in Airflow's database
DOC = """
Keeps the lake small, every Sunday at 03:00 UTC: merges small files, expires snapshots that nothing needs, removes
files that nothing refers to and staged files of dead runs, and old rows of Airflow's own database (90 days stay).
Writes no row. Retained releases, recorded builds and landings under way keep all they need. Each task's log says what
it freed; `python -m include maintain --dry-run` tells beforehand.

## When it fails
Nothing is lost and nothing waits for it: clear the failed task, or leave it to the next Sunday. The log says why in
one sentence. `airflow_metadata` is skipped where tasks cannot find Airflow's database (docs/operating.md, Maintenance).
"""


def build_maintain_dag() -> DAG:
    """The DAG of the weekly upkeep."""
    with DAG(
        dag_id="maintain",
        description="Small files, old snapshots, orphaned files, old rows of Airflow's database.",
        doc_md=DOC,
        schedule=CronTriggerTimetable("0 3 * * 0", timezone="UTC"),
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        end_date=last_timed_run(load_settings()),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "maintain", **TASK},
        tags=["kind/maintain", "tier/2"],
    ) as dag:

        @task(pool="iceberg_commit")
        def compact_raw() -> list[dict]:
            """Merges small files of raw tables; no landing commits meanwhile."""
            from include.lake import maintenance

            return _shown(maintenance.compact(load_settings(), ["raw"]))

        @task(pool="duckdb_file")
        def compact_models() -> list[dict]:
            """Merges small files of the tables that dbt and the exports write; no build runs meanwhile."""
            from include.lake import maintenance

            return _shown(
                maintenance.compact(load_settings(), ["seeds", "staging", "intermediate", "metrics", "exports"])
            )

        @task(pool="iceberg_commit")
        def expire() -> list[dict]:
            """Expires old snapshots."""
            from include.lake import maintenance

            return _shown(maintenance.expire_snapshots(load_settings()))

        @task
        def remove_files() -> list[dict]:
            """Removes what nothing refers to, and staged files of dead runs."""
            from include import ingest
            from include.lake import maintenance

            settings = load_settings()
            removed = maintenance.remove_orphans(settings)
            runs, freed = ingest.clean_staging(settings)
            return _shown([*removed, maintenance.Upkeep(table="staged files of dead runs", files=runs, bytes=freed)])

        @task
        def airflow_metadata() -> dict[str, int]:
            """Removes rows older than KEEP_DAYS from Airflow's database; returns how many by table."""
            return clean_metadata(KEEP_DAYS)

        [compact_raw(), compact_models()] >> expire() >> remove_files()
        airflow_metadata()
    return dag


def clean_metadata(days: int) -> dict[str, int]:
    """Runs include.airflow_kit.metadata in a process of its own, since a task has no access to Airflow's database.

    The process finds the database as the scheduler does, but for AIRFLOW__DATABASE__SQL_ALCHEMY_CONN, which Airflow
    hides from tasks.

    Raises:
        AirflowSkipException: it finds none.
        Unavailable: the clean-up failed.
    """
    hidden = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN"}
    env = {k: v for k, v in os.environ.items() if k not in hidden} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "include.airflow_kit.metadata", str(days)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode == NO_DATABASE:
        raise AirflowSkipException(
            "Tasks cannot find Airflow's database here. Give its address by AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD "
            "or in airflow.cfg, or run `airflow db clean` beside the scheduler (docs/operating.md, Maintenance)."
        )
    if done.returncode:
        raise Unavailable(f"Airflow's database was not cleaned up; its rows stay. {done.stderr.strip()[-600:]}")
    removed = json.loads(done.stdout.splitlines()[-1])  # Airflow may log before it
    print("\n".join(f"{table:<40}{rows:>10,} rows removed" for table, rows in removed.items()) or "nothing was old")
    return removed


def _shown(done: list) -> list[dict]:
    from include.lake.maintenance import describe

    print(describe(done))
    return [asdict(one) for one in done]
