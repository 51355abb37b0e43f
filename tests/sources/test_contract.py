"""What every source must keep to; each one of the registry goes through all of it."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include import ingest
from include.errors import FixNeeded, SourceOff, WindowRefused
from include.sources import all_sources, get_source
from include.sources.base import SYSTEM_COLUMNS, Listed, Window
from tests.sources.standins import DAY, connect, everything, settings_in

ROOT = Path(__file__).parents[2]
every_source = pytest.mark.parametrize("source", all_sources(), ids=lambda s: s.name)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    connect(monkeypatch, tmp_path / "upstream")
    settings = settings_in(tmp_path / "home")
    ingest.land(get_source("oss_directory"), Window.of(today()), settings)
    return settings


def today() -> date:
    return datetime.now(UTC).date()


def day_of(source) -> date:
    return today() if source.window == "now" else DAY


@every_source
def test_a_source_is_described_and_has_a_runbook(source):
    runbook = (ROOT / source.runbook).read_text()
    for heading in (
        *("What it brings", "Window", "Limits and credentials", "When it fails"),
        *("Backfill", "Known holes", "Who to ask"),
    ):
        assert f"## {heading}" in runbook
    assert source.doc.endswith(".") and source.owner and source.licence and source.docs_url.startswith("https://")
    for stream in source.streams:
        assert stream.key and stream.doc.endswith(".")
        assert not set(SYSTEM_COLUMNS) & set(stream.schema.names)
        assert all((f.metadata or {}).get(b"doc") for f in stream.schema), stream.name


@every_source
def test_the_same_window_twice_gives_the_same_rows(source, settings):
    window = Window.of(day_of(source))
    ingest.land(source, window, settings)
    first = everything(settings, source)
    ingest.land(source, window, settings, force=True)
    assert everything(settings, source) == first
    assert first["coverage"]


@every_source
def test_a_killed_landing_and_its_re_run_give_the_same_rows(source, tmp_path, monkeypatch):
    connect(monkeypatch, tmp_path / "upstream")
    points = ["after_fetch", "after_validate", "before_coverage"]
    names = [s.name for s in source.all_streams]
    if len(names) > 6:  # each point lands twice: of many streams the first, a middle one and the last three
        names = [names[0], names[len(names) // 2], *names[-3:]]
    points += [f"after_commit_{name}" for name in names]
    command = [sys.executable, "-m", "tests.sources.kill", source.name, str(tmp_path), str(day_of(source)), *points]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=300)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert found == [{"point": p, "code": 70, "same": True} for p in points], done.stderr[-2000:]


@every_source
def test_a_landing_that_is_committed_again_changes_nothing(source, settings):
    path = ingest.fetch_day(source, day_of(source), settings, "run-1", force=True)
    ingest.validate_run(path, settings)
    first = ingest.commit_run(path, settings)
    assert ingest.commit_run(path, settings) == first


@every_source
def test_two_runs_of_one_day_at_once_leave_one_days_rows(source, settings):
    day = day_of(source)
    runs = [ingest.fetch_day(source, day, settings, f"run-{n}", force=True) for n in (1, 2)]
    errors = []

    def commit(path):
        try:
            ingest.commit_run(path, settings)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=commit, args=(path,)) for path in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    both = everything(settings, source)
    ingest.land(source, Window.of(day), settings, force=True)
    assert both == everything(settings, source)


@every_source
def test_days_that_cannot_be_loaded_are_refused_with_a_sentence(source, settings):
    refused = today() - timedelta(days=1) if source.window == "now" else today()
    with pytest.raises(WindowRefused, match=r"\. (Land|Ask)"):
        ingest.land(source, Window.of(refused), settings)


@every_source
def test_a_dry_run_from_the_shell_commits_nothing(source, settings, capsys):
    from include.__main__ import main

    ingest.ensure_raw_tables(settings)
    os.environ["OPENIMPACT_HOME"] = str(settings.home)
    ingest.ensure_raw_tables(settings)
    try:
        before = everything(settings, source) if source.window == "now" else None
        days = [] if source.window == "now" else ["--from", DAY.isoformat()]
        assert main(["land", source.name, "--dry-run", *days]) == 0
        assert before is None or everything(settings, source) == before
    finally:
        del os.environ["OPENIMPACT_HOME"]
    assert "nothing committed" in capsys.readouterr().out


def test_an_unknown_source_is_answered_with_the_known_names():
    with pytest.raises(FixNeeded, match="known are .*github_archive.*, oss_directory"):
        get_source("gitlab")


def test_every_raw_table_can_be_created_empty(settings):
    ingest.ensure_raw_tables(settings)
    for source in all_sources():
        assert set(everything(settings, source)) == {s.name for s in source.all_streams}


def test_a_source_may_be_off_until_its_connection_is_set(settings, monkeypatch):
    source = replace(get_source("github_archive"), may_be_off="it needs a token")
    monkeypatch.delenv("AIRFLOW_CONN_GITHUB_ARCHIVE")
    with pytest.raises(SourceOff, match="github_archive is off: it needs a token. Set AIRFLOW_CONN_GITHUB_ARCHIVE"):
        ingest.check(source, Window.of(DAY), settings)
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_ARCHIVE", "https://archive.example")
    ingest.check(source, Window.of(DAY), settings)


def test_a_source_is_told_what_the_registry_lists_of_its_kinds(settings, tmp_path):
    assert ingest.listed_artifacts(settings_in(tmp_path / "empty"), ("github_repo",)) == ()
    assert ingest.listed_artifacts(settings, ("github_repo", "npm")) == (Listed("acme", "github_repo", "acme/rocket"),)
