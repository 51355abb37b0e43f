"""The demo world holds what it promises, and always the same."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from demo import oracle
from demo.activity import happenings
from demo.archive import ARCHIVES, BROKEN, EMPTY, LATE_NIGHTS, MISSING, Archive, archive
from demo.directory import BROKEN_FILE, files, tarball
from demo.payload import line
from demo.world import CUT_OVER, FIRST_DAY, LAST_DAY, OUTAGE, World, world


def lines_of(day, hour, name="archive"):
    body = archive().file(name, date.fromisoformat(day), hour)
    return [json.loads(text) for text in gzip.decompress(body).splitlines()]


def test_the_same_seed_is_the_same_world_and_another_seed_is_not():
    again = Archive()
    day = date(2025, 5, 8)
    assert again.file("archive", day, 14) == archive().file("archive", day, 14)
    assert World(7).repos[0].names != world().repos[0].names


def test_its_size():
    the_world = world()
    assert (len(the_world.projects), len(the_world.collections)) == (60, 3)
    assert 170 <= len(the_world.repos) <= 220
    assert 390 <= len(the_world.people) + len(the_world.bots) <= 410
    assert (LAST_DAY - FIRST_DAY).days + 1 == 180


def test_ids_are_unique_and_times_inside_the_world():
    found = happenings()
    assert len({h.id for h in found}) == len(found)
    assert FIRST_DAY <= found[0].at.date() and found[-1].at.date() <= LAST_DAY


def test_pushes_and_merges_change_at_the_cut_over():
    merges = {}
    for happening in happenings():
        slim = happening.at.date() >= CUT_OVER
        if happening.type == "PushEvent":
            assert ("commits" in json.loads(line(happening))["payload"]) is not slim
        if happening.type == "PullRequestEvent" and happening.facts["item"].merged_at:
            payload = json.loads(line(happening))["payload"]
            merges.setdefault(slim, set()).add((payload["action"], "user" in payload["pull_request"]))
    assert merges == {False: {("closed", True)}, True: {("merged", False)}}


def test_the_faults_of_the_archive_are_there():
    assert archive().file("archive", date(2025, 5, 7), 15) is None
    assert archive().file("archive2", date(2025, 5, 7), 15)
    assert archive().file("archive", date(2025, 5, 13), 4) is archive().file("archive2", date(2025, 5, 13), 4) is None
    assert all(archive().file("archive", *hour) == b"" for hour in EMPTY)
    assert max(len(lines_of("2025-10-11", h)) for h in range(24)) < 10
    assert OUTAGE[0] <= date(2025, 10, 11) <= OUTAGE[1]
    with pytest.raises(ValueError):
        lines_of("2025-05-06", 9)
    assert len(BROKEN) == 3 and all(MISSING[name] for name in ARCHIVES)


def test_late_nights_cross_midnight_and_no_other_day_does():
    crossing = set()
    for hours in archive().placed.values():
        for (day, _), found in hours.items():
            crossing |= {h.at.date() for h in found if h.at.date() != day}
    assert crossing == LATE_NIGHTS


def test_events_are_in_two_hours_and_in_one_archive_only():
    first, second = ({h.id for found in archive().placed[name].values() for h in found} for name in ARCHIVES)
    assert first - second and second - first
    counts = {}
    for found in archive().placed["archive"].values():
        for happening in found:
            counts[happening.id] = counts.get(happening.id, 0) + 1
    assert max(counts.values()) == 2


def test_what_hurts_is_there():
    full = [json.loads(line(h)) for h in happenings() if h.at.date() < date(2025, 8, 1)]
    pushes = [e["payload"] for e in full if e["type"] == "PushEvent"]
    assert any(p["size"] > len(p["commits"]) == 20 for p in pushes)
    assert any(e["actor"] is None for e in full)
    assert any(e["type"] == "PullRequestEvent" and e["payload"]["pull_request"]["user"] is None for e in full)
    names = {e["repo"]["name"] for e in full if e["repo"]["id"] == world().by_name["brindle-works/loom"].id}
    assert names == {"brindle-works/loomkit", "brindle-works/loom"}
    shas = [(c["sha"], e["repo"]["id"]) for e in full if e["type"] == "PushEvent" for c in e["payload"]["commits"]]
    assert len({sha for sha, _ in shas}) < len(set(shas)) < len(shas)
    assert {"HologramEvent", "GollumEvent"} <= {e["type"] for e in full}


def test_the_tarball_is_as_github_makes_it():
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(tarball()), mode="r:gz") as packed:
        names = packed.getnames()
        assert len(packed.pax_headers["comment"]) == 40
    assert len({name.partition("/")[0] for name in names}) == 1
    assert BROKEN_FILE in files() and sum("data/projects/" in n for n in names) == 60 + 2


@pytest.fixture(scope="module")
def may():
    return oracle.Oracle(oracle.observe(date(2025, 5, 1), date(2025, 5, 26)))


def test_ownership_in_the_world(may):
    by_name, projects = world().by_name, may.members["project"]
    assert by_name["tidewater/anchor"].id in projects["harbor-core"]
    assert projects["tidewater"] == {by_name["tidewater/buoy"].id}  # neither the explicit one nor the fork
    shared = by_name["reefhub/shared-sdk"].id
    assert projects["mirrorfish"] == {shared} and shared in projects["coralnet"]
    assert projects["castor-twin"] == projects["pollux-twin"]
    assert projects["vexel"] == {by_name["vexel-lab/oldpath"].id}
    assert not {"paper-only", "quiet-hill", "lost-letter", "ghost-ship"} & projects.keys()


def test_days_of_the_world(may):
    odd = {d.day: s for d, s in may.coverage.by_day["stars"].items() if s != "full"}
    assert odd == {13: "part", 21: "part", 23: "part", 24: "part", 25: "part", 26: "part"}
    anchor = world().by_name["tidewater/anchor"].id
    assert may.coverage.status(anchor, "commits", date(2025, 5, 8)) == "part"  # a push of 27 commits
    assert may.coverage.status(anchor, "issues", date(2025, 5, 8)) == "full"


def test_properties_hold(may):
    """active = new + returning; full + part = active; the daily counts add up to the month."""
    rows = may.timeseries()
    sums = {}
    for (level, who, metric, word, _), (amount, _, _) in rows.items():
        if word == "daily" and metric in ("commits", "stars", "comments"):
            sums[level, who, metric] = sums.get((level, who, metric), 0) + amount
    assert sums
    for (level, who, metric), total in sums.items():
        assert rows[level, who, metric, "monthly", date(2025, 5, 1)][0] == total
    month = date(2025, 5, 1)
    for level, who, metric, word, day in rows:
        if metric == "contributors" and word == "monthly" and day == month:

            def of(name, at=(level, who)):
                return rows.get((*at, name, "monthly", month), (0,))[0]

            assert of("new_contributors") + of("returning_contributors") == of("contributors")
            assert of("full_time_contributors") + of("part_time_contributors") == of("contributors")


def test_a_month_of_the_oracle_does_not_depend_on_the_mirror_order():
    first, last = date(2025, 5, 6), date(2025, 5, 8)
    assert oracle.timeseries(first, last) == oracle.timeseries(first, last, archives=ARCHIVES[::-1])


def test_world_times_are_utc():
    assert all(h.at.tzinfo is UTC for h in happenings()[:50])
    assert happenings()[0].at - datetime(2025, 5, 1, tzinfo=UTC) < timedelta(days=1)
