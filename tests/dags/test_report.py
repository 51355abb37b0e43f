"""What a failure says, and that its alert reaches a real webhook and a real mail server."""

import email
import email.policy
import json
import logging
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.airflow_kit import report
from include.errors import SuspectData, Unavailable, WindowRefused
from include.lake.failures import open_failures
from include.notify import Alert, as_markdown
from include.settings import load_settings
from include.sources import get_source
from tests.dags.servers import MailServer, Webhook, serving

ROOT = Path(__file__).parents[2]
HOSTILE = "rows <!channel> @everyone ![x](http://evil/) <b>bold</b>\r\nBcc: all@ex.org"
ALERT = Alert(what="ingest_npm failed", why=(HOSTILE,), affects="key_metrics_v1", link="http://127.0.0.1/dags/a/runs/b")


@pytest.fixture
def webhook(monkeypatch):
    with serving(Webhook()) as server:
        connection = {"conn_type": "http", "password": server.url}
        monkeypatch.setenv("AIRFLOW_CONN_OPENIMPACT_SLACK", json.dumps(connection))
        yield server


@pytest.fixture
def mails(monkeypatch):
    with serving(MailServer()) as server:
        extra = {"from_email": "oi@ex.org", "to_email": "a@ex.org, b@ex.org", "disable_tls": True, "disable_ssl": True}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_OPENIMPACT_SMTP", json.dumps(connection))
        yield server.mails


def test_without_connections_nobody_is_told(airflow_database):
    assert report.notify(ALERT) == []


def test_an_alert_reaches_the_webhook_and_nothing_in_it_is_markup(airflow_database, webhook):
    assert report.notify(ALERT) == ["slack"]
    ((path, text),) = webhook.messages
    assert path == "/services/T0/B0/SECRET"
    what, why, affects, link = text.split("\n")
    assert what == "*ingest_npm failed*" and affects == "Affects: key_metrics_v1" and link == ALERT.link
    assert "&lt;!channel&gt;" in why and "<" not in why and "@e" not in why


def test_an_alert_reaches_every_mail_address_and_adds_no_header(airflow_database, mails):
    assert report.notify(ALERT) == ["smtp"]
    ((recipients, raw),) = mails
    assert recipients == ["a@ex.org", "b@ex.org"]
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Subject"] == "OpenImpact: ingest_npm failed" and mail["Bcc"] is None
    body = mail.get_body(("html",)).get_content()
    assert "&lt;b&gt;bold&lt;/b&gt;" in body and "<b>bold" not in body and f'href="{ALERT.link}"' in body


def test_a_webhook_that_refuses_keeps_no_mail_back_and_its_address_secret(airflow_database, webhook, mails, caplog):
    webhook.status = 404
    with caplog.at_level(logging.INFO):
        assert report.notify(ALERT) == ["smtp"]
    assert "not sent by openimpact_slack" in caplog.text and "404" in caplog.text
    assert "SECRET" not in caplog.text


def test_a_note_shows_an_upstreams_text_as_it_is():
    assert as_markdown("a ![x](http://e) <img>\n# `b`") == r"a !\[x\](http://e) \<img\> # \`b\`"


def test_only_our_own_errors_are_quoted():
    assert report.sentence_of(SuspectData("npm: 3 rows.\ndbt's log")) == "npm: 3 rows."
    said = report.sentence_of(OSError("postgresql://u:secret@h"))
    assert "secret" not in said and "an error nobody foresaw (OSError)" in said


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path))
    return load_settings()


def _context(error) -> dict:
    params = {"from_day": "2026-11-01", "to_day": "2026-11-03"}
    return {"exception": error, "params": params, "run_id": "r", "dag_run": SimpleNamespace(run_type="manual")}


def test_the_day_that_failed_is_remembered_or_every_day_of_a_run_that_was_killed(settings):
    failed = report.record_failure(get_source("npm"))
    with pytest.raises(Unavailable) as caught, report.of_day(date(2026, 11, 2)):
        raise Unavailable("npm is down.")
    failed(_context(caught.value))
    assert [(f.day.day, f.error, f.run_id) for f in open_failures(settings)] == [(2, "npm is down.", "r")]
    failed(_context(None))
    assert [f.day.day for f in open_failures(settings)] == [1, 2, 3]
    assert "no word of why" in open_failures(settings)[1].error


def test_a_refused_day_is_no_failure(settings):
    report.record_failure(get_source("npm"))(_context(WindowRefused("not over yet")))
    assert open_failures(settings) == []


def test_a_note_that_a_person_wrote_stays(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    from run_notes import _write

    ours, theirs = SimpleNamespace(user_id=None), SimpleNamespace(user_id="ann")
    for note, kept in ((None, False), (ours, False), (theirs, True)):
        run = SimpleNamespace(dag_run_note=note, note="mine")
        _write(run, "x" * 2000)
        assert run.note == ("mine" if kept else "x" * 1000)


def test_an_alert_goes_out_when_the_lake_does_not_answer(settings, caplog):
    (settings.home / "catalog.db").write_text("not a database")
    assert report.stale_without("ingest_npm") == "what is built from it; the former rows stay"
    assert "What stays stale is not known" in caplog.text


def test_a_note_that_cannot_be_left_does_not_change_the_error(monkeypatch):
    def away(**_):
        raise OSError("no API server")

    monkeypatch.setattr(report, "get_current_context", lambda: {"ti": SimpleNamespace(xcom_push=away)})

    @report.explained
    def fails():
        raise SuspectData("too few rows.")

    with pytest.raises(SuspectData):
        fails()
