"""The status of real landings, against expectations counted by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from include import ingest
from include.errors import SuspectData
from include.lake.failures import open_failures, record
from include.sources import get_source
from include.sources.base import Window
from include.status import _gaps, cost_text, days_text, describe, due_day, read_status
from tests.sources.standins import acme_directory, other, settings_in, write_hours

ARCHIVE = get_source("github_archive")
NOW = datetime(2025, 9, 8, 10, tzinfo=UTC)
BROKEN = b"<b>not json</b>"


def september(day: int) -> date:
    return date(2025, 9, day)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Days 1, 2, 4 and 5 landed, 3 was not asked for, and 6 failed; the folder of the hour files."""
    folder = tmp_path / "archive"
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_ARCHIVE", f"file://{folder}")
    one = (other(1), BROKEN)
    hours = {1: {7: one}, 4: {3: None}, 5: {8: one, 9: one}, 6: {9: (BROKEN, BROKEN)}}
    monkeypatch.setenv("AIRFLOW_CONN_OSS_DIRECTORY", f"file://{acme_directory(tmp_path / 'directory')}")
    registry = get_source("oss_directory")
    ingest.land(registry, Window.of(NOW.date()), settings_in(tmp_path), now=NOW)
    for day in range(1, 8):
        write_hours(folder, september(day), hours.get(day, {}))
    for day in (1, 2, 4, 5):
        land(tmp_path, day)
    with pytest.raises(SuspectData, match="2 of 2 lines"):
        land(tmp_path, 6)
    return folder


def land(home, day: int) -> None:
    ingest.land(ARCHIVE, Window.of(september(day)), settings_in(home))


def of(home, name: str = "github_archive", now: datetime = NOW):
    return next(s for s in read_status(settings_in(home), {}, now=now).sources if s.name == name)


def test_a_failed_late_and_incomplete_source_says_all_of_it(archive, tmp_path):
    found = of(tmp_path)
    assert (found.state, found.first_day, found.last_day) == ("failing", september(1), september(5))
    assert (found.due_day, found.lag) == (september(7), 2)
    assert (len(found.landed), found.missing) == (4, (september(3),))
    marks = ["landed", "landed", "missing", "incomplete", "landed", "failed", "missing", ""]
    assert [found.mark(september(day)) for day in range(1, 9)] == marks
    assert [(g.days, g.stream, g.status, g.parts) for g in found.gaps] == [
        ((september(4),), "events", "missing", ("03",))
    ]
    assert (found.rejected_last, found.rejected) == (2, 3)
    assert found.parts == {"complete": 25}
    assert set(found.cost) == {"seconds"}

    (failure,) = read_status(settings_in(tmp_path), {}, now=NOW).failures
    assert (failure.source, failure.day) == ("github_archive", september(6))
    assert failure.error.startswith("github_archive: ")


def test_each_wrong_thing_that_is_mended_leaves_the_list(archive, tmp_path):
    write_hours(archive, september(6), {})
    land(tmp_path, 6)
    assert read_status(settings_in(tmp_path), {}, now=NOW).failures == ()
    assert (of(tmp_path).state, of(tmp_path).lag) == ("late", 1)
    land(tmp_path, 7)
    assert (of(tmp_path).state, of(tmp_path).lag) == ("incomplete", 0)
    land(tmp_path, 3)
    assert (of(tmp_path).missing, of(tmp_path).state) == ((), "incomplete")
    write_hours(archive, september(4), {})
    land(tmp_path, 4)
    assert (of(tmp_path).gaps, of(tmp_path).state) == ((), "ok")


def test_a_landing_that_is_finished_again_closes_its_failure(archive, tmp_path):
    settings = settings_in(tmp_path)
    write_hours(archive, september(6), {})
    path = ingest.fetch_day(ARCHIVE, september(6), settings, "again")
    ingest.validate_run(path, settings)
    ingest.commit_run(path, settings)
    record(settings, ARCHIVE.name, [september(6), september(7)], "killed after its commit", "again")
    ingest.commit_run(path, settings)
    assert [f.day for f in open_failures(settings)] == [september(7)]


def test_todays_snapshot_makes_up_for_those_that_failed_before(tmp_path, monkeypatch):
    source, settings = get_source("oss_directory"), settings_in(tmp_path)
    monkeypatch.setenv("AIRFLOW_CONN_OSS_DIRECTORY", f"file://{acme_directory(tmp_path / 'directory')}")
    record(settings, source.name, [september(6), september(9)], "404", "run")
    record(settings, "npm", [september(6)], "404", "run")
    ingest.land(source, Window.of(NOW.date()), settings, now=NOW)
    assert [(f.source, f.day) for f in open_failures(settings)] == [("npm", september(6)), (source.name, september(9))]


def test_the_text_says_what_is_wrong_in_lines(archive, tmp_path):
    lines = describe(read_status(settings_in(tmp_path), {}, now=NOW)).splitlines()
    assert lines[1].split()[:5] == ["github_archive", "failing", "2025-09-05", "2", "4"]
    assert "2 of 3  25 complete" in lines[1]
    assert any(line.startswith("failed: github_archive 2025-09-06, 20") and "2 of 2 lines" in line for line in lines)
    assert "missing: github_archive 2025-09-03" in lines
    assert "missing: github_archive 2025-09-04 events 03: 404 in 1 archive" in lines
    assert "last good build: none yet" in lines and "current release: none yet" in lines
    assert "to build: everything (github_archive, oss_directory)" in lines
    assert any(line.startswith("bigquery is off: ") for line in lines)


def test_a_message_cannot_steer_the_terminal(tmp_path):
    record(settings_in(tmp_path), "npm", [september(6)], "\x1b[2Jgone\u202e", "run")
    (line,) = [li for li in describe(read_status(settings_in(tmp_path), {}, now=NOW)).splitlines() if "failed" in li]
    assert line.endswith("UTC: ?[2Jgone?")


def test_a_snapshot_that_did_not_change_is_up_to_date(tmp_path, monkeypatch):
    source = get_source("oss_directory")
    monkeypatch.setenv("AIRFLOW_CONN_OSS_DIRECTORY", f"file://{acme_directory(tmp_path / 'directory')}")
    for now in (NOW - timedelta(days=5), NOW):
        if now == NOW:
            assert (of(tmp_path, source.name).state, of(tmp_path, source.name).lag) == ("late", 5)
        ingest.land(source, Window.of(now.date()), settings_in(tmp_path), now=now)
    found = of(tmp_path, source.name)
    assert (found.state, len(found.landed), found.last_day, found.lag) == ("ok", 1, NOW.date(), 0)


@pytest.mark.parametrize(
    ("name", "now", "due"),
    [
        # midnight and 5:30 h, and the 2 h that a landing may take
        ("github_archive", datetime(2025, 9, 8, 7, 29, tzinfo=UTC), 6),
        ("github_archive", datetime(2025, 9, 8, 7, 31, tzinfo=UTC), 7),
        # a snapshot of 7:00
        ("npm_manifests", datetime(2025, 9, 8, 8, 59, tzinfo=UTC), 7),
        ("npm_manifests", datetime(2025, 9, 8, 9, 1, tzinfo=UTC), 8),
    ],
)
def test_a_day_is_due_by_schedule_and_readiness(name, now, due):
    assert due_day(get_source(name), now) == september(due)


def test_a_clock_that_ended_promises_no_more():
    assert due_day(ARCHIVE, NOW, last=september(2)) == september(2)


def test_days_that_lack_the_same_for_the_same_reason_are_one_gap():
    lines = [
        {"_day": september(day), "stream": "events", "part": part, "status": status, "reason": reason}
        for day, part, status, reason in (
            (1, "03", "missing", "404"),
            (1, "04", "missing", "404"),
            (2, "04", "missing", "404"),
            (2, "03", "missing", "404"),
            (2, "05", "damaged", None),
            (3, "03", "missing", "404"),
            (3, "09", "known_missing", "lost"),
        )
    ]
    assert [(g.days, g.status, g.parts, g.reason) for g in _gaps(lines)] == [
        ((september(1), september(2)), "missing", ("03", "04"), "404"),
        ((september(2),), "damaged", ("05",), ""),
        ((september(3),), "missing", ("03",), "404"),
        ((september(3),), "known_missing", ("09",), "lost"),
    ]


def test_days_are_told_as_runs():
    assert days_text(tuple(september(d) for d in (1, 3, 4, 5, 9))) == "2025-09-01, 2025-09-03 to 2025-09-05, 2025-09-09"


def test_a_cost_is_told_in_its_units():
    cost = {
        "requests": 1,
        "bytes": 1_250_000,
        "bytes_read": 4_200,
        "bytes_billed": 10_000_000,
        "points": 1200,
        "points_left": 3800,
    }
    assert cost_text(cost) == "1 request, 1.2 MB, 4 kB read, 10.0 MB billed, 1,200 points, 3,800 points left"
