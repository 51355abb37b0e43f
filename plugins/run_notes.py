"""What only the scheduler may write: the pools at its start, and at a run's end the note that its tasks left."""

import sys

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

FAILED = "**Failed.** "
OURS = "kind/"  # the tags of this project's DAGs


class RunNotes:
    """Airflow calls it; a note that a person wrote stays."""

    @hookimpl
    def on_starting(self, component):
        """Makes the pools that do not exist yet; slots that an operator changed stay."""
        from airflow.jobs.job import Job

        if isinstance(component, Job) and "scheduler" in sys.argv:  # a task starts too, without a database
            make_pools()

    @hookimpl
    def on_dag_run_failed(self, dag_run, msg):
        """The sentence of each task that failed."""
        from include.airflow_kit.report import ERROR, sentence_of
        from include.notify import as_markdown

        if any(tag.startswith(OURS) for tag in dag_run.get_dag().tags):
            errors = dict.fromkeys(f"{as_markdown(text)} ({task})" for task, text in _xcoms(dag_run, ERROR))
            _write(dag_run, FAILED + "\n\n".join(list(errors)[:5] or [sentence_of(None)]))

    @hookimpl
    def on_dag_run_success(self, dag_run, msg):
        """What the tasks have to say; a former failure is no news any more."""
        from include.airflow_kit.report import NOTE

        if said := "\n\n".join(text for _, text in _xcoms(dag_run, NOTE)):
            _write(dag_run, said)
        elif (dag_run.note or "").startswith(FAILED):
            dag_run.dag_run_note = None


def make_pools() -> None:
    """One pool an upstream, one writer of the lake, one dbt."""
    from airflow.models.pool import Pool

    from include.sources import all_sources

    pools = {"iceberg_commit": (1, "one writer of the lake"), "duckdb_file": (1, "one dbt")}
    pools |= {source.pool.name: (source.pool.slots, f"quota of {source.name}") for source in all_sources()}
    for name, (slots, description) in pools.items():
        if Pool.get_pool(name) is None:
            Pool.create_or_update_pool(name, slots, description, include_deferred=False)


def _xcoms(dag_run, key: str) -> list[tuple[str, str]]:
    """(task, text) of the run's tasks that left one."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    wanted = select(XComModel).where(XComModel.dag_run_id == dag_run.id, XComModel.key == key)
    rows = object_session(dag_run).scalars(wanted.order_by(XComModel.timestamp))
    return [(row.task_id, str(XComModel.deserialize_value(row))) for row in rows]


def _write(dag_run, text: str) -> None:
    note = dag_run.dag_run_note
    if note is None or note.user_id is None:
        dag_run.note = text[:1000]


class Plugin(AirflowPlugin):
    """Registers the listener."""

    name = "openimpact_run_notes"
    listeners = [RunNotes()]
