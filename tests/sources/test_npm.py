"""npm's downloads and packuments: the stand-in with its faults, and the recorded answers of the real service."""

import gzip
import json
import logging
from datetime import UTC, date, datetime, timedelta

import pytest

from demo import npm as made_up
from demo.server import DemoServer, Fault
from include.errors import ContractBroken, FixNeeded, RateLimited, SuspectData, Unavailable
from include.http import HttpClient
from include.sources import get_source
from include.sources._npm import PACKAGE, quoted
from include.sources._npm_answers import TOTAL, Answers
from include.sources.base import Batch, Connection, Context, Coverage, Listed, Rejected, Window
from include.sources.npm import hole_reason, parse_range
from include.sources.npm_manifests import parse_document, repository_of

NOW = datetime(2025, 10, 20, 7, tzinfo=UTC)
DAY = date(2025, 9, 1)  # a Monday without a hole in the 28 days before, but for 2025-08-05
SPAN = "2025-08-04:2025-10-19"  # 28 days before DAY, to the day before NOW
BULK = ["JSONLoom", "held-name", "loomkit", "never-fetched", "never-published", "quiet-pebble", "steady-lathe"]
BULK.append("withdrawn-kit")
SCOPED = ["@Coral/net", "@brindle/shuttle", "@ghost/never-published", "@sprout/seed"]
PAGE = b"<!DOCTYPE html><title>Access denied</title>error code: 1015"


@pytest.fixture(scope="module")
def running():
    with DemoServer() as one:
        yield one


@pytest.fixture
def server(running):
    running.faults.clear()
    running.requests.clear()
    running.npm_until = None
    return running


class Landed:
    """What a fetch yielded, by kind."""

    def __init__(self, items):
        items = list(items)
        self.coverage = {(i.stream, i.part): i for i in items if isinstance(i, Coverage)}
        self.rejected = {i.part: i.reason for i in items if isinstance(i, Rejected)}
        self.rows = {}
        for item in items:
            if isinstance(item, Batch):
                self.rows.setdefault(item.stream, []).extend(item.rows.to_pylist())

    def downloads(self):
        return {row["package"]: row["downloads"] for row in self.rows.get("downloads", [])}

    def status(self, package, stream="downloads"):
        return self.coverage[(stream, package)].status


def listed(names):
    return tuple(Listed("p", "npm", name) for name in names)


def context(server, names=(*BULK, *SCOPED), *, service="npm", now=NOW, waits=None, **more):
    url = f"{server.base_url}/{service}?per_minute=60000"
    waits = [] if waits is None else waits
    made = {"connection": Connection(urls=(url,)), "http": HttpClient(sleep=waits.append), "now": now}
    return Context(**(made | {"listed": listed(names)} | more))


def fetch(server, day=DAY, names=(*BULK, *SCOPED), **more):
    return Landed(get_source("npm").fetch(Window.of(day), context(server, names, **more)))


def manifests(server, names=(*BULK, *SCOPED), **more):
    source = get_source("npm_manifests")
    return Landed(source.fetch(Window.of(NOW.date()), context(server, names, service="npm-registry", **more)))


def path(name="", span=SPAN):
    return f"/npm/downloads/range/{span}" + (f"/{name}" if name else "")


def bulk_path(span=SPAN):
    return path(",".join(BULK), span)


# downloads: the stand-in as it is


def test_a_day_has_a_row_for_each_package_that_npm_counts(server):
    landed = fetch(server)
    counted = {p.name for p in made_up.PACKAGES if p.usual is not None}
    assert landed.downloads() == {name: made_up.count(name, DAY) for name in counted}
    assert landed.downloads()["never-fetched"] == 0 and landed.status("never-fetched") == "complete"
    (day,) = landed.rows["days"]
    assert (day["downloads"], day["is_hole"]) == (made_up.total(DAY), False)


def test_a_name_that_npm_does_not_know_is_told_from_a_package_without_downloads(server):
    landed = fetch(server)
    for name in ("never-published", "@ghost/never-published", "withdrawn-kit"):
        line = landed.coverage[("downloads", name)]
        assert (line.expected, line.observed, line.status) == (
            0,
            0,
            "known_missing",
        ) and "no such package" in line.reason
        assert name not in landed.downloads()


def test_a_range_ends_before_today_and_scoped_names_go_alone(server):
    fetch(server)
    assert server.requests == {path(): 1, bulk_path(): 1} | {path(name): 1 for name in SCOPED}


def test_a_package_is_0_before_it_exists_and_counts_follow_the_exact_name(server):
    landed = fetch(server, day=date(2025, 7, 2), names=["@sprout/seed", "jsonloom", "JSONLoom"])
    assert landed.downloads()["@sprout/seed"] == 0 and landed.downloads()["JSONLoom"] > 1000
    assert landed.status("jsonloom") == "known_missing"


# a lost day is null


def test_a_lost_day_is_null_for_all_with_the_reason(server):
    for day in (made_up.LOST, made_up.LOST_QUIETLY):
        landed = fetch(server, day=day)
        assert set(landed.downloads().values()) == {None}
        assert {landed.status(n) for n in landed.downloads()} == {"missing"} and landed.status(
            str(day), "days"
        ) == "missing"
    assert fetch(server, day=made_up.LOST).rows["days"][0]["reason"].startswith("the registry's total is 0, below 20 %")
    # median of 28 days >= 100: loomkit, JSONLoom, steady-lathe, @brindle/shuttle, @Coral/net, @sprout/seed
    reason = fetch(server, day=made_up.LOST_QUIETLY).rows["days"][0]["reason"]
    assert reason == "all 6 packages with 100 downloads a day or more have none"


def test_a_day_that_no_answer_has_gives_no_row(server):
    landed = fetch(server, day=made_up.ABSENT)
    assert landed.downloads() == {} and landed.status("loomkit") == "missing"
    assert landed.rows["days"][0]["downloads"] is None and landed.rows["days"][0]["is_hole"]


def test_a_busy_package_that_is_0_alone_lost_its_day(server):
    landed = fetch(server, day=made_up.LOST_ALONE[1])
    rows = {row["package"]: (row["downloads"], row["is_hole"]) for row in landed.rows["downloads"]}
    assert rows["steady-lathe"] == (None, True) and rows["loomkit"][1] is False
    assert (
        landed.status("steady-lathe") == "missing" and landed.status(str(made_up.LOST_ALONE[1]), "days") == "complete"
    )


@pytest.mark.parametrize(("back", "status"), [(1, "late"), (2, "late"), (4, "missing")])
def test_days_that_npm_has_not_counted_yet_are_late_not_zero(server, back, status):
    server.npm_until = NOW.date() - timedelta(days=back + 1)
    landed = fetch(server, day=NOW.date() - timedelta(days=back))
    assert set(landed.downloads().values()) == {None} and landed.status("loomkit") == status


def answers(values, total, first="2025-01-01"):
    start = date.fromisoformat(first)
    made = Answers(start, start + timedelta(days=len(total) - 1))
    made.counts = {TOTAL: total} | values
    return made


@pytest.mark.parametrize(
    ("total", "values", "is_hole"),
    [
        (19, {}, True),  # usual 100: below 20
        (20, {}, False),
        (100, {"a": ([100] * 28, 0), "b": ([100] * 28, 0), "c": ([100] * 28, 0)}, True),
        (100, {"a": ([100] * 28, 0), "b": ([100] * 28, 0), "c": ([99] * 28, 0)}, False),  # two busy ones only
        (100, {"a": ([100] * 28, 0), "b": ([100] * 28, 0), "c": ([100] * 28, 1)}, False),
        (None, {}, True),
    ],
)
def test_a_hole_is_what_the_catalogue_calls_one(total, values, is_hole):
    made = answers({name: [*before, on] for name, (before, on) in values.items()}, [100] * 28 + [total])
    assert (hole_reason(list(values), made, date(2025, 1, 29)) is not None) == is_hole


# one answer, many days


def test_a_week_of_1536_packages_takes_1060_requests(server, tmp_path, monkeypatch):
    names = [f"plain-{n}" for n in range(481)] + [f"@scope/p{n}" for n in range(1055)]
    monkeypatch.setattr(made_up, "BY_NAME", {n: made_up.Package(n, "p", 10 * (i % 40)) for i, n in enumerate(names)})
    made_up.count.cache_clear()
    week = Window(date(2025, 10, 12), date(2025, 10, 19)).days()
    landed = {day: fetch(server, day=day, names=names, keep=tmp_path) for day in week}
    assert sum(server.requests.values()) == 1060 <= 1070  # the total, 4 lists, 1,055 scoped names
    assert all(len(one.rows["downloads"]) == 1536 for one in landed.values())
    assert landed[week[3]].downloads()["@scope/p7"] == made_up.count("@scope/p7", week[3])
    made_up.count.cache_clear()


def test_days_landed_together_are_the_same_as_days_landed_alone(server, tmp_path):
    days = Window(date(2025, 8, 1), date(2025, 8, 8)).days()
    together = [fetch(server, day=day, keep=tmp_path) for day in days]
    for day, one in zip(days, together, strict=True):
        alone = fetch(server, day=day)
        assert (one.rows, one.coverage) == (alone.rows, alone.coverage)


def test_a_day_that_is_landed_again_is_asked_for_again(server, tmp_path):
    for _ in range(2):
        fetch(server, keep=tmp_path)
    assert server.requests[bulk_path()] == 2


def test_answers_serve_for_six_hours_and_one_address(server, tmp_path):
    fetch(server, keep=tmp_path)
    fetch(server, day=DAY + timedelta(days=1), keep=tmp_path, now=NOW + timedelta(hours=6))
    assert server.requests[bulk_path()] == 1
    fetch(server, day=DAY + timedelta(days=2), keep=tmp_path, now=NOW + timedelta(hours=6, seconds=1))
    assert server.requests[bulk_path("2025-08-06:2025-10-19")] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["2025-08-06_2025-10-19.jsonl"]  # the old ones are gone


def test_a_year_is_asked_in_ranges_of_365_days_and_no_day_counts_twice(server, tmp_path):
    now, names = datetime(2025, 10, 20, tzinfo=UTC), ["loomkit"]
    days = Window(date(2024, 3, 1), date(2025, 3, 1)).days()
    landed = [fetch(server, day=day, names=names, keep=tmp_path, now=now).rows["downloads"] for day in days]
    assert [row["day"] for rows in landed for row in rows] == days
    assert server.requests == {path("loomkit", s): 1 for s in ("2024-02-02:2025-01-31", "2025-01-04:2025-10-19")} | {
        path(span=s): 1 for s in ("2024-02-02:2025-01-31", "2025-01-04:2025-10-19")
    }


def test_a_run_that_was_refused_goes_on_where_it_stopped(server, tmp_path):
    server.faults.unavailable(path(SCOPED[1]), times=4, status=429)
    with pytest.raises(RateLimited, match="429, too many requests. The task retries then"):
        fetch(server, keep=tmp_path)
    with next(tmp_path.glob("*.jsonl")).open("a") as file:
        file.write('\n{"package":"@Coral')  # a line that a kill cut
    landed = fetch(server, keep=tmp_path, now=NOW + timedelta(minutes=15))
    assert landed.downloads()["@brindle/shuttle"] == made_up.count("@brindle/shuttle", DAY)
    assert server.requests[bulk_path()] == server.requests[path(SCOPED[0])] == 1


def test_a_name_that_the_registry_gained_is_asked_for_alone(server, tmp_path):
    fetch(server, keep=tmp_path, names=BULK)
    landed = fetch(server, day=DAY + timedelta(days=1), keep=tmp_path, names=[*BULK, "@Coral/net"])
    assert "@Coral/net" in landed.downloads() and server.requests[bulk_path()] == 1


# faults


def test_429_waits_as_told_and_a_burst_of_errors_is_sat_out(server):
    waits = []
    server.faults.limited(bulk_path(), retry_after=23)
    server.faults.unavailable(path(SCOPED[0]), times=3, status=502)
    server.faults.dropped(path(SCOPED[1]))
    server.faults.truncated(path(SCOPED[3]))
    server.faults.add(path(), Fault(body=PAGE))
    landed = fetch(server, waits=waits)
    assert landed.downloads()["@sprout/seed"] == made_up.count("@sprout/seed", DAY)
    assert 23.0 in waits and {line.status for line in landed.coverage.values()} == {"complete", "known_missing"}


def test_a_page_with_403_is_a_ban_that_passes_not_wrong_credentials(server):
    server.faults.add(path(), Fault(-1, status=403, body=PAGE, headers={"Retry-After": "90"}))
    with pytest.raises(RateLimited, match="403, npm's guard refuses") as caught:
        fetch(server)
    assert caught.value.retry_at == NOW + timedelta(seconds=90)


def test_a_429_without_retry_after_is_left_to_the_tasks_retry(server):
    server.faults.add(path(), Fault(-1, status=429, body=PAGE))
    with pytest.raises(RateLimited) as caught:
        fetch(server)
    assert caught.value.retry_at is None


def test_one_package_without_a_usable_answer_costs_itself(server):
    server.faults.add(path(SCOPED[0]), Fault(-1, body=PAGE))
    landed = fetch(server)
    assert SCOPED[0] not in landed.downloads() and len(landed.downloads()) == 8
    assert landed.status(SCOPED[0]) == "damaged" and "no JSON" in landed.rejected[SCOPED[0]]


def test_many_packages_without_a_usable_answer_fail_the_day(server):
    for name in SCOPED[:2]:
        server.faults.unavailable(path(name), times=-1)
    with pytest.raises(Unavailable, match="npm: 2 of 12 packages cannot be read, the last one '@brindle/shuttle'"):
        fetch(server)


def test_a_silently_cut_range_is_refused(server):
    cut = json.loads(made_up.downloads(f"downloads/range/{SPAN}/@Coral%2Fnet")[1]) | {"start": "2025-08-05"}
    server.faults.replaced(path(SCOPED[0]), json.dumps(cut).encode())
    with pytest.raises(
        SuspectData, match=r"asked @Coral/net for 2025-08-04\.\.2025-10-19, got 2025-08-05\.\.2025-10-19"
    ):
        fetch(server)


def test_a_name_that_spoils_a_list_costs_only_itself(server, monkeypatch):
    real = made_up.downloads

    def picky(asked, until=None):
        return (400, b'{"error": "invalid name"}') if "held-name" in asked else real(asked, until)

    monkeypatch.setattr(made_up, "downloads", picky)
    landed = fetch(server, names=BULK)
    assert landed.rejected == {"held-name": "npm refuses to look the name up (400)"}
    assert landed.downloads()["loomkit"] == made_up.count("loomkit", DAY)


@pytest.mark.parametrize("name", ["../../x", "@a/b/c", "a,b", "a b", "@a/..", "", "ü"])
def test_a_name_that_no_package_can_have_is_never_asked_for(server, name):
    landed = fetch(server, names=["loomkit", name])
    assert landed.status(name) == "known_missing" and name in landed.rejected
    assert sorted(server.requests) == sorted([path(), path("loomkit")])


def test_names_are_quoted_once():
    assert quoted("@scope/a~b!") == "@scope/a~b%21" and quoted("@scope/x", slash="%2F") == "@scope%2Fx"
    assert all(PACKAGE.fullmatch(n) for n in ("JSONStream", "@a/.hidden", "lodash.get", "-", "a..b"))


GOOD = {
    "start": "2025-01-01",
    "end": "2025-01-02",
    "package": "x",
    "downloads": [{"day": "2025-01-01", "downloads": 5}],
}


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        ({"downloads": None}, "no list"),
        ({"downloads": {"2025-01-01": 5}}, "no list"),
        ({"start": None}, "start and end"),
        ({"end": 20250102}, "start and end"),
        ({"package": "y"}, "about 'y'"),
        ({"downloads": [{"day": "2025-01-01"}]}, "without day or downloads"),
        ({"downloads": [{"downloads": 5}]}, "without day or downloads"),
        ({"downloads": [5]}, "without day or downloads"),
        ({"downloads": [{"day": "01/01/2025", "downloads": 5}]}, "without day"),
        ({"downloads": [{"day": "2025-01-01", "downloads": "5"}]}, "no count"),
        ({"downloads": [{"day": "2025-01-01", "downloads": True}]}, "no count"),
        ({"downloads": [{"day": "2025-01-01", "downloads": -1}]}, "no count"),
        ({"downloads": [{"day": "2025-01-01", "downloads": 1 << 63}]}, "no count"),
        ({"downloads": [{"day": "2025-01-03", "downloads": 1}]}, "outside the range"),
        ({"downloads": [{"day": "2025-01-01", "downloads": 1}] * 2}, "there twice"),
    ],
)
def test_a_drifted_field_is_named(drift, says):
    asked = Answers(date(2025, 1, 1), date(2025, 1, 2))
    assert parse_range(GOOD | {"new": 1}, "x", asked) == [5, None]
    with pytest.raises(ValueError, match=says):
        parse_range(GOOD | drift, "x", asked)


def test_a_changed_answer_of_the_total_is_a_broken_contract(server):
    server.faults.replaced(path(), b'{"start": "2025-08-04", "end": "2025-10-19", "totals": []}')
    with pytest.raises(ContractBroken, match="no list of downloads. Compare a fresh answer"):
        fetch(server)


def test_a_registry_without_packages_lands_a_line_that_says_so(server):
    assert fetch(server, names=()).coverage[("downloads", "*")].reason == "the registry lists no npm package"
    assert not server.requests


@pytest.mark.parametrize(
    "url", ["http://h?per_minute=fast", "http://h?per_minute=0", "http://h?per_minute=-1", "file:///x"]
)
def test_a_connection_that_cannot_be_used_is_a_sentence(server, url):
    with pytest.raises(FixNeeded, match="AIRFLOW_CONN_NPM"):
        fetch(server, connection=Connection(urls=(url,)))


def test_requests_are_paced_at_one_in_two_seconds_by_default(server):
    waits = []
    connection = Connection(urls=(f"{server.base_url}/npm",))
    fetch(server, names=["loomkit", "@Coral/net"], connection=connection, waits=waits)
    assert [round(w) for w in waits] == [2, 4]  # this test's sleep does not pass time


def test_a_secret_reaches_no_log_and_no_message(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults.unavailable(path(), times=-1)
    with pytest.raises(Unavailable) as caught:
        fetch(server, http=HttpClient(None, "npm_s3cret", sleep=lambda _: None))
    server.faults.clear()
    server.faults.add("/npm-registry/loomkit", Fault(-1, status=503))
    landed = manifests(server, http=HttpClient(None, "npm_s3cret", sleep=lambda _: None))
    ours = "".join(str(r.getMessage()) for r in caplog.records)
    assert "s3cret" not in ours + str(caught.value) + str(landed.rejected)


# packuments


def test_every_package_and_version_is_landed_as_npm_describes_it(server):
    landed = manifests(server)
    rows = {row["package"]: row for row in landed.rows["packages"]}
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "live"} == {
        "withdrawn-kit": "unpublished",
        "held-name": "security_holding",
    }
    assert landed.status("never-published", "packages") == "known_missing"
    assert landed.status("@ghost/never-published", "packages") == "known_missing"
    kit = rows["loomkit"]
    assert (kit["repository"], kit["repository_directory"]) == ("github.com/brindle-works/loom", "packages/kit")
    assert (kit["latest_version"], kit["version_count"], kit["license"]) == ("2.0.0", 4, "MIT")
    assert kit["created_at"] == datetime(2024, 2, 1, 9, 30, 0, 123000, tzinfo=UTC)
    assert kit["maintainers"] == ["ann", "bob"]
    assert rows["JSONLoom"]["license"] == "BSD-2-Clause" and rows["JSONLoom"]["deprecated"] == "use loomkit"
    assert rows["@brindle/shuttle"]["license"] == "Apache-2.0" and rows["quiet-pebble"]["deprecated"] == "deprecated"
    assert rows["@Coral/net"]["repository"] == "github.com/reefhub/fins"
    assert rows["withdrawn-kit"]["unpublished_at"].date() == date(2025, 6, 1)
    expected = {(p.name, v) for p in made_up.PACKAGES for v, _ in p.versions}
    versions = {(row["package"], row["version"]): row for row in landed.rows["versions"]}
    assert set(versions) == expected
    assert {k for k, row in versions.items() if row["is_removed"]} == {
        ("steady-lathe", "3.0.1"),
        ("withdrawn-kit", "1.0.0"),
    }
    assert {k for k, row in versions.items() if row["is_prerelease"]} == {
        ("loomkit", "1.1.0-beta.1"),
        ("held-name", "0.0.1-security"),
    }


def test_the_payload_keeps_new_keys_and_no_e_mail(server):
    landed = manifests(server)
    payloads = {row["package"]: row["_payload"] for row in landed.rows["packages"]}
    assert json.loads(payloads["steady-lathe"])["newer_key"] == {"deep": [1, None]}
    assert not any("post.example" in text or "readme" in text for text in payloads.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git+https://github.com/base62/base62.js.git", "github.com/base62/base62.js"),
        ("git+ssh://git@github.com/Acme/Rocket.git", "github.com/acme/rocket"),
        ("git@github.com:Acme/Rocket.git", "github.com/acme/rocket"),
        ("git://github.com/acme/rocket.git#v1", "github.com/acme/rocket"),
        ("https://www.github.com/acme/rocket/tree/main/packages/x", "github.com/acme/rocket"),
        ("ssh://git@gitlab.com:22/Acme/Rocket.git", "gitlab.com/Acme/Rocket"),
        ("github:acme/rocket", "github.com/acme/rocket"),
        ("gitlab:Acme/Rocket", "gitlab.com/Acme/Rocket"),
        ("eslint/eslint", "github.com/eslint/eslint"),
        ("gist:11081aaa281", None),
        ("https://example.org", None),
        ("", None),
        (None, None),
    ],
)
def test_a_repository_is_read_in_every_form(text, expected):
    assert repository_of(text) == expected


def document(**more):
    stamp = "2020-01-01T00:00:00.000Z"
    base = {"name": "x", "time": {"created": stamp, "1.0.0": stamp}, "versions": {"1.0.0": {}}}
    return base | more


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        ({"name": "y"}, "no document of this package"),
        ({"time": [], "versions": {}}, "time is no object"),
        ({"versions": []}, "versions is no object"),
        ({"dist-tags": "latest"}, "dist-tags is no object"),
        ({"time": None, "versions": None}, "neither times nor versions"),
        ({"time": {"1.0.0": "2025-01-01T00:00:00Z"}}, "lack `created`, so they are a mirror's"),
    ],
)
def test_a_drifted_document_is_named(drift, says):
    with pytest.raises(ValueError, match=says):
        parse_document(document(**drift), "x", NOW)


@pytest.mark.parametrize(
    "drift",
    [
        {"repository": 5}, {"repository": [{"url": None}]}, {"license": {"name": "MIT"}}, {"license": ["MIT", 5]},
        {"maintainers": None}, {"maintainers": [None, 5, {"name": 7}]}, {"description": {"x": 1}}, {"homepage": []},
        {"dist-tags": {"latest": 5}}, {"versions": {"1.0.0": "gone"}}, {"time": {"created": 5, "1.0.0": None}},
        {"description": "\x00"},
    ],
)  # fmt: skip
def test_a_field_of_another_kind_becomes_null_not_a_failure(drift):
    package, versions, _ = parse_document(document(**drift), "x", NOW)
    assert package[0] == "x" and [v[1] for v in versions] == ["1.0.0"]


def test_times_and_versions_that_cannot_be_are_rejected_alone():
    times = {
        "created": "soon",
        "1.0.0": "2999-01-01T00:00:00Z",
        "1.0.1": 5,
        "one": "2020-01-01",
        "2.0.0": "0001-01-01T00:00:00+14:00",
    }
    package, versions, rejected = parse_document(document(time=times), "x", NOW)
    assert package[2] is None and [v[1:3] for v in versions] == [("1.0.0", None), ("1.0.1", None), ("2.0.0", None)]
    assert len(rejected) == 5


def test_a_bad_document_costs_its_package_and_an_outage_the_snapshot(server):
    server.faults.replaced("/npm-registry/loomkit", b'{"name": "other"}')
    landed = manifests(server)
    assert landed.status("loomkit", "packages") == "damaged" and len(landed.rows["packages"]) == 9
    server.faults.replaced("/npm-registry/JSONLoom", b"[]")
    with pytest.raises(SuspectData, match="npm_manifests: 2 of 12 packages cannot be read"):
        manifests(server)


# recorded answers


def range_of(recordings, name):
    value = json.loads((recordings / f"npm/range-{name}.json").read_text())
    return value, Answers(date.fromisoformat(value["start"]), date.fromisoformat(value["end"]))


def test_the_recorded_registry_wide_zero_is_a_hole(recordings):
    made = None
    for name in ("date-fns", "moment"):
        value, asked = range_of(recordings, name)
        made = made or asked
        made.counts[name] = parse_range(value, name, asked)
    lost = date(2022, 7, 22)
    assert [made.on(name, lost) for name in ("date-fns", "moment")] == [0, 0]
    assert made.on("date-fns", date(2022, 2, 14)) == 2_462_853  # read off the file
    made.counts |= {"third": made.counts["moment"], TOTAL: [10**10] * len(made.counts["moment"])}
    names = ["date-fns", "moment", "third"]
    days = [made.first + timedelta(days=n) for n in range((made.last - made.first).days + 1)]
    assert [day for day in days if hole_reason(names, made, day)] == [lost]


def test_a_recorded_range_asked_with_another_start_is_refused(recordings):
    value, asked = range_of(recordings, "moment")
    with pytest.raises(SuspectData, match=r"got 2022-02-13\.\."):
        parse_range(value, "moment", Answers(asked.first - timedelta(days=1), asked.last))


def test_a_recorded_packument_is_read_whole(recordings):
    value = json.loads((recordings / "npm/packument-base62.json").read_text())
    package, versions, rejected = parse_document(value, "base62", NOW)
    assert (package[1], package[5], package[9], package[12]) == ("live", "2.0.1", "MIT", "github.com/base62/base62.js")
    assert package[14] == ["andrewnez", "fnd"] and rejected == [] and "example.org" not in package[15]
    assert len(versions) == len(value["time"]) - 2
    assert versions[0][1:3] == ("0.1.0", datetime(2012, 2, 24, 18, 4, 6, 916000, tzinfo=UTC))


def test_a_recorded_view_of_a_mirror_is_refused_for_its_versions_and_for_its_times(recordings):
    value = json.loads(gzip.decompress((recordings / "npm/npm-view-eslint.json.gz").read_bytes()))
    with pytest.raises(ValueError, match="versions is no object"):
        parse_document(value, "eslint", NOW)
    whole = value | {"versions": dict.fromkeys(value["versions"], {})}
    with pytest.raises(ValueError, match="a mirror's and not npm's"):  # its versions of 2013 carry times of 2026
        parse_document(whole, "eslint", NOW)
    whole["time"]["created"] = "2013-06-29T19:00:00Z"
    package, versions, rejected = parse_document(whole, "eslint", datetime(2026, 11, 23, tzinfo=UTC))
    assert package[12] == "github.com/eslint/eslint" and package[5] == "10.15.0"
    assert {v[1] for v in versions if not v[4]} == {v for v in value["versions"]}
