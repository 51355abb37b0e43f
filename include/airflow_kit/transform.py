"""The DAG transform: raw assets ► plan ► dbt by layer ► the exports asset."""

from datetime import UTC, datetime
from functools import reduce
from operator import or_

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable, Param, get_current_context, task

from include.airflow_kit.ingest import raw_assets
from include.airflow_kit.report import alert_of_failed_run, explained
from include.airflow_kit.retries import TASK
from include.airflow_kit.windows import last_timed_run
from include.settings import load_settings
from include.sources.base import Source

EXPORTS = Asset(name="exports", uri="iceberg://lake/exports")
DOC = """
Builds and tests the dbt models of every layer after a source landed something, and once a day as a safety net.
Writes the schemas staging, intermediate, metrics and exports; what to rebuild comes from the lake's snapshots.

## When it fails
The log names the failed models and tests. Mend the cause, then clear the failed task: it builds the same layer
again. Nothing is published, and the next good run makes up for it.
"""


def earlier(planned: str, asked: str | None) -> str:
    """From where to build: the earlier of two ISO days, of which "all" is the earliest."""
    return "all" if "all" in (planned, asked) else min(planned, asked or planned)


def build_transform_dag(sources: list[Source]) -> DAG:
    """The DAG that rebuilds what landed since the last good build."""
    with DAG(
        dag_id="transform",
        description="Raw tables to tested exports.",
        doc_md=DOC,
        schedule=AssetOrTimeSchedule(
            timetable=CronTriggerTimetable("0 7 * * *", timezone="UTC"),
            assets=reduce(or_, [asset for source in sources for asset in raw_assets(source)]),
        ),
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        end_date=last_timed_run(load_settings()),
        catchup=False,
        max_active_runs=1,
        params={
            "rebuild_from": Param(
                None,
                type=["null", "string"],
                pattern=r"^(all|\d{4}-\d{2}-\d{2})$",
                description_md="UTC day from which to build anew, or `all`; empty = what landed since the last build",
            )
        },
        default_args={"owner": "transform", **TASK},
        on_failure_callback=alert_of_failed_run,
        tags=["kind/transform", "tier/1"],
    ) as dag:

        @task
        @explained
        def plan() -> dict:
            """Which days changed, by the snapshots of the raw tables; a person may ask for more."""
            from include import ingest, transform

            settings, context = load_settings(), get_current_context()
            ingest.ensure_raw_tables(settings)
            work = transform.plan(settings, context["run_id"])
            return work | {"rebuild_from": earlier(work["rebuild_from"], context["params"]["rebuild_from"])}

        def layer(name: str, **options):
            @task(task_id=name, pool="duckdb_file", **options)
            @explained
            def build(work: dict) -> dict:
                """One dbt build of the layer and its tests."""
                from include import transform

                settings, run_id = load_settings(), get_current_context()["run_id"]
                transform.build_layer(settings, name, work, run_id)
                if name == "exports":
                    transform.finish(settings, work)
                return work

            return build

        layer("exports", outlets=[EXPORTS])(layer("metrics")(layer("intermediate")(plan())))
    return dag
