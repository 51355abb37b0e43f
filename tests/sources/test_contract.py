"""What every source must keep to; each one of the registry goes through all of it.

Kills at every failpoint, commits twice and commits at once run through code that no source has a part in: they are
proven with a source of days and one of now.
"""

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from include import ingest
from include.errors import FixNeeded, SourceOff, WindowRefused
from include.failpoints import EXIT_CODE
from include.lake.catalog import open_catalog
from include.lake.landing import snapshots_of
from include.settings import Settings
from include.sources import all_sources, get_source
from include.sources.base import SYSTEM_COLUMNS, Listed, Window
from tests.sources.standins import DAY, connect, everything, settings_in

ROOT = Path(__file__).parents[2]
every_source = pytest.mark.parametrize("source", all_sources(), ids=lambda s: s.name)
both_windows = pytest.mark.parametrize("source", [get_source("github_archive"), get_source("oss_directory")])


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module", autouse=True)
def upstream(tmp_path_factory):
    """Every source is connected to its stand-in."""
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, tmp_path_factory.mktemp("upstream"))
        yield


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Settings:
    """A lake with the directory."""
    settings = settings_in(tmp_path_factory.mktemp("registry"))
    ingest.land(get_source("oss_directory"), Window.of(today()), settings)
    return settings


@pytest.fixture(scope="module")
def landed(registry, tmp_path_factory):
    """`landed(name)`: a lake with the directory and a day of the source, landed once for all tests, and its rows."""

    @cache
    def of(name: str) -> tuple[Settings, dict]:
        source, settings = get_source(name), before(get_source(name), registry, tmp_path_factory.mktemp(name))
        ingest.land(source, Window.of(day_of(source)), settings)
        return settings, everything(settings, source)

    return of


def branch(settings: Settings, home: Path) -> Settings:
    """A lake of its own with the same tables: Iceberg's files never change, so a copy of the catalog is enough."""
    home.mkdir(exist_ok=True)
    shutil.copyfile(settings.home / "catalog.db", home / "catalog.db")
    return settings_in(home)


def before(source, registry: Settings, home: Path) -> Settings:
    """A lake as it is before the first landing of the source."""
    return settings_in(home) if source.name == "oss_directory" else branch(registry, home)


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
def test_the_same_window_twice_gives_the_same_rows(source, landed, tmp_path):
    lake, rows = landed(source.name)
    settings = branch(lake, tmp_path)
    ingest.land(source, Window.of(day_of(source)), settings, force=True)
    assert everything(settings, source) == rows
    assert rows["coverage"]


@every_source
def test_a_landing_that_ended_between_two_commits_is_made_whole_by_its_re_run(
    source, landed, registry, tmp_path, monkeypatch
):
    settings, window = before(source, registry, tmp_path), Window.of(day_of(source))
    middle = f"after_commit_{source.all_streams[len(source.streams) // 2].name}"

    def kill(point):
        if point == middle:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ingest, "failpoint", kill)
        ingest.land(source, window, settings)
    ingest.land(source, window, settings)
    assert everything(settings, source) == landed(source.name)[1]


@both_windows
def test_a_landing_killed_anywhere_and_its_re_run_give_the_same_rows(source, landed, registry, tmp_path):
    points = ["after_fetch", "before_coverage", "after_commit_coverage"]
    if source.window == "day":  # a source of now reads the last landing's coverage, all else is the same for both
        points += ["after_validate", *(f"after_commit_{stream.name}" for stream in source.all_streams[:-1])]
    homes = [before(source, registry, tmp_path / point) for point in points]
    command = [sys.executable, "-m", "tests.sources.kill", source.name, str(day_of(source)), *(h.home for h in homes)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [f"{point} {EXIT_CODE}" for point in points], done.stderr[-2000:]
    for settings in homes:
        ingest.land(source, Window.of(day_of(source)), settings)
        assert everything(settings, source) == landed(source.name)[1], settings.home


@both_windows
def test_a_landing_that_is_committed_again_changes_nothing(source, registry, tmp_path):
    settings = before(source, registry, tmp_path)
    path = ingest.fetch_day(source, day_of(source), settings, "run-1")
    ingest.validate_run(path, settings)
    first = ingest.commit_run(path, settings)
    assert first and ingest.commit_run(path, settings) == first


@both_windows
def test_two_runs_of_one_day_at_once_leave_one_days_rows(source, landed, registry, tmp_path):
    settings = before(source, registry, tmp_path)
    runs = [ingest.fetch_day(source, day_of(source), settings, f"run-{n}") for n in (1, 2)]
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
    assert everything(settings, source) == landed(source.name)[1]


@every_source
def test_days_that_cannot_be_loaded_are_refused_with_a_sentence(source, tmp_path):
    refused = today() - timedelta(days=1) if source.window == "now" else today()
    with pytest.raises(WindowRefused, match=r"\. (Land|Ask)"):
        ingest.land(source, Window.of(refused), settings_in(tmp_path))


@both_windows
def test_a_dry_run_from_the_shell_commits_nothing(source, registry, tmp_path, monkeypatch, capsys):
    from include.__main__ import main

    settings = before(source, registry, tmp_path)
    monkeypatch.setenv("OPENIMPACT_HOME", str(settings.home))
    there = snapshots_of(open_catalog(settings, "lake"))
    days = [] if source.window == "now" else ["--from", DAY.isoformat()]
    assert main(["land", source.name, "--dry-run", *days]) == 0
    assert snapshots_of(open_catalog(settings, "lake")) == there
    assert "nothing committed" in capsys.readouterr().out


def test_an_unknown_source_is_answered_with_the_known_names():
    with pytest.raises(FixNeeded, match="known are .*github_archive.*, oss_directory"):
        get_source("gitlab")


def test_every_raw_table_can_be_created_empty(tmp_path):
    settings = settings_in(tmp_path)
    ingest.ensure_raw_tables(settings)
    for source in all_sources():
        assert everything(settings, source) == {s.name: [] for s in source.all_streams}


def test_a_source_may_be_off_until_its_connection_is_set(tmp_path, monkeypatch):
    settings = settings_in(tmp_path)
    source = replace(get_source("github_archive"), may_be_off="it needs a token")
    monkeypatch.delenv("AIRFLOW_CONN_GITHUB_ARCHIVE")
    with pytest.raises(SourceOff, match="github_archive is off: it needs a token. Set AIRFLOW_CONN_GITHUB_ARCHIVE"):
        ingest.check(source, Window.of(DAY), settings)
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_ARCHIVE", "https://archive.example")
    ingest.check(source, Window.of(DAY), settings)


def test_a_source_is_told_what_the_registry_lists_of_its_kinds(registry, tmp_path):
    assert ingest.listed_artifacts(settings_in(tmp_path / "empty"), ("github_repo",)) == ()
    listed = ingest.listed_artifacts(registry, ("github_repo", "open_collective"))
    assert listed == (Listed("acme", "github_repo", "acme/rocket"), Listed("fund", "open_collective", "acme"))
