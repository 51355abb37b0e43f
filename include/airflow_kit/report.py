"""What a failure says, and to whom: the task's log, the run's note, the lake's list of failed days, an alert.

A task cannot write a note. It leaves its sentence as an XCom, which the listener of plugins/run_notes.py, in the
scheduler, makes the note when the run ends.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import wraps

from airflow.sdk import Connection, get_current_context
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from include.airflow_kit.windows import window_of
from include.errors import OpenImpactError, WindowRefused
from include.notify import Alert, as_html, one_line, post
from include.settings import load_settings
from include.sources.base import Source

ERROR = "openimpact_error"  # keys of XComs that become a run's note: when it fails,
NOTE = "openimpact_note"  # and in any case; this one is Markdown
log = logging.getLogger("openimpact.report")


def sentence_of(error: BaseException | None) -> str:
    """What a person is told: our own errors are sentences; of others only the kind, as their text may hold keys."""
    if isinstance(error, OpenImpactError):
        return one_line(str(error).partition("\n")[0])
    kind = f"an error nobody foresaw ({type(error).__name__})" if isinstance(error, Exception) else "no word of why"
    return f"It ended with {kind}. Its log has the details; clear the task when the cause is gone."


def explained(function: Callable) -> Callable:
    """The task function; why it fails is the last line of its log, and left for the run's note."""

    @wraps(function)
    def run(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except AirflowSkipException:
            raise
        except Exception as error:
            sentence = sentence_of(error)
            try:
                get_current_context()["ti"].xcom_push(key=ERROR, value=sentence)
            except Exception as away:  # retries go by the task's own error
                log.warning("The run's note will lack the reason (%s).", type(away).__name__)
            log.error("%s", sentence)
            raise

    return run


@contextmanager
def of_day(day: date) -> Iterator[None]:
    """An error inside is one of this day."""
    try:
        yield
    except Exception as error:
        error.day = day
        raise


def record_failure(source: Source) -> Callable[[dict], None]:
    """The callback of an ingest task that is tried no more: its day, else all of its run, is remembered as failed."""

    def on_failure(context: dict) -> None:
        from include.lake.failures import record

        error = context.get("exception")
        if isinstance(error, WindowRefused):  # nothing is missing
            return
        days = [error.day] if hasattr(error, "day") else _days_of(source, context)
        record(load_settings(), source.name, days, sentence_of(error), context["run_id"])

    return on_failure


def _days_of(source: Source, context: dict) -> list[date]:
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    run_type = context["dag_run"].run_type
    return window_of(source, context["params"], (start, end) if start and end else None, run_type=run_type).days()


def alert_of_failed_run(context: dict) -> None:
    """The callback of a DAG whose run failed: one alert, which names the sentences of its tasks and what it affects."""
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    found = context["ti"].xcom_pull(task_ids=context["dag"].task_ids, key=ERROR) if "ti" in context else []
    why = tuple(dict.fromkeys(filter(None, found)))[:5] or (sentence_of(None),)
    notify(Alert(what=f"{dag_id} failed", why=why, affects=stale_without(dag_id), link=link_of(dag_id, run_id)))


def stale_without(dag_id: str) -> str:
    """What stays as it was while the DAG has no good run."""
    if not dag_id.startswith("ingest_"):
        return "what readers see: the last good release stays current"
    from include.status import read_status, some

    try:
        sources = {source.name: source for source in read_status(load_settings()).sources}
        metrics = sources[dag_id.removeprefix("ingest_")].metrics
    except Exception as error:  # an alert goes out above all when the lake does not answer
        log.warning("What stays stale is not known (%s).", type(error).__name__)
        metrics = ()
    return f"{some(metrics) if metrics else 'what is built from it'}; the former rows stay"


def link_of(dag_id: str, run_id: str) -> str:
    """The run's page in the Airflow UI."""
    from urllib.parse import quote

    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def notify(alert: Alert) -> list[str]:
    """Sends the alert by every connection that is set; returns the ways it went. One that fails is logged only.

    openimpact_slack: the password is the webhook's URL. openimpact_smtp: an SMTP connection of Airflow's provider,
    whose extra has from_email and, comma-separated, to_email.
    """
    return [way for way, send in (("slack", _to_slack), ("smtp", _by_mail)) if _sent(f"openimpact_{way}", send, alert)]


def _sent(connection_id: str, send: Callable, alert: Alert) -> bool:
    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return False
    try:
        send(connection, alert)
    except Exception as error:
        log.error("The alert was not sent by %s: %s", connection_id, sentence_of(error))
        return False
    return True


def _to_slack(connection: Connection, alert: Alert) -> None:
    post(connection.password or "", alert)


def _by_mail(connection: Connection, alert: Alert) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    to = [address.strip() for address in connection.extra_dejson.get("to_email", "").split(",") if address.strip()]
    with SmtpHook(smtp_conn_id=connection.conn_id) as smtp:
        smtp.send_email_smtp(to=to, subject=f"OpenImpact: {one_line(alert.what)}", html_content=as_html(alert))
