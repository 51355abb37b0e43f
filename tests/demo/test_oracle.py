"""The oracle against the catalogue's golden examples, values worked out by hand."""

from datetime import date, timedelta

import pytest

from demo.oracle import entity_id, windows
from demo.oracle.coverage import grade, source_status
from demo.oracle.entities import normalised, ownership
from demo.oracle.events import is_bot, nid
from demo.oracle.metrics import _full_time
from tests.demo.tiny import Tiny, series


@pytest.mark.parametrize(
    ("parts", "start"),
    [
        (("ab", "c"), "c574c25172ecac17c428"),
        (("a", "bc"), "d16f37a638ba770eff5e"),
        (("artifact", "GITHUB", "repo:12345"), "453c9c637ce92062ad42"),
        (("artifact", "GITHUB", "user:12345"), "7e5b132537437a937ff6"),
        (("event", "GITHUB", "COMMIT_CODE", "12345", "9f" * 20), "74f5186037ddca9c7592"),
        (("metric", "GITHUB", "commits", "monthly"), "96c1ea9b15e83cfb323f"),
        (("artifact", "NPM", "é/ü"), "32917e962cb09a0b402c"),
    ],
)
def test_ids_are_those_of_g1(parts, start):
    assert nid(*parts).startswith(start)


@pytest.fixture(scope="module")
def windows_world():
    """G2: commits by A on 2026-01-01, by A and (twice) B on 2026-01-20. Coverage lines only make it partial."""
    tiny = Tiny("2026-01-01", "2026-04-30")
    tiny.push("2026-01-01 10:00:00", 1, [("a1", "A")])
    tiny.push("2026-01-20 10:00:00", 1, [("a2", "A"), ("b1", "B"), ("b2", "B")])
    return tiny


def in_2024(tiny):
    """The same world two years earlier (same month lengths until February), where the archive still has commits."""
    earlier = Tiny("2024-01-01", "2024-04-30")
    earlier.lines = [line | {"created_at": line["created_at"].replace("2026", "2024")} for line in tiny.lines]
    return earlier.oracle({"p": ["https://github.com/one/r1"]})


def days_of(first, last):
    first, last = date.fromisoformat(first), date.fromisoformat(last)
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def test_rolling_windows_of_g2(windows_world):
    oracle = in_2024(windows_world)
    over_30 = series(oracle, "project", "p", "active_developers", "over_30_day_period")
    ones, twos = days_of("2024-01-01", "2024-01-19"), days_of("2024-01-20", "2024-02-18")
    assert over_30 == dict.fromkeys(ones, 1) | dict.fromkeys(twos, 2) | {"2024-02-19": 0}
    over_90 = series(oracle, "project", "p", "active_developers", "over_90_day_period")
    # 2024 is a leap year: 90 days from 01-20 on end on 04-18 (2026: 04-19)
    twos = days_of("2024-01-20", "2024-04-18")
    assert over_90 == dict.fromkeys(ones, 1) | dict.fromkeys(twos, 2) | {"2024-04-19": 0}


def test_calendar_windows_of_g2(windows_world):
    oracle = in_2024(windows_world)
    # 2024-01-01 is a Monday, the 20th a Saturday
    assert series(oracle, "project", "p", "active_developers", "weekly") == {"2024-01-01": 1, "2024-01-15": 2}
    assert series(oracle, "project", "p", "active_developers", "monthly") == {"2024-01-01": 2}


def test_an_archive_without_commits_has_no_commit_rows(windows_world):
    oracle = windows_world.oracle({"p": ["https://github.com/one/r1"]})
    assert series(oracle, "project", "p", "commits", "daily") == {}  # all of it lies behind the cut-over
    row = oracle.key_metrics()["project", entity_id("project", "p"), "commits", "over_30_day_period"]
    assert (row.sample_date, row.amount, row.quality) == (None, None, "unknown")


def test_windows_know_their_neighbours():
    weekly = windows.calendar("weekly", date(2026, 1, 1))
    assert (weekly.sample_date, weekly.previous().sample_date) == (date(2025, 12, 29), date(2025, 12, 22))
    quarter = windows.calendar("quarterly", date(2025, 2, 3))
    assert (quarter.start, quarter.end, quarter.length) == (date(2025, 1, 1), date(2025, 3, 31), 90)
    assert quarter.previous().start == date(2024, 10, 1)
    rolling = windows.rolling("over_30_day_period", date(2025, 5, 31))
    assert (rolling.start, rolling.previous().end) == (date(2025, 5, 2), date(2025, 5, 1))


def test_commits_around_the_cut_over_as_in_g3():
    """G3 by the archive alone: 3 commits, then 20 of 25 as a partial day, then none."""
    tiny = Tiny("2025-09-30", "2025-10-08")
    first = tiny.push("2025-09-30 23:59:00", 1, [("s1", "A"), ("s2", "A"), ("s3", "B")])
    tiny.lines.append(dict(first))
    tiny.push("2025-10-01 09:00:00", 1, [("s4", "A")], ref="feature")
    tiny.push("2025-10-01 10:00:00", 1, [(f"c{n}", "A") for n in range(20)], size=25)
    tiny.event("2025-10-08 10:00:00", "PushEvent", 1, {"ref": "refs/heads/main", "head": "s9"})
    oracle = tiny.oracle({"p": ["https://github.com/one/r1"]})
    assert series(oracle, "project", "p", "commits", "daily") == {"2025-09-30": 3, "2025-10-01": 20}
    assert series(oracle, "project", "p", "commits", "monthly") == {"2025-09-01": 3, "2025-10-01": 20}
    assert oracle.coverage.as_of(("commits",)) == date(2025, 10, 6)
    assert oracle.coverage.as_of(("issues",)) == date(2025, 10, 8)


def test_levels_of_g4():
    tiny = Tiny("2024-03-04", "2024-03-04")
    tiny.push("2024-03-04 01:00:00", 1, [("m0", "A")])
    tiny.push("2024-03-04 02:00:00", 2, [("m1", "A"), ("m2", "B")])
    tiny.push("2024-03-04 03:00:00", 3, [("m1", "A")])
    for user, repo in ((21, 1), (22, 1), (21, 2), (23, 3)):
        tiny.event("2024-03-04 04:00:00", "WatchEvent", repo, {"action": "started"}, user)
    tiny.event("2024-03-04 05:00:00", "WatchEvent", 1, {"action": "started"}, 21)  # the same star again
    both = {"x": ["https://github.com/one/r1", "https://github.com/one/r2"],
            "y": ["https://github.com/one/r1", "https://github.com/two/r3"]}  # fmt: skip
    oracle = tiny.oracle(both, {"k": ["x", "y"]})
    expected = {
        "commits": {1: 1, 2: 2, 3: 1, "x": 3, "y": 2, "k": 3},
        "active_developers": {1: 1, 2: 2, 3: 1, "x": 2, "y": 1, "k": 2},
        "stars": {1: 2, 2: 1, 3: 1, "x": 3, "y": 3, "k": 4},
    }
    for metric, amounts in expected.items():
        for name, amount in amounts.items():
            level = "artifact" if isinstance(name, int) else "collection" if name == "k" else "project"
            assert series(oracle, level, name, metric, "daily") == {"2024-03-04": amount}, (metric, name)


def test_ownership_of_g4():
    aliases = {1: {"o/r"}, 2: {"o/other"}, 3: {"o/a-fork"}}
    projects = {"a": ["https://github.com/O/r.git", "https://github.com/o/R/"], "b": ["https://github.com/o"]}
    assert ownership(projects, aliases, forks={3}) == {"a": {1}, "b": {2}}
    twice = {"a": ["https://github.com/o/r"], "b": ["https://github.com/o/r"]}
    assert ownership(twice, aliases, forks=set()) == {"a": {1}, "b": {1}}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/Owner/Repo.git", "owner/repo"),
        ("https://github.com/owner/repo/tree/main", "owner/repo"),
        ("http://www.github.com/owner/repo/blob/main/README.md", "owner/repo"),
        ("https://github.com/orgs/Owner/repositories", "owner"),
        ("https://github.com/Owner/", "owner"),
        ("https://lost-letter", None),
        ("https://github.com/settings", None),
    ],
)
def test_addresses_are_normalised(url, name):
    assert normalised(url) == name


@pytest.mark.parametrize(
    ("length", "days", "is_full"),
    [(28, 9, 0), (28, 10, 1), (31, 10, 0), (31, 11, 1), (30, 10, 1), (90, 30, 1), (90, 29, 0), (92, 30, 0), (92, 31, 1),
     (365, 121, 0), (365, 122, 1)],
)  # fmt: skip
def test_full_time_of_g5(length, days, is_full):
    assert _full_time({("GIT", "a"): days}, length) == is_full


def test_bots_of_g5():
    assert not is_bot({"id": 1, "login": "abbot", "type": "User"})
    assert is_bot({"id": 2, "login": "renovate[bot]"})
    assert is_bot({"id": 3, "login": "K8s-CI-robot", "type": "User"})


@pytest.fixture(scope="module")
def lifecycle():
    """G6: Jan {A, B}, Feb {A}, Mar {}, Apr {B, C}, May {}, in 2024, as issues; A, B, C are users 1, 2, 3."""
    tiny = Tiny("2024-01-01", "2024-05-31")
    for at, user in (("2024-01-05", 1), ("2024-01-06", 2), ("2024-02-07", 1), ("2024-04-08", 2), ("2024-04-09", 3)):
        tiny.issue(f"{at} 12:00:00", user)
    return tiny.oracle({"p": ["https://github.com/one/r1"]})


@pytest.mark.parametrize(
    ("metric", "amounts"),
    [
        ("contributors", {"01": 2, "02": 1, "04": 2}),
        ("new_contributors", {"01": 2, "04": 1}),
        ("returning_contributors", {"02": 1, "04": 1}),
        ("resurrected_contributors", {"04": 1}),
        ("churned_contributors", {"02": 1, "03": 1, "05": 2}),
        ("change_in_active_contributors", {"02": -1, "03": -1, "04": 2, "05": -2}),
        ("contributor_retention_rate", {"02": 0.5, "03": 0, "05": 0}),
    ],
)
def test_lifecycle_of_g6(lifecycle, metric, amounts):
    found = series(lifecycle, "project", "p", metric, "monthly")
    assert found == {f"2024-{month}-01": amount for month, amount in amounts.items()}


def test_key_metrics_are_dense(lifecycle):
    found = lifecycle.key_metrics()
    p = entity_id("project", "p")
    row = found["project", p, "contributors", "over_30_day_period"]
    # 05-02..05-31 has nobody; 04-02..05-01 has B and C
    assert (row.sample_date, row.amount, row.previous_amount, row.quality) == (date(2024, 5, 31), 0, 2, "ok")
    row = found["project", p, "contributors", "over_90_day_period"]  # 03-03..05-31 after 2023-12-04..03-02
    assert (row.amount, row.previous_amount) == (2, 2)
    row = found["project", p, "contributor_retention_rate", "over_30_day_period"]
    assert (row.amount, row.quality) == (0, "ok")  # neither B nor C stayed
    row = found["project", p, "contributor_retention_rate", "over_180_day_period"]
    assert (row.amount, row.quality) == (None, "ok")  # nobody in the 180 days before: undefined, not unknown
    row = found["project", p, "first_activity_date", "over_all_time"]
    assert row.amount == (date(2024, 1, 5) - date(1970, 1, 1)).days


def test_grades_of_g15():
    assert grade(12, 10, 0) == ("partial", pytest.approx(10 / 12))
    assert grade(13, 11, 0) == ("partial", pytest.approx(11 / 13))
    assert (grade(0, 0, 0), grade(5, 0, 0)) == (("ok", 1.0), ("unknown", 0.0))


def test_days_are_full_part_or_none_by_their_lines():
    first = date(2024, 1, 1)
    lines = {(first + timedelta(days=n), h): 100 for n in range(30) for h in range(24)}
    for hour in range(24):
        lines[date(2024, 1, 22), hour] = 59  # 0.59 of the usual Monday
        lines[date(2024, 1, 23), hour] = 19  # 0.19 of the usual Tuesday
        lines[date(2024, 1, 24), hour] = 60
    lines[date(2024, 1, 18), 5] = None
    lines[date(2024, 1, 26), 0] = None  # also the end of the 25th
    found = source_status(lines, first, date(2024, 1, 29))
    odd = {day.day: status for day, status in found.items() if status != "full"}
    assert odd == {18: "part", 22: "part", 23: "none", 25: "part", 26: "part"}


def test_a_missing_hour_makes_the_month_partial_not_unknown():
    tiny = Tiny("2024-01-01", "2024-01-31")
    tiny.issue("2024-01-10 12:00:00", 1)
    oracle = tiny.oracle({"p": ["https://github.com/one/r1"]}, missing={("2024-01-10", 3)})
    rows = {k[2:]: v for k, v in oracle.timeseries().items() if k[0] == "project" and k[2] == "opened_issues"}
    assert rows["opened_issues", "daily", date(2024, 1, 10)] == (1, "partial", 0.0)
    assert rows["opened_issues", "monthly", date(2024, 1, 1)] == (1, "partial", pytest.approx(30 / 31))
