"""The DAG publish: audit ► release ► announce ► docs."""

from datetime import UTC, datetime

from airflow.sdk import DAG, get_current_context, task

from include.airflow_kit.report import alert_of_failed_run, explained
from include.airflow_kit.retries import TASK
from include.airflow_kit.transform import EXPORTS

DOC = """
Audits the exports after every good transform and makes them the current release, all tables at once.
Writes pointers in the consumer catalog (namespaces oso and oso_<release>).

## When it fails
The audit's sentence names the tables. The last good release stays current. Mend the data and clear the task; if the
drop is real, `python -m include release publish --accept-shrunk` releases it.
"""


def build_publish_dag() -> DAG:
    """The DAG that publishes what the transform built."""
    with DAG(
        dag_id="publish",
        description="Tested exports to an immutable release.",
        doc_md=DOC,
        schedule=[EXPORTS],
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "publish", **TASK},
        on_failure_callback=alert_of_failed_run,
        tags=["kind/publish", "tier/1"],
    ) as dag:

        @task
        @explained
        def audit() -> dict:
            """Refuses exports that are missing, empty or shrunk."""
            from include import transform
            from include.settings import load_settings

            return transform.audit(load_settings(), get_current_context()["run_id"])

        @task(pool="iceberg_commit")
        @explained
        def release(rows: dict) -> str:
            """Switches every table in one transaction; returns the release id."""
            from include import transform
            from include.settings import load_settings

            return transform.release(load_settings(), get_current_context()["run_id"]).release_id

        @task
        @explained
        def announce(release_id: str) -> None:
            """Says in the log what readers see now."""
            from include.lake.releases import show_release
            from include.settings import load_settings

            for table in show_release(load_settings(), release_id).tables:
                print(f"{release_id}: {table.name} {table.rows:,} rows")

        @task(pool="duckdb_file")
        @explained
        def docs() -> None:
            """Writes the dbt docs, the lineage page of the navigation."""
            from include.settings import load_settings
            from include.transform.docs import write_docs

            write_docs(load_settings())

        announce(release(audit())) >> docs()
    return dag
