"""A build of what changed leaves what a build of everything would: every exported row, after days that reach back."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from include import ingest, transform
from include.lake.catalog import open_catalog
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.world import World

R1, R2, R3, R4 = (1, "one/r1"), (2, "one/r2"), (3, "two/r3"), (4, "one/r4")
FIRST = date(2024, 1, 30)
# clusters of landed days over more than a year, so that every window looks back at something and at gaps
DAYS = [FIRST + timedelta(days=n) for n in (0, 1, 2, 30, 31, 60, 95, 150, 180, 181, 300, 330, 360, 361, 395, 400, 401)]
LAST = DAYS[-1]  # 2025-03-06
EMPTIED, DOUBLED = DAYS[3], DAYS[13]
CHANGED, NEXT, AFTER = DAYS[11], LAST + timedelta(days=1), LAST + timedelta(days=5)
BY_RUN = {"computed_at", "run_id", "lag_hours", "last_success_at", "valid_from"}
PROJECTS = {"x": [f"https://github.com/{R1[1]}", f"https://github.com/{R3[1]}"], "y": ["https://github.com/one"]}


def issue(world: World, at: str, repo, number: int, opened: str, actor: int = 7, **user) -> None:
    """An issue that `actor` opens, with another time of opening."""
    author = {"id": actor, "login": f"user{actor}", "type": "User"} | user
    item = {"number": number, "user": author, "created_at": opened.replace(" ", "T") + "Z"}
    world.event(at, "IssuesEvent", repo, {"action": "opened", "issue": item}, actor=actor)


def item_day(world: World, day: date, seed: int, n: int, repo) -> None:
    """Answers, closings and merges of what was opened that day or the landed day before, and now and then a release."""

    def act(hour: int, kind: str, who: int, action: str, **payload) -> None:
        world.event(f"{day} {hour:02}:10:0{n}", kind, repo, {"action": action} | payload, actor=who)

    user = {who: {"id": who, "login": f"user{who}", "type": "User"} for who in range(30, 36)}
    # only the opening tells who opened it and when
    now, before = ({"number": number * 10 + n} for number in (seed, seed - 1))
    answer = {"id": seed * 100 + n, "user": user[31 + seed % 3]}
    act(7, "IssueCommentEvent", 31 + seed % 3, "created", issue=now if seed % 2 else before, comment=answer)
    act(8, "IssuesEvent", 32, "closed", issue=before)
    if seed % 4 == 0:
        act(9, "IssuesEvent", 33, "reopened", issue=before)
    pull = {"number": 5000 + seed * 10 + n, "user": user[30 + seed % 4], "created_at": f"{day}T10:00:00Z"}
    act(10, "PullRequestEvent", 30 + seed % 4, "opened", number=pull["number"], pull_request=pull)
    if seed % 3:
        review = {"id": seed * 100 + n, "user": user[31], "submitted_at": f"{day}T11:10:00Z"}
        act(11, "PullRequestReviewEvent", 31, "created", review=review, pull_request=pull)
    merged = pull | {"merged_at": f"{day}T12:10:00Z", "merged_by": user[30 + seed % 2]} if seed % 5 else pull
    act(12, "PullRequestEvent", 30 + seed % 2, "closed", number=pull["number"], pull_request=merged)
    if seed % 2 == 0:
        release = {"id": seed * 100 + n, "author": user[32], "prerelease": seed % 3 == 0}
        act(13, "ReleaseEvent", 32, "published", release=release | {"published_at": f"{day}T13:10:00Z"})


def usual_day(world: World, day: date, seed: int) -> None:
    """Pushes, issues, pull requests and stars of a few people that come, go and come back."""
    for n, repo in enumerate((R1, R2, R3)):
        who = "ABCDEFG"[(seed * 3 + n) % 7]
        world.push(f"{day} 0{n + 1}:00:00", repo, [(f"{day}-{n}", who), (f"shared-{seed % 5}", who)])
        world.push(f"{day} 0{n + 1}:30:00", repo, [(f"{day}-dev-{n}", "H")], ref="develop")
        world.star(f"{day} 05:00:0{n}", repo, 20 + seed % 3)
        issue(world, f"{day} 06:00:0{n}", repo, seed * 10 + n, f"{day} 06:00:0{n}", actor=30 + (seed + n) % 4)
        item_day(world, day, seed, n, repo)


def pull_request(number: int, **fields) -> dict:
    """The payload's part of a pull request."""
    base = {"repo": {"default_branch": "develop", "created_at": "2021-05-05T00:00:00Z", "fork": False}}
    user = {"id": 31, "login": "user31", "type": "User"}
    return {"number": number, "user": user, "created_at": "2025-03-01T10:00:00Z", "base": base} | fields


def reach_back(world: World) -> None:
    """The day after, whose events tell new things about days long built."""
    usual_day(world, NEXT, 40)
    # repository 4 appears, two years old; repository 1 turns out to use another default branch
    payload = {"action": "opened", "number": 1, "pull_request": pull_request(1)}
    world.event(f"{NEXT} 01:00:00", "PullRequestEvent", R4, payload, actor=31)
    world.event(f"{NEXT} 01:00:01", "PullRequestEvent", R1, payload, actor=31)
    # a merge before midnight whose event came after, and a star that no file of the day before has
    merged = pull_request(2, merged_at=f"{LAST}T23:59:59Z", merged=True, merged_by={"id": 33, "login": "user33"})
    closed = {"action": "closed", "number": 2, "pull_request": merged}
    world.event(f"{NEXT} 00:00:02", "PullRequestEvent", R2, closed, actor=33)
    star = world.star(f"{LAST} 20:00:00", R3, 99)
    world.events[(LAST, 20)].remove(star)
    world.put(star, NEXT, 2)
    # so does the first answer to an issue of that day
    asked = {"number": (len(DAYS) - 1) * 10 + 1}
    answer = {"id": 9999, "user": {"id": 35, "login": "user35", "type": "User"}}
    late = world.event(
        f"{LAST} 06:30:00", "IssueCommentEvent", R2, {"action": "created", "issue": asked, "comment": answer}, actor=35
    )
    world.events[(LAST, 6)].remove(late)
    world.put(late, NEXT, 2)
    # an issue opened long ago moves in; account 30 turns out to be a bot; a push is cut
    issue(world, f"{NEXT} 09:00:00", R3, 900, "2024-02-20 00:00:00")
    issue(world, f"{NEXT} 09:00:01", R3, 901, f"{NEXT} 09:00:01", actor=30, type="Bot")
    world.push(f"{NEXT} 10:00:00", R2, [("cut", "A")], size=30)


def write(folder, world: World, projects, members=("x", "y")) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    world.folder = folder / f"v{len(list(folder.iterdir()))}"
    return world.write(projects, {"k": members})


def land(settings, monkeypatch, connections, days, directory=False) -> None:
    for name, value in connections.items():
        monkeypatch.setenv(name, value)
    if directory:
        ingest.land(get_source("oss_directory"), Window.of(date.today()), settings, force=True, allow_shrink=True)
    for day in days:
        ingest.land(get_source("github_archive"), Window.of(day), settings)


def exports(settings) -> dict[str, list[tuple]]:
    """Every exported row by table, without what tells the run."""
    catalog, found = open_catalog(settings, "lake"), {}
    for _, name in catalog.list_tables("exports"):
        if name != "models_v1":
            rows = catalog.load_table(f"exports.{name}").scan().to_arrow()
            rows = rows.drop_columns([c for c in rows.column_names if c in BY_RUN])
            found[name] = duckdb.sql("select * from rows order by all").fetchall()
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The exports after five builds of what changed, and after one build of everything; with their plans."""
    folder = tmp_path_factory.mktemp("increment")
    world = World(folder, FIRST, AFTER)
    for n, day in enumerate(DAYS):
        usual_day(world, day, n)
    first = write(folder, world, PROJECTS)
    reach_back(world)
    second = write(folder, world, PROJECTS)
    # a day of the past changes: what was somebody's first contribution is gone, another came earlier
    for hour in (1, 6):
        world.events[(CHANGED, hour)] = []
    world.push(f"{CHANGED} 12:00:00", R2, [("shared-1", "Z"), (f"{LAST}-0", "B")])
    third = write(folder, world, {"x": [f"https://github.com/{R1[1]}"], "y": ["https://github.com/two"]})
    usual_day(world, AFTER, 41)
    fourth = write(folder, world, {"x": [f"https://github.com/{R1[1]}"], "y": ["https://github.com/two"]})
    # nothing of a full day is left, every line of another stands in two files, two projects swap what they list, one
    # leaves the collection, and one is new in it
    for hour in range(24):
        world.events.pop((EMPTIED, hour), None)
    for hour in range(23, -1, -1):
        for line in world.events.get((DOUBLED, hour), [])[:]:
            world.put(line, DOUBLED, min(hour + 1, 23))
    swapped = {
        "x": ["https://github.com/two"],
        "y": [f"https://github.com/{R1[1]}"],
        "z": [f"https://github.com/{R2[1]}"],
    }
    fifth = write(folder, world, swapped, ("y", "z"))
    steps = [
        (first, DAYS, True),
        (second, [NEXT], False),
        (third, [CHANGED], True),
        (fourth, [AFTER], False),
        (fifth, [DOUBLED, EMPTIED], True),
    ]
    with pytest.MonkeyPatch.context() as monkeypatch:
        plans, found, homes = [], [], []
        for home, together in (("partly", False), ("wholly", True)):
            monkeypatch.setenv("OPENIMPACT_HOME", str(folder / home))
            settings = load_settings()
            ingest.ensure_raw_tables(settings)
            for number, step in enumerate(steps):
                land(settings, monkeypatch, *step)
                if not together or number == len(steps) - 1:
                    plans.append(transform.build(settings, f"{home}-{number}")["rebuild_from"])
            found.append(exports(settings))
            homes.append(settings)
        yield plans, *found, homes


def test_only_the_changed_days_are_rebuilt(built):
    plans, *_ = built
    assert plans == ["all", str(NEXT), str(CHANGED), str(AFTER), str(EMPTIED), "all"]


def test_every_exported_row_is_that_of_a_whole_build(built):
    _, partly, wholly, _ = built
    assert partly.keys() == wholly.keys() and len(partly["timeseries_metrics_by_project_v1"]) > 1000
    for name, rows in wholly.items():
        odd = set(map(str, rows)) ^ set(map(str, partly[name]))
        assert not odd, f"{name}: {len(odd)} rows differ, {sorted(odd)[:6]}"
        assert partly[name] == rows


def test_after_a_build_that_did_not_finish_everything_is_built_until_one_does(built):
    *_, (settings, _) = built
    today = str(datetime.now(UTC).date())
    assert [transform.plan(settings, run)["rebuild_from"] for run in "aabbc"] == [
        *(today, today),
        *("all", "all", "all"),
    ]
