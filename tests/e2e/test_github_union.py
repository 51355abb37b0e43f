"""GitHub's events by two providers: which one counts on a day, and that builds of what changed leave the same rows."""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha1

import pytest

from demo.github_api import GitHub, person
from demo.oracle import Oracle, compare
from demo.oracle.metrics import METRICS
from demo.oracle.others import STOCKS
from demo.oracle.told import tell
from demo.server import DemoServer
from include import ingest, transform
from include.lake.catalog import open_catalog
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.test_github_api import nid
from tests.e2e.test_increment import exports
from tests.e2e.world import World
from tests.sources.standins import git_commit

R1, R2, R3 = (1, "one/r1"), (2, "one/r2"), (3, "one/r3")
FIRST, LAST = date(2025, 9, 29), date(2025, 10, 8)
DIRECTORY = {"x": [f"https://github.com/{name}" for _, name in (R1, R2, R3)]}, {"k": ["x"]}
ANN, BEN = (sha1(name, usedforsecurity=False).hexdigest() for name in (b"ann", b"ben"))


def days(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def archived(folder) -> World:
    """The archive: G3 and G16, with a commit made before midnight and pushed after it."""
    world = World(folder, FIRST, LAST)
    world.push("2025-09-30 23:59:00", R1, [("s1", ANN), ("5" * 40, ANN), ("s3", BEN)])
    world.push("2025-10-01 09:00:00", R1, [("s4", ANN)], ref="feature")
    world.push("2025-10-01 10:00:00", R1, [(f"c{n}", ANN) for n in range(20)], size=25)
    world.push("2025-10-05 12:00:00", R1, [("gone", BEN)])
    world.push("2025-10-06 00:10:00", R1, [("1" * 40, BEN), ("m1", BEN)])
    slim = {"ref": "refs/heads/main", "head": "9" * 40}
    world.event("2025-10-08 10:00:00", "PushEvent", R1, slim, actor=66)
    for repo in (R2, R3):
        world.push("2025-10-04 08:00:00", repo, [(f"first of {repo[0]}", ANN)])
    for at in ("2025-10-07 05:00:00", "2025-10-08 05:00:00"):
        for user in (21, 22, 22):
            world.star(at, R1, user)
    return world


def commit(sha: str, at: str, local: str, user: dict | None, name: str = "Ann") -> dict:
    author = {"__typename": "GitActor", "name": name, "email": f"{local}@ex.org", "user": user}
    return git_commit(sha, at, author=author)


def founded() -> GitHub:
    """What GitHub tells before anything happens below."""
    made = GitHub()
    for number, name in (R1, R2, R3):
        made.add(number, name, created_at="2020-01-01T00:00:00Z", updatedAt="2025-12-01T00:00:00Z")
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings after three builds of what changed, their plans, exports, those of a build of everything, the truth."""
    folder, made = tmp_path_factory.mktemp("union"), founded()
    world = archived(folder / "upstream")
    r1, r3 = made.shelves[1], made.shelves[3]
    ann, ben = person(7, "ann"), person(8, "ben")
    archive, api, snapshot = map(get_source, ("github_archive", "github_api", "github_repositories"))
    with DemoServer(github_api=made) as server, pytest.MonkeyPatch.context() as monkeypatch:
        host = server.base_url.replace("://", "://:planted-token@")
        for name, value in (world.write(*DIRECTORY) | {"AIRFLOW_CONN_GITHUB_API": f"{host}/github"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OPENIMPACT_HOME", str(folder / "home"))
        settings, plans = load_settings(), []

        def build(*landed):
            for source, day in landed:
                now = datetime.combine(day, time(12), UTC) if source is snapshot else None
                ingest.land(source, Window.of(day), settings, now=now, allow_shrink=True, force=True)
            ingest.ensure_raw_tables(settings)
            plans.append(transform.build(settings, f"step-{len(plans)}")["rebuild_from"])

        directory = (get_source("oss_directory"), datetime.now(UTC).date())
        # a table's first rows build everything
        made.shelves[2].commits.append(commit("c", "2025-10-02T08:00:00Z", "ann", None))
        build(
            directory,
            *((archive, day) for day in days("2025-09-29", "2025-10-06")),
            (api, date(2025, 10, 2)),
            (snapshot, date(2025, 9, 30)),
        )
        # the API tells whose e-mail long built commits have; an old day becomes full, of which a commit was pushed, and
        # counted, the day after
        r1.commits[:] = [
            commit("a", "2025-10-07T23:00:00Z", "ben", ben),
            commit("1", "2025-10-05T23:50:00Z", "ben", ben),
            commit("5", "2025-09-30T23:58:00Z", "ann", ann),
        ]
        r1.stars.update({date(2025, 10, 7): 5})
        r3.commits.append(commit("3", "2025-10-05T09:00:00Z", "ann", ann))
        r1.repository["stargazerCount"] = 8
        build(
            *((archive, date(2025, 10, 7)), (api, date(2025, 10, 7)), (api, date(2025, 10, 5))),
            (snapshot, date(2025, 10, 8)),
        )
        # a merge brings a commit of the full day, r3 is a fork made after its commit, stars are not told that day; a
        # snapshot comes late, and r2 is nobody's any more
        r1.commits[:0] = [
            commit("9", "2025-10-08T09:50:00Z", "ann", ann),
            commit("2", "2025-10-05T10:00:00Z", "cleo", None, name="Cleo[bot]"),
        ]
        r3.repository |= {"isFork": True, "createdAt": "2025-10-05T10:00:00Z"}
        made.has_star_history = False
        r1.repository["stargazerCount"] = 6
        (listing,) = folder.glob("upstream/directory/data/projects/x/*.yaml")
        listing.write_text(listing.read_text().replace(f"\n  - url: https://github.com/{R2[1]}", ""))
        build((archive, date(2025, 10, 8)), (api, date(2025, 10, 8)), (snapshot, date(2025, 10, 4)), directory)
        partly = exports(settings)
        settings.duckdb_path.unlink()
        build()
        made.has_star_history = True  # as it was on the days before
        told = tell(made, DIRECTORY[0], [date(2025, 10, n) for n in (2, 5, 7, 8)])
        told.full -= {(number, "stars", LAST) for number in made.shelves}
        projects = {"x": [url for url in DIRECTORY[0]["x"] if not url.endswith(R2[1])]}
        yield settings, plans, partly, exports(settings), Oracle(world.observed(projects, DIRECTORY[1], told))


def test_only_what_the_landings_reach_is_rebuilt(built):
    _, plans, *_ = built
    assert plans == ["all", "2025-10-05", "2025-10-08", "all"]


def test_every_exported_row_is_that_of_a_whole_build(built):
    *_, partly, wholly, _ = built
    assert partly.keys() == wholly.keys()
    for name, rows in wholly.items():
        odd = set(map(str, rows)) ^ set(map(str, partly[name]))
        assert not odd, f"{name}: {len(odd)} rows differ, {sorted(odd)[:6]}"


def test_every_metric_is_the_true_one(built):
    settings, *_, truth = built
    compared = compare.compare(compare.read(open_catalog(settings, "lake"), "exports"), [truth], sources={"GITHUB"})
    compared = [one for one in compared if one.metric not in STOCKS]  # test_truth_of_others.py has these
    assert compare.complaint(compared) is None
    assert len(compared) == len(METRICS)


def exported(settings, table: str, **wanted) -> list[dict]:
    found = open_catalog(settings, "lake").load_table(f"exports.{table}").scan().to_arrow().to_pylist()
    return [row for row in found if all(row[key] == value for key, value in wanted.items())]


def daily(settings, metric: str, repo: tuple[int, str]) -> dict[str, tuple[float, str]]:
    wanted = {"metric": metric, "window": "daily", "artifact_id": nid("artifact", "GITHUB", f"repo:{repo[0]}")}
    found = exported(settings, "timeseries_metrics_by_artifact_v1", **wanted)
    return {str(row["sample_date"]): (row["amount"], row["quality"]) for row in found}


def test_commits_around_the_cut_over_count_once_by_the_provider_of_their_day(built):
    """G3; and on 10-05 the API's commit, not its copy pushed on 10-06 nor what the archive alone has; no bot's."""
    settings, *_ = built
    assert daily(settings, "commits", R1) == {
        "2025-09-30": (3, "partial"),
        "2025-10-01": (20, "partial"),
        "2025-10-05": (1, "ok"),
        "2025-10-06": (1, "partial"),
        "2025-10-07": (1, "ok"),
        "2025-10-08": (1, "ok"),
    }
    assert daily(settings, "commits", R3) == {"2025-10-04": (1, "partial")}


def test_stars_are_those_of_the_api_where_it_tells_them(built):
    """G16: two people starred on each day; on the first the API says 5, on the second it does not tell."""
    settings, *_ = built
    assert daily(settings, "stars", R1) == {"2025-10-07": (5, "ok"), "2025-10-08": (2, "partial")}


def test_a_late_snapshot_tells_its_day_and_those_after_it(built):
    """r1 held 0 stars on 09-30, 6 on 10-04 and 8 on 10-08, r3 none; r2 was the project's until the last build."""
    settings, *_ = built
    wanted = {"metric": "stars_total", "project_id": nid("project", "OSS_DIRECTORY", "oso", "x")}
    found = exported(settings, "timeseries_metrics_by_project_v1", **wanted)
    assert {str(row["sample_date"])[5:]: (row["amount"], row["quality"]) for row in found} == {
        "09-30": (0, "ok"),
        **{f"10-0{day}": (0, "partial") for day in (1, 2, 3)},
        "10-04": (6, "ok"),
        **{f"10-0{day}": (6, "partial") for day in (5, 6, 7)},
        "10-08": (8, "ok"),
    }


def test_commits_of_the_archive_belong_to_the_account_that_the_api_shows(built):
    settings, *_ = built
    found = exported(settings, "timeseries_events_by_artifact_v1", event_type="COMMIT_CODE")
    actors = {row["event_source_id"]: (row["from_artifact_id"], row["provider"]) for row in found}
    assert actors["s1"] == (nid("artifact", "GITHUB", "user:7"), "archive")
    assert actors["s3"] == (nid("artifact", "GITHUB", "user:8"), "archive")
    assert actors["1" * 40] == (nid("artifact", "GITHUB", "user:8"), "github_api")
    assert "gone" not in actors and actors["2" * 40][1] == "github_api"
    # G3: the developer of 10-08 is the git author, not pusher 66
    assert actors["9" * 40] == (nid("artifact", "GITHUB", "user:7"), "github_api")


def test_coverage_names_the_days_of_the_api(built):
    settings, *_ = built
    wanted = {"provider": "github_api", "artifact_id": nid("artifact", "GITHUB", "repo:1"), "family": "stars"}
    found = exported(settings, "coverage_v1", **wanted)
    spans = sorted((str(row["from_day"]), str(row["to_day"]), row["status"]) for row in found)
    assert spans == [
        ("2025-10-02", "2025-10-02", "full"),
        ("2025-10-05", "2025-10-05", "full"),
        ("2025-10-07", "2025-10-07", "full"),
        ("2025-10-08", "2025-10-08", "none"),
    ]
