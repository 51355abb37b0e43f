"""From the API's answers to events: the hand-made day of acme/rocket, and a day of the demo's world."""

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pytest

from demo import connections
from demo.activity import happenings
from demo.oracle import Oracle, observe
from demo.oracle.events import read_events
from demo.server import DemoServer
from include import ingest
from include.sources import get_source
from include.sources.base import Window
from include.transform.runner import run_dbt
from tests.sources.standins import DAY, connect, settings_in


def nid(*parts):
    """metrics.md 1.8, by hand."""
    text = "".join(f"{len(part)}:{part}," for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def build_events(settings, *landed) -> duckdb.DuckDBPyConnection:
    """The events of these days of sources, the directory landed first."""
    ingest.ensure_raw_tables(settings)
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    for name, day in landed:
        ingest.land(get_source(name), Window.of(day), settings)
    arguments = ["build", "--full-refresh"]
    arguments += ["--select", "+int_events__github", "--indirect-selection", "cautious"]
    status, tail = run_dbt(settings, arguments, settings.dbt_target / "api")
    assert status == 0, tail
    return duckdb.connect(str(settings.duckdb_path), read_only=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, folder / "upstream")
        with build_events(settings_in(folder / "home"), ("github_api", DAY)) as db:
            yield db


def test_every_event_of_the_day_by_hand(built):
    """Read off acme_github in tests/sources/standins.py; number 1 is ann's, merged by a bot; 2 and 3 are ben's."""
    found = built.execute(
        "select event_type, object_id, event_source_id, cast(amount as integer), actor_is_bot, subject_is_bot, "
        "is_own_item from intermediate.int_events__github_by_provider where event_type <> 'COMMIT_CODE' order by all"
    ).fetchall()
    at = 1756684800  # 2025-09-01 00:00 UTC
    assert found == sorted(
        [
            ("FORKED", "501", "501", 1, False, None, False),
            ("ISSUE_CLOSED", "3", str(at + 14 * 3600), 1, False, False, False),
            ("ISSUE_COMMENT", "301", "301", 1, None, None, None),
            ("ISSUE_COMMENT", "302", "302", 1, False, False, False),
            ("ISSUE_COMMENT", "304", "304", 1, True, True, False),
            ("ISSUE_OPENED", "3", "3", 1, False, False, False),
            ("PULL_REQUEST_CLOSED", "2", str(at + 11 * 3600), 1, False, False, False),
            ("PULL_REQUEST_MERGED", "1", "1", 1, True, False, False),
            ("PULL_REQUEST_OPENED", "1", "1", 1, False, False, False),
            ("PULL_REQUEST_REOPENED", "2", str(at + 11 * 3600 + 1800), 1, False, False, False),
            ("PULL_REQUEST_REVIEW", "101", "101", 1, False, False, False),
            ("PULL_REQUEST_REVIEW_COMMENT", "201", "201", 1, False, False, False),
            ("PULL_REQUEST_REVIEW_COMMENT", "202", "202", 1, False, False, False),
            ("RELEASE_PUBLISHED", "401", "401", 1, False, None, False),
            ("STARRED", "2025-09-01", "2025-09-01", 3, None, None, False),
        ]
    )


def test_commits_belong_to_the_account_that_their_email_shows(built):
    """Ann's e-mail is linked in two of her three commits; the fourth names nobody."""
    ann = nid("artifact", "GITHUB", "user:1")
    found = built.execute(
        "select object_id, actor_id, cast(event_day as varchar) from intermediate.int_events__github_by_provider "
        "where event_type = 'COMMIT_CODE' order by 1"
    ).fetchall()
    assert found == [
        ("a" * 40, ann, "2025-09-01"),
        ("b" * 40, ann, "2025-08-20"),
        ("c" * 40, None, "2025-09-01"),
        ("d" * 40, ann, "2025-08-31"),
    ]


def test_ids_can_be_derived_by_anybody(built):
    ids = dict(built.execute("select object_id, event_id from intermediate.int_events__github_by_provider").fetchall())
    assert ids["a" * 40] == nid("event", "GITHUB", "COMMIT_CODE", "7", "a" * 40)
    assert ids["2"] == nid("event", "GITHUB", "PULL_REQUEST_CLOSED", "7", "2", "1756724400") or ids["2"] == nid(
        "event", "GITHUB", "PULL_REQUEST_REOPENED", "7", "2", "1756726200"
    )
    assert ids["2025-09-01"] == nid("event", "GITHUB", "STARRED", "7", "2025-09-01")


def test_a_quiet_repository_is_full_for_every_family(built):
    found = built.execute(
        "select repo_id, count(*), count_if(is_full) from staging.stg_github_api__repository_days group by 1 order by 1"
    ).fetchall()
    assert found == [(7, 9, 9), (8, 9, 9), (9, 9, 9)]


def told(day: date, asked: set[int]) -> Counter[str]:
    """Amount by event id of what happened in the world that day, as GitHub knows it at the world's end."""
    found, seen = Counter(), set()

    def add(kind: str, repo_id: int, at: datetime, *key: str) -> None:
        if at.date() == day and repo_id in asked:
            found[nid("event", "GITHUB", kind, str(repo_id), *key)] += 1

    def is_new(*thing) -> bool:
        return thing not in seen and not seen.add(thing)

    for h in happenings():
        number, facts = h.repo.id, h.facts
        item, action, second = facts.get("item"), facts.get("action"), str(int(h.at.timestamp()))
        if h.type == "PushEvent" and facts["branch"] == h.repo.default_branch:
            shas = [commit[0] for commit in facts["commits"]]
            unlisted = range(len(shas), facts["size"])
            shas += [hashlib.sha1(f"{h.id}/{n}".encode(), usedforsecurity=False).hexdigest() for n in unlisted]
            for n, sha in enumerate(shas):
                at = h.at - timedelta(seconds=n)
                own = not h.repo.is_fork or at >= datetime.combine(h.repo.created_on, time(7, 12), UTC)
                if is_new(number, sha) and own:
                    add("COMMIT_CODE", number, at, sha)
        elif h.type == "WatchEvent" and h.actor and h.actor.id % 50 and is_new(number, "star", h.actor.id):
            add("STARRED", number, h.at, str(day))
        elif h.type == "ForkEvent":
            add("FORKED", number, h.at, str(facts["fork_id"]))
        elif h.type == "ReleaseEvent":
            add("RELEASE_PUBLISHED", number, h.at, str(facts["object_id"]))
        if not item:
            continue
        kind = "PULL_REQUEST" if item.is_pull else "ISSUE"
        if is_new(number, "item", item.number):
            add(f"{kind}_OPENED", number, item.opened_at, str(item.number))
        if h.type == "IssueCommentEvent":
            add("ISSUE_COMMENT", number, h.at, str(facts["object_id"]))
        elif h.type == "PullRequestReviewEvent":
            add("PULL_REQUEST_REVIEW", number, h.at, str(facts["object_id"]))
        elif h.type == "PullRequestReviewCommentEvent":
            add("PULL_REQUEST_REVIEW_COMMENT", number, h.at, str(facts["object_id"]))
            add("PULL_REQUEST_REVIEW", number, h.at, str(facts["object_id"] + 1))
        elif action == "closed" and item.merged_at:
            add("PULL_REQUEST_MERGED", number, h.at, str(item.number))
        elif action in ("closed", "reopened"):
            add(f"{kind}_{action.upper()}", number, h.at, str(item.number), second)
    return found


def test_the_union_of_both_providers_is_what_happened_in_the_world(tmp_path, monkeypatch):
    """The API was asked for the first of two days: that day's events are GitHub's, all others those of the archive."""
    first, second = date(2025, 9, 3), date(2025, 9, 4)
    with DemoServer() as server:
        for name, value in connections(server.base_url).items():
            monkeypatch.setenv(name, value)
        days = (("github_archive", first), ("github_archive", second), ("github_api", first))
        with build_events(settings_in(tmp_path), *days) as db:
            asked = db.execute(
                "select repo_id, bool_and(is_full) from staging.stg_github_api__repository_days group by 1"
            ).fetchall()
            found = db.execute(
                "select event_id, cast(sum(amount) as integer) from intermediate.int_events__github group by 1"
            ).fetchall()
    assert len(asked) > 100 and all(is_full for _, is_full in asked)
    repos = {repo_id for repo_id, _ in asked}
    by_api = told(first, repos)
    archived = read_events(observe(first, second).events)
    others = {e.event_id for e in archived if e.day != first or e.repo_id not in repos} - by_api.keys()
    assert len(by_api) > 100 and len(others) > 100
    expected = by_api | dict.fromkeys(others, 1)
    assert {k: (expected.get(k), n) for k, n in found if expected.get(k) != n} == {}
    assert expected.keys() - dict(found).keys() == set()
    by_oracle = {e.event_id: e.amount for e in Oracle(observe(first, second, asked=[first])).events}
    assert by_oracle == expected
