"""The DAG ingest_<source>: check ► fetch ► validate ► commit, then the source's raw assets."""

from datetime import UTC, date, datetime
from pathlib import Path

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, PokeReturnValue, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_kit.report import alert_of_failed_run, explained, of_day, record_failure
from include.airflow_kit.retries import TASK
from include.airflow_kit.windows import last_timed_run
from include.errors import SourceOff, SuspectData
from include.settings import load_settings
from include.sources.base import Source

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT_RUNS = ["scheduled", "manual", "operator_triggered", "asset_materialization"]  # no backfill of what is now


def raw_assets(source: Source) -> list[Asset]:
    """One asset a stream, named raw/<source>/<stream>."""
    return [
        Asset(name=f"raw/{source.name}/{s.name}", uri=f"iceberg://lake/raw/{source.name}__{s.name}")
        for s in source.streams
    ]


def day_param(what: str = "UTC day, YYYY-MM-DD; empty = the run's own") -> Param:
    """A field of the form; each key needs its own, since Airflow keeps the given value in the object."""
    return Param(None, type=["null", "string"], format="date", description_md=what)


def build_ingest_dag(source: Source) -> DAG:
    """The DAG of one registered source; its doc is the source's runbook."""
    schedule = CronDataIntervalTimetable(source.schedule, timezone="UTC") if source.schedule else None
    with DAG(
        dag_id=f"ingest_{source.name}",
        description=source.doc,
        doc_md=(ROOT / source.runbook).read_text(),
        schedule=schedule,
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        end_date=last_timed_run(load_settings()),
        catchup=False,
        allowed_run_types=None if source.window == "day" else SNAPSHOT_RUNS,
        max_active_runs=2 if source.window == "day" else 1,
        params={"from_day": day_param(), "to_day": day_param()},
        default_args={"owner": source.owner, **TASK, "on_failure_callback": record_failure(source)},
        on_failure_callback=alert_of_failed_run,
        tags=["kind/ingest", f"window/{source.window}", f"tier/{source.tier}", f"source/{source.name}"],
    ) as dag:

        @task.sensor(pool=source.pool.name, mode="reschedule", poke_interval=600)
        @explained
        def check() -> PokeReturnValue:
            """Refuses days that the source cannot load, waits until they are published; hands them on in batches."""
            from include import ingest
            from include.airflow_kit.windows import batches, is_published, window_of

            context = get_current_context()
            start, end = context.get("data_interval_start"), context.get("data_interval_end")
            interval, run_type = (start, end) if start and end else None, context["dag_run"].run_type
            window = window_of(source, context["params"], interval, run_type=run_type)
            try:
                ingest.check(source, window, load_settings())
            except SourceOff as off:
                raise AirflowSkipException(str(off)) from None
            return PokeReturnValue(is_published(source, window, datetime.now(UTC)), batches(window))

        @task(pool=source.pool.name)
        @explained
        def fetch(days: list[str]) -> list[str]:
            """Stages every day of a batch as files outside the tables."""
            from include import ingest

            context = get_current_context()
            # with the try in it: a cleared run reads the day again, and its landing must not pass for the former one
            run_id = "".join(c if c.isalnum() else "-" for c in f"{context['run_id']}-{context['ti'].try_number}")
            staged = []
            for day in map(date.fromisoformat, days):
                with of_day(day):
                    staged.append(str(ingest.fetch_day(source, day, load_settings(), run_id)))
            return staged

        @task
        @explained
        def validate(fetched: list[list[str]]) -> list[str]:
            """Runs the Great Expectations suite on the staged files of every day."""
            from include import ingest

            staged = [path for batch in fetched for path in batch]
            for path in staged:
                with of_day(date.fromisoformat(Path(path).name)):
                    try:
                        ingest.validate_run(Path(path), load_settings())
                    except SuspectData as error:
                        again = "When that is mended, clear fetch and what follows: the days are read again."
                        raise SuspectData(f"{error} {again}") from error
            return staged

        @task(pool="iceberg_commit", outlets=raw_assets(source))
        @explained
        def commit(staged: list[str]) -> int:
            """Replaces each day in the raw tables, then clears what old runs left staged; returns how many days."""
            from include import ingest

            for path in staged:
                with of_day(date.fromisoformat(Path(path).name)):
                    ingest.commit_run(Path(path), load_settings())
            ingest.clean_staging(load_settings())
            return len(staged)

        commit(validate(fetch.expand(days=check())))
    return dag
