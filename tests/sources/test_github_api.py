"""GitHub's API day by day: what is kept, every limit and fault, and the recorded answers."""

import ast
import hashlib
import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, cycle, repeat

import pytest

from demo.activity import happenings
from demo.github_api import github, node_id, person
from demo.graphql import Refused
from demo.server import DemoServer, Fault
from demo.world import world
from include.errors import (
    BadCredentials,
    ContractBroken,
    FixNeeded,
    OpenImpactError,
    RateLimited,
    SuspectData,
    Unavailable,
)
from include.http import HttpClient
from include.sources import _github_api_client as client
from include.sources import _github_api_queries as queries
from include.sources import get_source
from include.sources.base import Batch, Context, Coverage, Listed, Previous, Rejected, Window, parse_connection
from tests.bench.upstreams import tracked_repositories
from tests.sources.conftest import GITHUB
from tests.sources.standins import ANN, DAY, acme_github, git_commit

SOURCE, SNAPSHOT = get_source("github_api"), get_source("github_repositories")
NOW = datetime(2025, 9, 3, 12, tzinfo=UTC)
ROCKET = Listed("acme", "github_repo", "acme/rocket")
TOOLS = Listed("tools", "github_owner", "toolsmith")
PLANTED = "ghp_planted0123456789"
QUERY = "/github/graphql"


class Landed:
    """What one fetch yielded, by kind."""

    def __init__(self, items):
        items = list(items)
        self.rejected = [(i.stream, i.part, i.reason) for i in items if isinstance(i, Rejected)]
        self.coverage = {(i.stream, i.part): i for i in items if isinstance(i, Coverage)}
        self.rows = {}
        for item in items:
            if isinstance(item, Batch):
                self.rows.setdefault(item.stream, []).extend(item.rows.to_pylist())

    def get(self, stream, *columns):
        return sorted((tuple(row[c] for c in columns) for row in self.rows.get(stream, [])), key=repr)

    def status(self, stream, part):
        found = self.coverage[stream, part]
        return found.status, found.observed, found.reason


@pytest.fixture
def server(waits):
    with DemoServer(github_api=acme_github()) as one:
        yield one


def context(server, *listed, tokens=PLANTED, **more):
    env = {"AIRFLOW_CONN_GITHUB_API": server.base_url.replace("://", f"://:{tokens}@") + "/github"}
    connection = parse_connection(env, "github_api", ())
    http = HttpClient(connection.login, connection.password, sleep=lambda s: None)
    return Context(connection=connection, http=http, now=more.pop("now", NOW), listed=listed, **more)


def fetch(server, *listed, day=DAY, **more):
    return Landed(SOURCE.fetch(Window.of(day), context(server, *(listed or (ROCKET, TOOLS)), **more)))


def snapshot(server, *listed, **more):
    made = context(server, *(listed or (ROCKET, TOOLS)), **more)
    return Landed(SNAPSHOT.fetch(Window.of(made.now.date()), made))


# what is kept; the expected rows are read off acme_github in standins.py


def test_commits_of_the_day_and_of_two_weeks_before_are_kept_however_late_they_arrived(server):
    commits = fetch(server).get("commits", "repo_id", "sha", "author_email", "author_id", "additions")
    ann = hashlib.sha1(b"ann", usedforsecurity=False).hexdigest() + "@example.org"
    assert commits == [
        (7, "a" * 40, ann, 1, 5),
        (7, "b" * 40, ann, None, 5),
        (7, "c" * 40, None, None, 5),
        (7, "d" * 40, ann, 1, 5),
    ]


def test_pull_requests_their_closings_reviews_and_talk_are_of_the_day(server):
    landed = fetch(server)
    assert landed.get("pull_requests", "number", "author_login", "merged_by_login", "merged_by_type", "state") == [
        (1, "ann", "mergebot[bot]", "Bot", "MERGED")
    ]
    assert landed.get("item_events", "number", "event", "actor_login", "is_pull_request", "item_author_id") == [
        (1, "closed", "mergebot[bot]", True, 1),  # the merge closes it too
        (2, "closed", "ann", True, 2),
        (2, "reopened", "ben", True, 2),
        (3, "closed", "ann", False, 2),
    ]
    assert landed.get("reviews", "review_id", "number", "author_login", "state") == [(101, 1, "ben", "APPROVED")]
    assert landed.get("review_comments", "comment_id", "review_id", "item_author_id") == [(201, 101, 1), (202, 101, 1)]
    assert landed.get("issues", "number", "author_login", "state") == [(3, "ben", "CLOSED")]
    assert landed.get("comments", "repo_id", "comment_id", "author_login", "on_pull_request") == [
        (7, 301, None, True),
        (7, 302, "ann", False),
        (8, 304, "mergebot[bot]", False),
    ]


def test_releases_are_of_the_day_they_are_published_and_drafts_are_not(server):
    landed = fetch(server)
    assert landed.get("releases", "release_id", "is_prerelease", "author_login") == [(401, True, "ann")]
    assert landed.get("forks", "fork_id", "fork_name", "owner_login") == [(501, "ben/rocket", "ben")]
    assert landed.get("stars", "repo_id", "star_count") == [(7, 3), (8, 0)]


def test_coverage_tells_moved_quiet_and_missing_repositories_apart_and_private_ones_stay_out(server):
    ghost = Listed("ghost", "github_repo", "ghost/ship")
    secret = Listed("tools", "github_repo", "toolsmith/secret")
    landed = fetch(server, ROCKET, TOOLS, ghost, secret)
    assert landed.get("repositories", "repo_id", "is_listed", "is_fork", "is_archived", "has_moved") == [
        (7, True, False, False, True),
        (8, False, False, False, True),
        (9, False, True, True, False),
    ]
    assert landed.status("repositories", "7") == ("complete", 1, None)
    assert landed.status("repositories", "9") == ("complete", 1, "nothing changed since 2025-09-01")
    assert landed.status("repositories", "ghost/ship")[:2] == ("known_missing", 0)
    assert landed.status("repositories", "toolsmith/secret") == ("known_missing", 0, "it is not public")
    assert landed.status("commits", "7") == ("complete", 4, None)
    assert landed.status("releases", "8") == ("complete", 0, None)
    assert ("commits", "9") not in landed.coverage
    assert "secret" not in repr(landed.rows)


def test_a_renamed_repository_keeps_its_number_and_is_read_once(server):
    server.github.names["acme/old-rocket"] = 7
    landed = fetch(server, ROCKET, Listed("acme", "github_repo", "acme/old-rocket"))
    assert landed.get("repositories", "repo_id", "repo_name") == [(7, "acme/rocket")]


def test_pages_are_followed_though_they_drift(server):
    rocket = server.github.shelves[7]
    for n in range(250):
        rocket.commits.insert(1, git_commit("0", "2025-09-01T05:00:00Z", oid=f"{n:040x}"))
    issue = rocket.issues[0]
    for n in range(120):
        server.github.comment(issue, 1000 + n, "2025-09-01T21:00:00Z", ANN)
        server.github.item(rocket, 100 + n, "2025-09-01T05:00:00Z", ANN, is_pull=n % 2 == 0)
    landed = fetch(server)
    assert landed.status("commits", "7") == ("complete", 254, None)
    assert landed.status("comments", "7") == ("complete", 122, None)
    assert landed.status("pull_requests", "7") == ("complete", 61, None)
    assert landed.status("issues", "7") == ("complete", 61, None)


@pytest.mark.parametrize("cursors", ["a", "ab", ""], ids=["same", "loop", "endless"])
def test_pages_that_repeat_mark_their_stream_damaged_and_no_other(server, cursors):
    forks = [
        {"databaseId": 600 + n, "nameWithOwner": "x/y", "createdAt": "2025-09-01T05:00:00Z", "owner": None}
        for n in range(50)
    ]
    following = cycle(cursors) if cursors else map(str, count())

    def again(rows):
        turn = cycle([rows, rows[::-1]]) if cursors == "ab" else repeat(rows)
        return lambda **_: {"nodes": next(turn), "pageInfo": {"hasNextPage": True, "endCursor": next(following)}}

    server.github.shelves[7].repository["forks"] = again(forks)
    landed = fetch(server, ROCKET)
    assert landed.status("forks", "7") == ("damaged", 50, "the pages repeat")
    assert landed.status("commits", "7")[0] == "complete"
    server.github.owners["toolsmith"]["repositories"] = again([{"id": node_id("R", n)} for n in (8, 9)])
    landed = fetch(server, TOOLS)
    assert landed.status("repositories", "owner toolsmith")[::2] == ("damaged", "the pages repeat")


def test_the_star_history_is_asked_where_it_was_not_yet_shown_on_the_first_page(server):
    rocket = server.github.shelves[7]
    rocket.stars[DAY + timedelta(days=400)] = 1
    assert fetch(server, now=NOW + timedelta(days=400)).get("stars", "repo_id", "star_count") == [(7, 3), (8, 0)]


def test_a_day_without_a_star_is_zero_wherever_the_history_begins_and_ends(server):
    stars = server.github.shelves[7].stars
    for first, last in ((10, 3), (400, 300), (-1, -2), (-200, -300)):  # days before the day
        stars.clear()
        stars.update({DAY - timedelta(days=first): 1, DAY - timedelta(days=last): 1})
        assert fetch(server, now=NOW + timedelta(days=420)).get("stars", "repo_id", "star_count") == [(7, 0), (8, 0)]


def test_a_closed_star_history_is_missing_not_zero(server):
    server.github.has_star_history = False
    landed = fetch(server)
    assert landed.get("stars", "repo_id") == [(8,)]  # nothing touched it since the day before
    assert landed.status("stars", "7") == ("missing", 0, "the star history answers 404")


# limits


def test_a_secondary_limit_waits_as_told(server, waits):
    server.faults.limited(QUERY, retry_after=7)
    assert fetch(server).rows["commits"]
    assert waits and 6 < waits[0] <= 7


def test_a_limit_without_retry_after_waits_a_minute_and_then_longer(server, waits, monkeypatch):
    monkeypatch.setattr(client, "LONGEST_WAIT_S", 1000)
    server.faults.add(QUERY, Fault(1, status=429))
    server.faults.add(QUERY, Fault(1, status=403, body=b'{"message": "You have exceeded a secondary rate limit"}'))
    assert fetch(server).rows["commits"]
    assert [round(s) for s in waits] == [60, 120]


def test_a_limit_that_lasts_fails_the_day_and_says_when_it_opens(server):
    server.faults.limited(QUERY, times=-1, retry_after=900)
    with pytest.raises(RateLimited, match="quota of all 1 tokens is spent.*the task retries then") as caught:
        fetch(server)
    assert 890 < (caught.value.retry_at - datetime.now(UTC)).total_seconds() <= 900


def test_tokens_take_turns_and_a_budget_stops_before_it_is_spent(server):
    server.github.left = {("one", "graphql"): 201, ("two", "graphql"): 5000}
    fetch(server, tokens="one,two")
    assert server.github.left["one", "graphql"] > 190
    server.github.left = {("one", "graphql"): 201, ("two", "graphql"): 200}
    with pytest.raises(RateLimited):
        fetch(server, tokens="one,two")
    assert min(server.github.left.values()) > 190


def test_the_cost_of_a_day_tells_the_points_used_and_those_left(server):
    asked = context(server, ROCKET, TOOLS, tokens="one,two")
    list(SOURCE.fetch(Window.of(DAY), asked))
    left = {token: n for (token, resource), n in server.github.left.items() if resource == "graphql"}
    assert asked.http.cost["points"] == server.github.points > 0
    assert asked.http.cost["points_left"] == sum(left.values()) < 5000 * len(left)


def test_an_answer_of_200_that_is_a_limit_is_one(server):
    server.github.left = {("one", "graphql"): 0}
    assert fetch(server, tokens="one, two").rows["commits"]
    with pytest.raises(RateLimited):
        fetch(server, tokens="one")


def test_a_refused_token_is_left_out_and_if_all_are_refused_a_person_is_told(server):
    server.github.refused_tokens = {"old"}
    assert fetch(server, tokens="old,new").rows["commits"]
    with pytest.raises(BadCredentials, match="401 for every token.*github_api.md"):
        fetch(server, tokens="old")


def test_a_connection_without_tokens_is_told_how_to_write_it(server):
    for login, password in ((None, None), (None, " , "), ("me", "token")):
        made = context(server, ROCKET)
        made = replace(made, connection=replace(made.connection, login=login, password=password))
        with pytest.raises(FixNeeded, match="tokens as the password and no login"):
            list(SOURCE.fetch(Window.of(DAY), made))


def test_a_batch_that_is_too_heavy_is_halved_and_loses_nothing(server):
    whole = fetch(server).rows
    server.github.most_aliases = 1
    assert fetch(server).rows == whole


def test_one_repository_that_is_always_too_heavy_costs_itself_only(server):
    server.github.heavy = {node_id("R", 7)}
    landed = fetch(server)
    assert landed.get("comments", "repo_id", "comment_id") == [(8, 304)]
    assert landed.status("commits", "7")[:2] == ("damaged", 0)
    assert landed.status("reviews", "7")[0] == landed.status("review_comments", "7")[0] == "damaged"
    assert landed.status("commits", "8")[0] == "complete"


def test_many_that_fail_are_an_outage(server):
    for n in range(20, 30):
        server.github.add(n, f"toolsmith/r{n}", created_at="2021-01-01T00:00:00Z", updatedAt="2025-09-01T01:00:00Z")
        server.github.heavy.add(node_id("R", n))
    with pytest.raises(Unavailable, match="could not be read. GitHub has a disturbance"):
        fetch(server)


def test_blocked_repositories_are_no_outage_however_many(server):
    listed = [Listed("p", "github_repo", f"acme/taken{n}") for n in range(9)]
    server.github.blocked |= {one.identity: {"reason": "dmca"} for one in listed}
    assert fetch(server, ROCKET, *listed).status("repositories", "acme/taken0")[0] == "damaged"
    assert ("acme/taken0", "blocked") in snapshot(server, ROCKET, *listed).get("names", "name", "state")


def test_an_owner_that_is_gone_is_told_from_a_repository_of_that_number(server):
    landed = fetch(server, ROCKET, Listed("p", "github_owner", "7"))
    assert landed.status("repositories", "7") == ("complete", 1, None)
    assert landed.status("repositories", "owner 7")[0] == "known_missing"


def test_an_error_below_a_repository_damages_that_part_alone(server):
    def broken(**_):
        raise Refused("", "Something went wrong while executing your query")

    server.github.shelves[7].repository["releases"] = broken
    landed = fetch(server)
    assert landed.status("releases", "7")[:2] == ("damaged", 0)
    assert landed.status("commits", "7") == ("complete", 4, None)


# faults


@pytest.mark.parametrize(
    "fault",
    [
        Fault(2, status=503),
        Fault(2, status=502, body=b"<html>502</html>"),
        Fault(1, status=504),
        Fault(2, drop=True),
        Fault(1, keep=0.5),
        Fault(1, body=b"<html><body>Unicorn!</body></html>"),
    ],
    ids=["503", "502-html", "504", "reset", "cut", "html-200"],
)
def test_a_passing_fault_changes_nothing(server, fault):
    whole = fetch(server).rows
    server.faults.add(QUERY, fault)
    assert fetch(server).rows == whole


@pytest.mark.parametrize("fault", [Fault(-1, status=500), Fault(-1, drop=True), Fault(-1, body=b"<html>")])
def test_a_lasting_fault_fails_the_day(server, fault):
    server.faults.add(QUERY, fault)
    with pytest.raises(Unavailable):
        fetch(server)


def test_a_field_that_github_no_longer_knows_is_told(server):
    body = {"errors": [{"message": "Field 'forkCount' doesn't exist on type 'Repository'", "path": [],
                        "extensions": {"code": "undefinedField"}}]}  # fmt: skip
    server.faults.add(QUERY, Fault(-1, body=json.dumps(body).encode()))
    with pytest.raises(ContractBroken, match="undefinedField: Field 'forkCount'.*Nothing of this day was landed"):
        fetch(server)


NOT_SHA, NOT_TIME = (None, 5, True, [], {}, "x", "\x00"), (None, 5, True, [], "x", "9" * 50, "2025-09-01", "\x00")


@pytest.mark.parametrize(
    ("key", "value"), [("oid", v) for v in NOT_SHA] + [("committedDate", v) for v in NOT_TIME], ids=repr
)
def test_a_commit_of_another_form_is_rejected_alone_and_marks_its_day(server, key, value):
    rocket = server.github.shelves[7]
    nodes = [rocket.commits[1] | {key: value}, rocket.commits[4]]
    answer = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    rocket.repository["defaultBranchRef"]["target"]["history"] = lambda **_: answer
    landed = fetch(server)
    assert landed.get("commits", "sha") == [("d" * 40,)]
    assert [(s, p) for s, p, _ in landed.rejected] == [("commits", "7")]
    assert key in landed.rejected[0][2]
    assert landed.status("commits", "7")[0] == "damaged"


def test_several_tokens_stand_in_the_password_with_plain_or_escaped_commas():
    for text in ("https://:a,b@api.github.com", "https://:a%2Cb@api.github.com"):
        made = parse_connection({"AIRFLOW_CONN_GITHUB_API": text}, "github_api", ())
        assert (made.urls, made.login, made.password) == (("https://api.github.com",), None, "a,b")


REQUIRED = {
    "pulls": ("id", "fullDatabaseId", "number", "state", "createdAt", "updatedAt"),
    "issues": ("id", "fullDatabaseId", "number", "state", "createdAt", "updatedAt"),
    "forks": ("databaseId", "createdAt"),
    "releases": ("databaseId", "isDraft"),
}


@pytest.mark.parametrize(("shelf", "key"), [(s, k) for s, keys in REQUIRED.items() for k in keys])
def test_a_needed_field_that_changes_its_form_is_rejected(server, shelf, key):
    getattr(server.github.shelves[7], shelf)[0][key] = {"new": "form"}
    if key in ("createdAt", "updatedAt"):  # the stand-in itself sorts by them
        server.github.shelves[7].repository[{"pulls": "pullRequests"}.get(shelf, shelf)] = lambda **_: {
            "nodes": getattr(server.github.shelves[7], shelf)[:1], "pageInfo": {"hasNextPage": False}
        }  # fmt: skip
        if shelf in ("pulls", "issues"):  # and the probe reads it first, so that the repository is rejected
            landed = fetch(server)
            assert landed.rejected[0][:2] == ("repositories", "acme/rocket") or landed.rejected[0][1] == "7"
            return
    landed = fetch(server)
    assert [(s, p) for s, p, _ in landed.rejected] == [({"pulls": "pull_requests"}.get(shelf, shelf), "7")]


@pytest.mark.parametrize("key", ["databaseId", "id", "nameWithOwner", "isPrivate", "isFork", "createdAt", "updatedAt"])
def test_a_repository_of_another_form_is_rejected_in_both_sources(server, key):
    server.github.shelves[7].repository[key] = {"new": "form"}
    landed = fetch(server)
    assert landed.rejected[0][:2] == ("repositories", "acme/rocket")
    assert landed.status("repositories", "acme/rocket")[0] == "damaged"
    assert [r["repo_id"] for r in landed.rows["repositories"]] == [8, 9]
    now = snapshot(server)
    assert now.rejected[0][:2] == ("repositories", "acme/rocket")
    assert now.get("names", "name", "state") == [("acme/rocket", "unread"), ("toolsmith", "live")]


@pytest.mark.parametrize("key", ["author", "mergedBy", "closedAt", "mergedAt", "additions", "isDraft", "baseRefName"])
def test_a_field_that_vanishes_is_null(server, key):
    server.github.shelves[7].pulls[0][key] = None
    assert len(fetch(server).rows["pull_requests"]) == 1


def fields_of(value, found):
    if isinstance(value, dict):
        found.update(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        fields_of(inner, found)
    return found


def replaced(value, key, by):
    if isinstance(value, dict):
        return {k: by if k == key else replaced(v, key, by) for k, v in value.items()}
    return [replaced(v, key, by) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("by", [{"new": "form"}, None, [[]], 10**30, "\x00\U0001f9ea"], ids=repr)
def test_a_field_of_any_form_anywhere_ends_in_rows_rejections_or_a_sentence(server, by):
    keys, answer = set(), server.github.answer
    spoiled = [None]

    def spy(method, path, headers, body=b""):
        status, more, said = answer(method, path, headers, body)
        value = json.loads(said)
        fields_of(value, keys)
        return status, more, json.dumps(replaced(value, spoiled[0], by)).encode()

    server.github.answer = spy
    whole = {name: len(rows) for name, rows in fetch(server).rows.items()}
    snapshot(server)
    assert len(keys) > 60
    for key in sorted(keys):
        spoiled[0] = key
        for one in (fetch, snapshot):
            try:
                landed = one(server)
            except OpenImpactError as error:
                assert len(str(error)) > 40
                continue
            fewer = {n for n, rows in whole.items() if len(landed.rows.get(n, [])) < rows} if one is fetch else set()
            told = {c.stream for c in landed.coverage.values() if c.status != "complete"}
            if (key, by) != ("defaultBranchRef", None):  # no branch is what an empty repository has
                assert not fewer or told, (key, fewer)


def test_dates_that_cannot_be_are_kept_aside(server):
    server.github.shelves[7].commits.insert(0, git_commit("9", "1970-01-01T00:00:00Z"))
    landed = fetch(server)
    assert landed.rejected == [("commits", "7", "committedDate is 1970-01-01, which cannot be")]


def test_names_in_a_query_are_variables_and_never_its_text(server):
    hostile = Listed("x", "github_repo", 'a/b") { id } x: viewer { login } #')
    landed = fetch(server, ROCKET, hostile)
    assert landed.status("repositories", hostile.identity)[0] == "known_missing"


def test_no_token_ever_reaches_a_log_or_a_message(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.github.refused_tokens = {"ghp_refused"}
    server.faults.unavailable(QUERY)
    server.faults.limited(QUERY)
    fetch(server, tokens=f"ghp_refused,{PLANTED}")
    assert {f"Bearer {PLANTED}", "Bearer ghp_refused"} == set(server.logins)
    server.faults.limited(QUERY, times=-1, retry_after=900)
    with pytest.raises(RateLimited) as caught:
        fetch(server, tokens=f"ghp_refused,{PLANTED}")
    said = caplog.text + str(caught.value) + repr(context(server)) + repr(client.Api(context(server))._tokens)
    assert PLANTED not in said and "ghp_refused" not in said
    assert "token 1 of 2 is refused" in said


def test_without_a_registry_a_person_is_told_what_to_land(server):
    made = context(server)
    for source in (SOURCE, SNAPSHOT):
        with pytest.raises(FixNeeded, match="Land oss_directory first"):
            list(source.fetch(Window.of(DAY), made))


# the snapshot


def test_every_listed_name_has_a_state(server):
    made = server.github
    made.names |= {"acme/old": 7, "former/rocket": 7}
    made.blocked["acme/taken"] = {"reason": "dmca"}
    listed = [Listed("p", "github_repo", n) for n in ("acme/old", "former/rocket", "acme/taken", "ghost/ship")]
    listed += [Listed("p", "github_repo", "toolsmith/secret"), Listed("p", "github_owner", "nobody"), ROCKET, TOOLS]
    landed = snapshot(server, *listed)
    assert landed.get("names", "kind", "name", "state", "repo_id", "reason") == [
        ("github_owner", "nobody", "gone", None, "not found"),
        ("github_owner", "toolsmith", "live", None, None),
        ("github_repo", "acme/old", "renamed", 7, None),
        ("github_repo", "acme/rocket", "live", 7, None),
        ("github_repo", "acme/taken", "blocked", None, "451, dmca"),
        ("github_repo", "former/rocket", "transferred", 7, None),
        ("github_repo", "ghost/ship", "gone", None, "404"),
        ("github_repo", "toolsmith/secret", "private", None, "it is not public"),
    ]
    assert landed.status("names", "github_repo ghost/ship") == ("known_missing", 0, "404")
    assert landed.get("repositories", "repo_id", "is_listed") == [(7, True), (8, False), (9, False)]


def test_counts_are_those_of_now(server):
    (row,) = [r for r in snapshot(server).rows["repositories"] if r["repo_id"] == 7]
    assert (row["open_issue_count"], row["open_pull_request_count"], row["watcher_count"]) == (2, 1, 0)
    assert (row["license_spdx_id"], row["language"], row["default_branch"]) == ("MIT", "Rust", "main")
    assert json.loads(row["_payload"])["nameWithOwner"] == "acme/rocket"


def test_a_snapshot_far_smaller_than_the_last_is_refused(server):
    before = Previous(DAY, {("repositories", "all"): 5})
    with pytest.raises(SuspectData, match="3 repositories, below 80 % of the last snapshot's 5"):
        snapshot(server, previous=before)
    assert snapshot(server, previous=before, allow_shrink=True).rows["repositories"]


def test_a_count_that_is_missing_is_null_and_never_zero(server):
    server.github.shelves[7].repository["stargazerCount"] = None
    assert (7, None) in snapshot(server).get("repositories", "repo_id", "star_count")


# the world


def test_a_day_of_the_world_holds_what_happened_in_it(waits):
    """Counted from the world's own list of happenings, by the rules of the catalogue."""
    day = date(2025, 9, 3)
    repo = world().by_name["copyleft-hall/original"]
    start = datetime.combine(day - timedelta(days=14), time(), UTC)
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    ours = [h for h in happenings() if h.repo is repo]
    shas = Counter()
    for h in ours:
        if h.type == "PushEvent" and h.facts["branch"] == repo.default_branch and h.facts["size"] <= 20:
            for n, commit in enumerate(h.facts["commits"]):
                shas.setdefault(commit[0], h.at - timedelta(seconds=n))
    kinds = Counter((h.type, h.facts.get("action")) for h in ours if h.at.date() == day)
    with DemoServer() as server:
        listed = Listed("copyhall", "github_repo", "copyleft-hall/original")
        landed = fetch(server, listed, day=day, now=datetime(2026, 1, 1, tzinfo=UTC))
    expected = {sha for sha, at in shas.items() if start <= at < end}
    assert expected <= {row["sha"] for row in landed.rows["commits"]}
    assert len(landed.rows.get("comments", [])) == kinds["IssueCommentEvent", "created"]
    assert len(landed.rows.get("review_comments", [])) == kinds["PullRequestReviewCommentEvent", "created"]
    closings = Counter(e["event"] for e in landed.rows.get("item_events", []))
    both = ("PullRequestEvent", "IssuesEvent")
    assert closings["closed"] == sum(kinds[k, "closed"] for k in both)
    assert closings["reopened"] == sum(kinds[k, "reopened"] for k in both)


def test_a_renamed_repository_of_the_world_is_found_under_its_old_name(waits):
    assert github().names["vexel-lab/oldpath"] == github().names["vexel-lab/newpath"]


# cost


def test_a_day_of_five_thousand_repositories_costs_at_most_400_queries(waits, monkeypatch):
    monkeypatch.setattr(client, "REST_PER_MINUTE", None)
    made, listed = tracked_repositories()
    with DemoServer(github_api=made) as server:
        landed = fetch(server, *listed)
        day = dict(server.github.requests), server.github.points
        snapshot(server, *listed)
    assert len(landed.rows["commits"]) == 3000 and len(landed.rows["review_comments"]) == 1000
    assert day[0]["graphql"] <= 250 and day[1] <= 1000
    assert server.github.requests["graphql"] <= 400


# the recordings


def every_query():
    at = datetime(2025, 9, 1, tzinfo=UTC)
    yield from (queries.by_name(queries.PROBE), queries.by_id(queries.PROBE))
    yield from (queries.by_name(queries.SNAPSHOT), queries.by_id(queries.SNAPSHOT))
    yield from (queries.owned(is_first=True), queries.owned(is_first=False))
    until, since = {"until": "GitTimestamp!"}, {"since": "DateTime!"}
    for on, pages, shared in (
        ("Repository", queries.repository_pages(at, at, at), until),
        ("PullRequest", queries.pull_request_pages(at), since),
        ("Issue", queries.issue_pages(at), since),
        ("PullRequestReview", queries.review_pages(), {}),
    ):
        first = " ".join(p.text.replace("{after}", "") for p in pages)
        yield client.Query("node(id: $a%)", f"... on {on} {{ {first} }}", ("ID!",), shared)
        for one in pages:
            more = one.text.replace("{after}", ", after: $b%")
            used = {k: v for k, v in shared.items() if f"${k}" in more}
            yield client.Query("node(id: $a%)", f"... on {on} {{ {more} }}", ("ID!", "String!"), used)


def test_every_query_is_valid_in_githubs_schema(problems):
    for query in every_query():
        assert problems("github", query.text(2), *GITHUB) == []


def test_the_check_of_queries_finds_what_github_refuses(problems):
    text = (
        "query($z: Int) { repository(owner: 5, name: true) { nam databaseId forks(first: 3) { nodes { "
        "owner { ... on Bot { id } } } } issues { nodes { id } } pullRequests(first: 101) { nodes { mergeCommit } } } }"
    )
    said = (
        *("Variable '$z' is never used", "non string value: 5", "non string value: true", "query field 'nam'"),
        *("can never be of type 'Bot'", "issues needs first", "pullRequests needs first", "must have a selection"),
    )
    found = problems("github", text, *GITHUB)
    assert len(found) == len(said) and all(any(one in f for f in found) for one in said), found
    deprecated = 'query { repository(owner: "a", name: "b") { projects(first: 3) { totalCount } } }'
    assert problems("github", deprecated) == [] != problems("github", deprecated, *GITHUB)


def test_every_query_that_was_sent_is_valid_as_well(server, problems):
    """The queries of a whole day and a snapshot, as they arrive."""
    sent = []
    answer = server.github.answer

    def spy(method, path, headers, body=b""):
        if body:
            sent.append(json.loads(body)["query"])
        return answer(method, path, headers, body)

    server.github.answer = spy
    fetch(server)
    snapshot(server)
    assert sent and [problems("github", text, *GITHUB) for text in sent] == [[]] * len(sent)


def replay(recordings, name):
    """Status, headers and body of each recorded exchange."""
    lines = (recordings / "github" / "rest" / name).read_text().split("\n")
    for n, line in enumerate(lines):
        if line == "https":
            yield int(lines[n + 7]), dict(ast.literal_eval(lines[n + 8])), lines[n + 9].encode()


def served(server, path, exchange):
    status, headers, body = exchange
    kept = {k: v for k, v in headers.items() if k.lower().startswith(("x-ratelimit", "retry-after", "location"))}
    server.faults.add(path, Fault(1, status=status, headers=kept, body=body))


def test_recorded_refusals_are_read_as_what_they_are(server, recordings):
    (bad,) = replay(recordings, "SpecificExceptions.testBadCredentials.txt")
    served(server, QUERY, bad)
    with pytest.raises(BadCredentials):
        fetch(server)
    spent = [e for e in replay(recordings, "SpecificExceptions.testRateLimitExceeded.txt") if e[0] == 403][0]
    served(
        server, QUERY, (403, spent[1] | {"x-ratelimit-reset": str(int(datetime.now(UTC).timestamp()) + 900)}, spent[2])
    )
    with pytest.raises(RateLimited):
        fetch(server)
    abuse = (recordings / "github" / "rest" / "abuse_rate_limit.json").read_bytes()
    for _ in range(5):
        served(server, QUERY, (403, {}, abuse))
    with pytest.raises(RateLimited):
        fetch(server)


def test_recorded_faults_and_answers_are_read_as_what_they_are(server, recordings):
    html = next(replay(recordings, "Exceptions.testNonJsonDataReturnedByGithub.txt"))
    assert html[0] == 503
    served(server, QUERY, html)
    assert fetch(server).rows["commits"]
    (asked,) = replay(recordings, "GraphQl.testQuery.txt")
    served(server, QUERY, asked)  # 200, but not what was asked: no alias of ours
    landed = fetch(server, ROCKET)
    assert landed.status("repositories", "acme/rocket") == ("damaged", 0, "the answer leaves it out")


def test_a_recorded_rename_is_followed_by_rest(server, recordings, waits):
    moved, there, *_ = replay(recordings, "Repository.testGetRepositoryWith301Redirect.txt")
    assert moved[0] == 301 and there[0] == 200
    here = f"{server.base_url}/github/repositories/112116543"
    server.faults.add("/github/repos/protoncoin/protoncoin", Fault(1, status=301, headers={"Location": here}))
    served(server, "/github/repositories/112116543", there)
    answer = client.Api(context(server)).rest("/repos/protoncoin/protoncoin")
    assert (answer.value["id"], answer.value["full_name"]) == (112116543, "padima2/protoncoin")


def test_bots_are_known_by_type_and_named_as_the_archive_names_them():
    from include.sources._github_api_parse import account

    node = {"author": person(3, "dependabot[bot]", "Bot"), "gone": None}
    assert node["author"]["login"] == "dependabot"  # as GraphQL writes it
    assert account(node, "author") == (3, "dependabot[bot]", "Bot")
    assert account(node, "gone") == (None, None, None)
