"""From raw payload to published row: the golden examples of the catalogue, values worked out by hand."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from include import ingest, transform
from include.errors import SuspectData
from include.lake.catalog import open_catalog
from include.lake.releases import content_hash, list_releases
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.world import World

ROOT = Path(__file__).parents[2]
R1, R2, R3 = (1, "one/r1"), (2, "one/r2"), (3, "two/r3")


def publish(home, connections, monkeypatch, days):
    """Lands the directory and `days` in that order, builds and publishes; returns the settings."""
    monkeypatch.setenv("OPENIMPACT_HOME", str(home))
    for name, value in connections.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    today = date.today()
    ingest.land(get_source("oss_directory"), Window.of(today), settings)
    for day in days:
        ingest.land(get_source("github_archive"), Window.of(day), settings)
    ingest.ensure_raw_tables(settings)
    transform.build(settings, "golden")
    transform.audit(settings, "golden")
    transform.release(settings, "golden")
    return settings


def rows(settings, table):
    """All rows of a table of the current release."""
    return open_catalog(settings, "consumer").load_table(f"oso.{table}").scan().to_arrow().to_pylist()


def series(settings, level, names, metric, window):
    """{(entity name, ISO sample date): (amount, quality)} of a published timeseries."""
    return {
        (names[row[f"{level}_id"]], row["sample_date"].isoformat()): (row["amount"], row["quality"])
        for row in rows(settings, f"timeseries_metrics_by_{level}_v1")
        if row["metric"] == metric and row["window"] == window
    }


def names_of(settings, level):
    """Names by id of one level."""
    table = {"artifact": "artifacts_v1", "project": "projects_v1", "collection": "collections_v1"}[level]
    return {row[f"{level}_id"]: row[f"{level}_name"] for row in rows(settings, table)}


def days(first, last):
    return Window(first, last).days()


@pytest.fixture(scope="module")
def levels(tmp_path_factory):
    """G4: X = {r1, r2}, Y = {r1, r3}, K = {X, Y}; r3 copies r2's commit m1. One day, 2024-03-04."""
    folder = tmp_path_factory.mktemp("levels")
    day = date(2024, 3, 4)
    world = World(folder, day, day)
    world.push("2024-03-04 01:00:00", R1, [("m0", "A")])
    second = world.push("2024-03-04 02:00:00", R2, [("m1", "A"), ("m2", "B")])
    second["payload"]["commits"][0]["author"]["email"] = "A@EX.org"  # the same person: hosts have no case
    world.push("2024-03-04 03:00:00", R3, [("m1", "A")])
    for user, repo in ((21, R1), (22, R1), (21, R2), (23, R3)):
        world.star("2024-03-04 04:00:00", repo, user)
    # the first star again, as the next file may carry it
    world.put(world.events[(day, 4)][0], day, 5)
    connections = world.write(
        {"x": ["https://github.com/One/r1.git", "https://github.com/one/R1/", "https://github.com/one/r2"],
         "y": ["https://github.com/one/r1", "https://github.com/two/r3"],
         "z": ["https://github.com/one"]},
        {"k": ["x", "y"]},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield publish(folder / "home", connections, monkeypatch, [day])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("commits", {"r1": 1, "r2": 2, "r3": 1, "x": 3, "y": 2, "k": 3}),
        ("active_developers", {"r1": 1, "r2": 2, "r3": 1, "x": 2, "y": 1, "k": 2}),
        ("stars", {"r1": 2, "r2": 1, "r3": 1, "x": 3, "y": 3, "k": 4}),
    ],
)
def test_every_level_is_computed_from_its_own_distinct_events(levels, metric, expected):
    found = {}
    for level in ("artifact", "project", "collection"):
        for (name, _), (amount, _) in series(levels, level, names_of(levels, level), metric, "daily").items():
            found[name] = amount
    assert found == expected  # z lists the owner of r1 and r2 alone: the exact listings take both away


def test_a_repository_listed_twice_is_one_artifact(levels):
    links = [r for r in rows(levels, "artifacts_by_project_v1") if r["project_name"] == "x"]
    assert sorted(link["artifact_name"] for link in links) == ["r1", "r2"]


def test_a_day_with_all_its_hours_is_ok(levels):
    found = series(levels, "project", names_of(levels, "project"), "commits", "daily")
    assert found[("x", "2024-03-04")] == (3.0, "ok")


def test_the_running_month_is_partial_and_never_scaled_up(levels):
    found = series(levels, "project", names_of(levels, "project"), "commits", "monthly")
    assert found[("x", "2024-03-01")] == (3.0, "partial")


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """G2: commits by A on 2024-01-01, by A and (twice) B on 2024-01-20; 51 days."""
    folder = tmp_path_factory.mktemp("windows")
    first, last = date(2024, 1, 1), date(2024, 2, 20)
    world = World(folder, first, last)
    world.push("2024-01-01 10:00:00", R1, [("a1", "A")])
    world.push("2024-01-20 10:00:00", R1, [("a2", "A"), ("b1", "B"), ("b2", "B")])
    connections = world.write({"p": ["https://github.com/one/r1"]}, {"k": ["p"]})
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield publish(folder / "home", connections, monkeypatch, days(first, date(2024, 2, 21))), connections, folder


def test_rolling_developers_leave_after_thirty_days_and_close_with_one_zero(windows):
    found = series(windows[0], "project", names_of(windows[0], "project"), "active_developers", "over_30_day_period")
    expected = {("p", d.isoformat()): 1.0 for d in days(date(2024, 1, 1), date(2024, 1, 20))}
    expected |= {("p", d.isoformat()): 2.0 for d in days(date(2024, 1, 20), date(2024, 2, 19))}
    expected |= {("p", "2024-02-19"): 0.0}
    assert {key: amount for key, (amount, _) in found.items()} == expected


def test_calendar_windows_carry_their_first_day(windows):
    names = names_of(windows[0], "project")
    weekly = series(windows[0], "project", names, "active_developers", "weekly")
    # 2024-01-01 is a Monday; the 20th is in the week of the 15th
    assert {k[1]: v[0] for k, v in weekly.items()} == {"2024-01-01": 1.0, "2024-01-15": 2.0}
    monthly = series(windows[0], "project", names, "active_developers", "monthly")
    assert {k[1]: v[0] for k, v in monthly.items()} == {"2024-01-01": 2.0}


def test_lifecycle_of_the_month_after(windows):
    names = names_of(windows[0], "project")
    churned = series(windows[0], "project", names, "churned_contributors", "monthly")
    assert churned == {("p", "2024-02-01"): (2.0, "partial")}  # A and B, both gone in February, which still runs
    change = series(windows[0], "project", names, "change_in_active_contributors", "monthly")
    assert change == {("p", "2024-02-01"): (-2.0, "partial")}
    retention = series(windows[0], "project", names, "contributor_retention_rate", "monthly")
    assert retention == {("p", "2024-02-01"): (0.0, "partial")}


@pytest.mark.slow  # test_batching.py has every source in any order
def test_days_in_another_order_and_landed_twice_give_the_same_release(windows, tmp_path, monkeypatch):
    settings, connections, _ = windows
    order = days(date(2024, 1, 1), date(2024, 2, 21))
    again = publish(tmp_path / "home", connections, monkeypatch, [*reversed(order), order[5]])
    assert content_hash(again) == content_hash(settings)


def test_the_cut_over_leaves_commits_unknown_and_a_cut_push_partial(tmp_path, monkeypatch):
    """G3 without the API: 2025-09-30 has 3 commits once, 10-01 twenty of 25, from 10-07 on none are known."""
    world = World(tmp_path, date(2025, 9, 30), date(2025, 10, 8))
    first = world.push("2025-09-30 23:59:00", R1, [("s1", "A"), ("s2", "A"), ("s3", "B")])
    world.put(first, date(2025, 10, 1), 0)
    world.push("2025-10-01 09:00:00", R1, [("s4", "A")], ref="feature")
    world.push("2025-10-01 10:00:00", R1, [(f"c{n}", "A") for n in range(20)], size=25)
    slim = {"repository_id": 1, "push_id": 5, "ref": "refs/heads/main", "head": "s9", "before": "s3"}
    world.event("2025-10-08 10:00:00", "PushEvent", R1, slim)
    connections = world.write({"p": ["https://github.com/one/r1"]}, {})
    settings = publish(tmp_path / "home", connections, monkeypatch, days(date(2025, 9, 30), date(2025, 10, 9)))
    names = names_of(settings, "project")
    assert series(settings, "project", names, "commits", "daily") == {
        ("p", "2025-09-30"): (3.0, "partial"),  # the archive is never whole after 2025-05-23
        ("p", "2025-10-01"): (20.0, "partial"),
    }
    assert series(settings, "project", names, "commits", "monthly") == {
        ("p", "2025-09-01"): (3.0, "partial"),
        ("p", "2025-10-01"): (20.0, "partial"),
    }


def test_lifecycle_by_month(tmp_path, monkeypatch):
    """G6: January {A, B}, February {A}, March {}, April {B, C}, May {}; one day landed a month."""
    active = {1: "AB", 2: "A", 3: "", 4: "BC", 5: ""}
    world = World(tmp_path, date(2024, 1, 5), date(2024, 5, 5))
    for month, people in active.items():
        if people:
            world.push(f"2024-{month:02}-05 10:00:00", R1, [(f"{month}{who}", who) for who in people])
    connections = world.write({"p": ["https://github.com/one/r1"]}, {})
    settings = publish(tmp_path / "home", connections, monkeypatch, [date(2024, month, 5) for month in active])
    names = names_of(settings, "project")

    def months(metric):
        return {int(k[1][5:7]): v[0] for k, v in series(settings, "project", names, metric, "monthly").items()}

    assert months("contributors") == {1: 2, 2: 1, 4: 2}
    assert months("new_contributors") == {1: 2, 4: 1}
    assert months("returning_contributors") == {2: 1, 4: 1}
    assert months("resurrected_contributors") == {4: 1}
    assert months("churned_contributors") == {2: 1, 3: 1, 5: 2}
    assert months("change_in_active_contributors") == {2: -1, 3: -1, 4: 2, 5: -2}
    assert months("contributor_retention_rate") == {2: 0.5, 3: 0.0, 5: 0.0}


def test_full_time_is_ten_of_thirty_days_and_bots_are_nobody(tmp_path, monkeypatch):
    """G5: of 28 days 10 are full time and 9 are not; of 31 days 11 are and 10 are not; `abbot` is human."""
    world = World(tmp_path, date(2023, 2, 1), date(2023, 3, 11))
    counts = {2: {"abbot": 9, "bea": 10, "renovate[bot]": 12}, 3: {"abbot": 10, "bea": 11}}
    for month, people in counts.items():
        for day in range(1, 13):
            who = [name for name, n in people.items() if day <= n]
            if who:
                world.push(f"2023-{month:02}-{day:02} 10:00:00", R1, [(f"{month}.{day}.{name}", name) for name in who])
    connections = world.write({"p": ["https://github.com/one/r1"]}, {})
    landed = [date(2023, month, day) for month in (2, 3) for day in range(1, 12)]
    settings = publish(tmp_path / "home", connections, monkeypatch, landed)
    names = names_of(settings, "project")
    for metric in ("full_time_developers", "part_time_developers"):
        found = series(settings, "project", names, metric, "monthly")
        assert {k[1]: v[0] for k, v in found.items()} == {"2023-02-01": 1.0, "2023-03-01": 1.0}, metric
    # nine or ten days of abbot and ten or eleven of bea; the bot's eleven landed days add nothing
    commits = series(settings, "project", names, "commits", "monthly")
    assert {k[1]: v[0] for k, v in commits.items()} == {"2023-02-01": 19.0, "2023-03-01": 21.0}


def test_the_next_day_is_built_and_released_on_top(tmp_path, monkeypatch):
    """The same home, a day later: everything runs again and both releases stay."""
    world = World(tmp_path, date(2024, 3, 4), date(2024, 3, 5))
    world.push("2024-03-04 01:00:00", R1, [("m0", "A")])
    world.push("2024-03-05 01:00:00", R1, [("m0", "A"), ("m1", "A")])  # m0 again: pushed the day before
    connections = world.write({"p": ["https://github.com/one/r1"]}, {})
    for day in (date(2024, 3, 4), date(2024, 3, 5)):
        settings = publish(tmp_path / "home", connections, monkeypatch, [day])
    found = series(settings, "project", names_of(settings, "project"), "commits", "daily")
    assert {k[1]: v[0] for k, v in found.items()} == {"2024-03-04": 1.0, "2024-03-05": 1.0}
    assert len(list_releases(settings)) == 2


def test_an_audit_that_fails_releases_nothing(levels, monkeypatch):
    before = [r.release_id for r in list_releases(levels)]
    lake = open_catalog(levels, "lake")
    table = lake.load_table("exports.projects_v1")
    snapshot = table.current_snapshot().snapshot_id
    table.delete("project_name in ('x', 'y')")
    try:
        with pytest.raises(SuspectData, match=r"projects_v1 shrank below 80 %.*last good release stays"):
            transform.audit(levels, "r")
    finally:
        lake.load_table("exports.projects_v1").manage_snapshots().rollback_to_snapshot(snapshot).commit()
    assert [r.release_id for r in list_releases(levels)] == before


def test_the_recorded_directory_and_two_archive_hours_become_a_release(recordings, tmp_path):
    """The real inputs: every project is there, 22 missing hours make the day partial, and say so."""
    env = os.environ | {
        "OPENIMPACT_HOME": str(tmp_path),
        "AIRFLOW_CONN_OSS_DIRECTORY": f"file://{recordings}/oss-directory/oss-directory-2026-05-08.tar.gz",
        "AIRFLOW_CONN_GITHUB_ARCHIVE": f"file://{recordings}/github/archive",
    }
    command = [sys.executable, "-m", "include"]
    days_asked = ["--from", "2021-07-21", "--to", "2021-07-21"]
    done = subprocess.run([*command, "run", *days_asked], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = subprocess.run([*command, "release", "show"], cwd=ROOT, env=env, capture_output=True, text=True).stdout
    assert re.search(r"projects_v1 +7,037\n", shown)
    assert len(re.findall(r"2021-07-21 \.\. 2021-07-21 +part +hours are missing", shown)) == 9  # one a family
    states = {(r["provider"], r["enabled"], r["status"]) for r in rows(load_settings(env), "sources_v1")}
    assert {("github_api", False, "off"), ("rpc", False, "off"), ("npm", True, "failing")} <= states
    assert len([state for state in states if state[0] == "github_api"]) == 1
