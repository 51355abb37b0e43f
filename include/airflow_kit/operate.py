"""The DAGs that a person starts: preview, backfill, rebuild and roll-back; and the watch, which has a clock."""

from datetime import UTC, date, datetime, timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, Variable, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_kit.ingest import day_param
from include.airflow_kit.report import NOTE, explained, link_of, notify
from include.airflow_kit.retries import TASK
from include.airflow_kit.windows import window_of
from include.errors import FixNeeded
from include.notify import Alert
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Source

PATIENCE = timedelta(days=3)  # then what nobody approved is rejected
# Airflow 3.3.2 takes a question that is answered before its process has ended for killed, and asks again
ASKED_AGAIN = {"retry_delay": timedelta(seconds=10), "retry_exponential_backoff": 0}
KEEP = "keep the current release"
KNOWN = "openimpact_watch"  # an Airflow variable: keys of the findings of the last run


def build_preview_dag(sources: list[Source]) -> DAG:
    """What a backfill would fetch and cost; starts nothing."""
    doc = """
Says what landing days of a source would fetch and cost, by what former days cost: requests, bytes, points of a quota.
Starts nothing and writes nothing but its own log, note and XCom.

## When it fails
The sentence in the note says which field of the form is wrong or why the source cannot load these days.
"""
    with _dag("preview", "What a backfill would fetch and cost.", doc, _range_form(sources)) as dag:
        _preview()
    return dag


def build_backfill_dag(sources: list[Source]) -> DAG:
    """Preview ► a person approves ► one run of ingest_<source> over the range."""
    doc = """
Lands a range of days of one source in one run of `ingest_<source>`, after a person saw what it costs and approved.
The build and the release follow by themselves. One run a day instead: the Backfill button of `ingest_<source>`.

## When it fails
The sentence in the note says which field of the form is wrong or why the source cannot load these days. When the
started run fails, clear its failed tasks there: batches that were fetched are not fetched again.
"""
    with _dag("backfill", "Lands a range of days after approval.", doc, _range_form(sources)) as dag:
        asked = _preview(starts=True)
        start = TriggerDagRunOperator(
            task_id="start",
            trigger_dag_id="ingest_{{ params.source }}",
            logical_date=None,
            conf={day: f"{{{{ ti.xcom_pull(task_ids='preview')['{day}'] }}}}" for day in ("from_day", "to_day")},
            note="Started by operate_backfill.",
        )
        asked >> _approval("Land these days?", f"{{{{ ti.xcom_pull(task_ids='preview', key='{NOTE}') }}}}") >> start
    return dag


def build_rebuild_dag() -> DAG:
    """One run of transform from a day on; of everything only after a person approved."""
    doc = """
Builds the dbt models anew from a day on, or everything. The days after it are built too, since rolling numbers look
back. The release follows by itself. A full refresh needs an approval: it reads every landed day again.

## When it fails
The sentence in the note says which field of the form is wrong. A started run of `transform` that fails is cleared
there.
"""
    form = {
        "from_day": day_param("UTC day, YYYY-MM-DD, from which to build anew; empty with full refresh"),
        "full_refresh": Param(False, type="boolean", description_md="everything, after an approval"),
    }
    with _dag("rebuild", "Builds the models anew from a day on, or all.", doc, form, max_active_runs=1) as dag:

        @task.branch
        @explained
        def choose() -> str:
            """Checks the form; a full refresh waits for an approval."""
            params = get_current_context()["params"]
            if bool(params["from_day"]) == params["full_refresh"]:
                raise FixNeeded("Give either from_day or full_refresh, not both and not neither; nothing was started.")
            today = datetime.now(UTC).date()
            if params["from_day"] and date.fromisoformat(params["from_day"]) > today:
                raise FixNeeded(f"from_day {params['from_day']} is after today, {today} UTC; nothing was started.")
            _refuse_paused("transform")
            return "approve" if params["full_refresh"] else "start"

        chosen = choose()
        start = TriggerDagRunOperator(
            task_id="start",
            trigger_dag_id="transform",
            logical_date=None,
            conf={"rebuild_from": "{{ 'all' if params.full_refresh else params.from_day }}"},
            note="Started by operate_rebuild.",
            trigger_rule="none_failed_min_one_success",
        )
        chosen >> _approval("Build everything anew?", "Every model is built from every landed day.") >> start
        chosen >> start
    return dag


def build_rollback_dag() -> DAG:
    """A person chooses a retained release ► sees what changes and approves ► it is current."""
    doc = """
Makes a retained release the current one again, all tables at once. Choose it under Required Actions, then approve.
The next good run of `publish` makes a new release current: pause `publish` to prevent that.

## When it fails
The sentence in the note says why; the current release stays.
"""
    with _dag("rollback", "Makes a retained release current.", doc, {}, max_active_runs=1) as dag:

        @task
        @explained
        def releases() -> list[str]:
            """The retained releases but the current one, newest first, and the choice to change nothing."""
            from include.lake.releases import list_releases

            known = list_releases(load_settings())
            if not (others := [release.release_id for release in known if not release.current]):
                raise FixNeeded("There is no other release to roll back to: none is retained but the current one.")
            lines = [
                f"- `{r.release_id}`{' (current)' if r.current else ''}: {r.published_at:%Y-%m-%d %H:%M} UTC, "
                f"{sum(t.rows for t in r.tables):,} rows in {len(r.tables)} tables"
                for r in known
            ]
            get_current_context()["ti"].xcom_push(key=NOTE, value="\n".join(lines))
            return [*others, KEEP]

        class Choice(HITLOperator):
            """One of the options that a task before it found."""

            template_fields = (*HITLOperator.template_fields, "options")

        @task
        @explained
        def compare(answer: dict) -> str:
            """What the chosen release would change; skips the rest when nothing is to change."""
            from include.lake.releases import show_release

            (chosen,) = answer["chosen_options"]
            if chosen == KEEP:
                raise AirflowSkipException("The current release stays.")
            old, new = (show_release(load_settings(), which) for which in ("current", chosen))
            before, after = ({t.name: t.rows for t in release.tables} for release in (old, new))
            rows = [
                f"| {name} | {before.get(name, 0):,} | {after.get(name, 0):,} |"
                for name in sorted(before.keys() | after.keys())
                if before.get(name) != after.get(name)
            ]
            text = f"From `{old.release_id}` to `{new.release_id}`: every table has as many rows in both."
            if rows:
                head = [f"From `{old.release_id}` to `{new.release_id}`; rows of the tables that differ:", ""]
                text = "\n".join([*head, "| table | now | then |", "|---|---:|---:|", *rows])
            get_current_context()["ti"].xcom_push(key="body", value=text)
            return chosen

        @task(pool="iceberg_commit")
        @explained
        def roll_back(chosen: str) -> str:
            """Switches every table in one transaction."""
            from include.lake import releases

            releases.roll_back(load_settings(), chosen)
            get_current_context()["ti"].xcom_push(key=NOTE, value=f"Release `{chosen}` is current.")
            return chosen

        found = releases()
        choice = Choice(
            task_id="choose",
            subject="Which release should be current?",
            options=found,
            body=f"{{{{ ti.xcom_pull(task_ids='releases', key='{NOTE}') }}}}",
            response_timeout=PATIENCE,
            **ASKED_AGAIN,
        )
        chosen = compare(choice.output)
        approve = _approval("Roll back?", "{{ ti.xcom_pull(task_ids='compare', key='body') }}")
        chosen >> approve >> roll_back(chosen)
    return dag


def build_watch_dag() -> DAG:
    """Looks every three hours for what is wrong without a failed run, and says what is new."""
    doc = """
Looks for sources that are late, days with far fewer rows than the days before, and metrics that are less often ok than
in the release before. What is new since its last run goes out as one alert; its note lists all that is wrong.

## When it fails
The lake does not answer. Failed runs are told by the runs themselves.
"""
    timetable = CronTriggerTimetable("15 */3 * * *", timezone="UTC")
    with _dag("watch", "Late sources, small days, worse metrics.", doc, {}, timetable, max_active_runs=1) as dag:

        @task
        @explained
        def watch() -> list[str]:
            """Alerts of what the former run did not know; returns the keys of all findings."""
            from include.watch import findings

            context = get_current_context()
            known = Variable.get(KNOWN, default=[], deserialize_json=True)
            found = findings(load_settings())
            new = tuple(finding.sentence for finding in found if finding.key not in known)
            for finding in found:
                print(finding.sentence)
            if found:
                context["ti"].xcom_push(key=NOTE, value="\n".join(f"- {finding.sentence}" for finding in found))
            if new:
                what = f"{len(new)} thing{'s' if len(new) > 1 else ''} went wrong"
                notify(Alert(what=what, why=new[:10], link=link_of("operate_watch", context["run_id"])))
            keys = [finding.key for finding in found]
            Variable.set(KNOWN, keys, description="What operate_watch has told and is not mended", serialize_json=True)
            return keys

        watch()
    return dag


def _dag(verb: str, description: str, doc: str, params: dict, schedule=None, **options) -> DAG:
    return DAG(
        dag_id=f"operate_{verb}",
        description=description,
        doc_md=doc,
        schedule=schedule,
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        catchup=False,
        params=params,
        default_args={"owner": "operate", **TASK},
        tags=["kind/operate", "tier/1"],
        **options,
    )


def _range_form(sources: list[Source]) -> dict[str, Param]:
    return {
        "source": Param(sources[0].name, type="string", enum=[source.name for source in sources]),
        "from_day": day_param("first UTC day, YYYY-MM-DD; empty for a source that knows only today"),
        "to_day": day_param("last UTC day, included; empty = from_day"),
    }


def _preview(starts: bool = False):
    @task
    @explained
    def preview() -> dict:
        """The days, and what they cost about; `starts` wants the source's DAG to be on."""
        from include.preview import as_markdown
        from include.preview import preview as estimate

        context = get_current_context()
        source = get_source(context["params"]["source"])
        found = estimate(source, window_of(source, context["params"], None), load_settings())
        if starts:
            _refuse_paused(f"ingest_{source.name}")
        text = as_markdown(found)
        print(text)
        context["ti"].xcom_push(key=NOTE, value=text)
        days = {"from_day": found.first.isoformat(), "to_day": found.last.isoformat(), "days": found.days}
        return days | {"landed_before": found.again, "cost_a_day": found.cost}

    return preview()


def _approval(subject: str, body: str) -> ApprovalOperator:
    return ApprovalOperator(
        task_id="approve",
        subject=subject,
        body=body,
        defaults=ApprovalOperator.REJECT,
        response_timeout=PATIENCE,
        **ASKED_AGAIN,
    )


def _refuse_paused(dag_id: str) -> None:
    if get_current_context()["ti"].get_dag(dag_id).is_paused:
        raise FixNeeded(f"{dag_id} is paused, so the run would wait: switch it on, then clear this task.")
