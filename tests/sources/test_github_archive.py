"""Archive hours as they come: every era, every fault, several mirrors."""

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from include import ingest
from include.errors import FixNeeded, SuspectData, Unavailable, WindowRefused
from include.http import HttpClient
from include.sources import get_source
from include.sources._archive_parse import Hour, event_row, hash_email, scan_hour
from include.sources.base import Batch, Connection, Context, Coverage, Rejected, Tracked, Window
from include.sources.github_archive import EVENTS
from tests.sources.standins import DAY, HASHED, SLIM_DAY, event, other, push, text, write_hours

SOURCE = get_source("github_archive")
ACME = Tracked(names=frozenset({"acme/rocket"}), owners=frozenset({"toolsmith"}))


class Landed:
    """What one fetch yielded, by kind."""

    def __init__(self, items):
        items = list(items)
        self.rejected = [i for i in items if isinstance(i, Rejected)]
        self.coverage = {i.part: i for i in items if isinstance(i, Coverage)}
        self.rows = {}
        for item in items:
            if isinstance(item, Batch):
                self.rows.setdefault(item.stream, []).extend(item.rows.to_pylist())

    def events(self, *columns):
        return [tuple(row[c] for c in columns) for row in self.rows.get("events", [])]


def fetch(*folders, day=DAY, now=None, tracked=ACME):
    urls = tuple(f if isinstance(f, str) else f"file://{f}" for f in folders)
    context = Context(
        connection=Connection(urls=urls),
        http=HttpClient(sleep=lambda s: None),
        now=now or datetime(2026, 6, 1, tzinfo=UTC),
        tracked=tracked,
    )
    return Landed(SOURCE.fetch(Window.of(day), context))


def parse(*lines, tracked=ACME):
    kept, hour = [], Hour()
    names = EVENTS.schema.names

    def keep(found, payload, raw):
        kept.append(dict(zip(names, event_row(found, payload, raw, 0), strict=True)))

    import io

    scan_hour(io.BytesIO(gzip.compress(text(*lines))), tracked, keep, hour=hour)
    return kept, hour


# what is kept


def test_tracked_names_owners_and_ids_are_kept_and_every_line_is_counted(tmp_path):
    renamed = event(4, repo={"id": 55, "name": "elsewhere/now"})
    lines = (event(1), event(2, repo={"id": 8, "name": "ToolSmith/New"}), other(3), renamed, push(5))
    tracked = Tracked(ACME.names, ACME.owners, frozenset({55}))
    landed = fetch(write_hours(tmp_path, DAY, {6: lines}), tracked=tracked)
    assert [i for (i,) in landed.events("id")] == ["1", "2", "4", "5"]
    counts = {(r["hour"], r["type"]): r["event_count"] for r in landed.rows["type_counts"]}
    assert counts[6, "WatchEvent"] == 4 and counts[6, "PushEvent"] == 1
    assert landed.coverage["06"].observed == 5
    assert sorted(r["repo_name"] for r in landed.rows["repositories"]) == [
        "ToolSmith/New",
        "acme/rocket",
        "elsewhere/now",
    ]


def test_an_event_id_is_kept_once_a_day_and_hour_24_gives_only_what_was_before_midnight(tmp_path):
    late, next_day = event(6, at="2025-09-01T23:59:59Z"), event(7, at="2025-09-02T00:00:00Z")
    landed = fetch(write_hours(tmp_path, DAY, {6: (event(1), event(1)), 7: (event(1),), 24: (late, next_day)}))
    assert landed.events("id", "hour") == [("1", 6), ("6", 24)]
    assert 24 not in {r["hour"] for r in landed.rows["type_counts"]}


def test_an_event_created_on_another_day_stays_in_its_file_hour(tmp_path):
    landed = fetch(write_hours(tmp_path, DAY, {0: (event(1, at="2025-08-20T10:00:00Z"),)}))
    assert landed.events("id", "created_at") == [("1", datetime(2025, 8, 20, 10, tzinfo=UTC))]


def test_a_changed_key_order_blank_lines_two_members_and_no_final_newline_lose_nothing(tmp_path):
    turned = {k: event(1)[k] for k in reversed(event(1))}
    body = gzip.compress(text(turned, b"", b"  ")) + gzip.compress(text(event(2), event(3)).rstrip(b"\n"))
    landed = fetch(write_hours(tmp_path, DAY, {3: body}))
    assert [i for (i,) in landed.events("id")] == ["1", "2", "3"]
    assert landed.rejected == [] and landed.coverage["03"].observed == 3


def test_an_unknown_type_and_unknown_fields_survive(tmp_path):
    lines = (event(1, "DiscussionEvent", payload={"action": "created", "discussion": {"id": 9}}),)
    landed = fetch(write_hours(tmp_path, DAY, {3: lines}))
    ((kind, action, payload),) = landed.events("type", "action", "_payload")
    assert (kind, action) == ("DiscussionEvent", "created")
    assert json.loads(payload) == {"action": "created", "discussion": {"id": 9}}


def test_lines_longer_than_a_block_are_read_whole():
    long = event(2, payload={"action": "x" * 400_000})
    kept, hour = parse(event(1), long, other(3), event(4))
    assert [row["id"] for row in kept] == ["1", "2", "4"]
    assert hour.lines == 4 and len(kept[1]["action"]) == 400_000


# the eras


def test_a_full_push_gives_its_commits_and_sizes(tmp_path):
    landed = fetch(write_hours(tmp_path, DAY, {6: (push(1, commits=2),)}))
    assert landed.events("push_size", "listed_commits", "ref") == [(2, 2, "refs/heads/main")]
    assert [(r["event_id"], r["position"], r["is_distinct"]) for r in landed.rows["push_commits"]] == [
        ("1", 0, True),
        ("1", 1, True),
    ]


def test_a_slim_push_has_null_sizes_not_zero(tmp_path):
    slim = event(1, "PushEvent", "2025-11-01T06:00:00Z", payload={"repository_id": 7, "push_id": 1, "ref": "r"})
    landed = fetch(write_hours(tmp_path, SLIM_DAY, {6: (slim,)}), day=SLIM_DAY)
    assert landed.events("push_size", "listed_commits") == [(None, None)]
    assert "push_commits" not in landed.rows


@pytest.mark.parametrize(
    ("action", "pull", "merged"),
    [
        ("closed", {"merged": True, "merged_at": "2025-09-01T05:00:00Z"}, True),
        ("closed", {"merged": False, "merged_at": None}, False),
        ("merged", {"id": 1, "number": 3}, True),
        ("closed", {"id": 1, "number": 3}, None),
        ("labeled", {"merged": True, "merged_at": "2025-09-01T05:00:00Z"}, False),
        ("opened", {"merged": False}, False),
    ],
)
def test_a_merge_counts_in_either_form(action, pull, merged):
    ((row,), _) = parse(event(1, "PullRequestEvent", payload={"action": action, "number": 3, "pull_request": pull}))
    assert (row["is_merged"], row["number"]) == (merged, 3)


def test_a_comment_on_a_pull_request_tells_its_authors_apart():
    issue = {
        "number": 4,
        "user": {"id": 11, "login": "opener"},
        "created_at": "2025-08-01T00:00:00Z",
        "pull_request": {},
    }
    comment = {"id": 99, "user": {"id": 12, "login": "talker", "type": "User"}}
    ((row,), _) = parse(
        event(1, "IssueCommentEvent", payload={"action": "created", "issue": issue, "comment": comment})
    )
    got = {k: row[k] for k in ("number", "object_id", "author_id", "author_type", "item_author_id", "on_pull_request")}
    assert got == {
        **{"number": 4, "object_id": 99, "author_id": 12},
        **{"author_type": "User", "item_author_id": 11, "on_pull_request": True},
    }
    assert row["opened_at"] == datetime(2025, 8, 1, tzinfo=UTC)


def test_a_payload_field_of_another_type_becomes_null_and_the_others_stay():
    payload = {"action": 5, "number": 3, "pull_request": {"merged": "yes", "user": {"id": 1, "login": ["x"]}}}
    ((row,), hour) = parse(event(1, "PullRequestEvent", payload=payload))
    assert (row["action"], row["number"], row["author_id"], row["author_login"]) == (None, 3, 1, None)
    assert hour.bad == []


def test_clear_emails_are_hashed_in_the_columns_and_in_the_payload(tmp_path):
    line = push(1, commits=2)
    line["payload"]["commits"][0]["author"]["email"] = "Ann@Example.ORG"
    landed = fetch(write_hours(tmp_path, DAY, {6: (line,)}))
    wanted = hashlib.sha1(b"Ann").hexdigest() + "@example.org"
    assert [r["author_email"] for r in landed.rows["push_commits"]] == [wanted, HASHED]
    ((payload,),) = landed.events("_payload")
    assert "Ann@" not in payload and wanted in payload
    assert hash_email(HASHED) == HASHED and hash_email(None) is None and hash_email("") == ""


# faults


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"this is not JSON", "at byte"),
        (text(event(9))[:60], "at byte"),
        (text({**event(9), "public": False, "repo": {}}).strip(), "at byte"),
        (text({**event(9), "public": False}).strip(), "public is false"),
        (text(event(9)).strip().replace(b'"started"', b'"started","x":"\\ud800"'), "at byte"),
        (text(event(9)).strip().replace(b"started", b"\xff\xfe"), "at byte"),
        (text({**event(9), "created_at": "yesterday"}).strip(), "created_at"),
        (b"[" * 100_000, "at byte"),
    ],
    ids=["text", "cut", "private", "not-public", "surrogate", "utf8", "time", "nested"],
)
def test_one_bad_line_is_set_aside_with_its_offset_and_the_others_land(tmp_path, bad, reason):
    landed = fetch(write_hours(tmp_path, DAY, {6: (event(1), bad, event(2))}))
    assert [i for (i,) in landed.events("id")] == ["1", "2"]
    (rejected,) = landed.rejected
    assert rejected.part == "06" and reason in rejected.reason and f"at byte {len(text(event(1)))}:" in rejected.reason
    assert len(rejected.sample) <= 200


@pytest.mark.parametrize("percent", [1, 60])
def test_an_hour_with_too_many_bad_lines_fails_the_day(tmp_path, percent):
    lines = [b"garbage" if n % 100 < percent else event(n) for n in range(1000)]
    with pytest.raises(SuspectData, match=rf"{percent * 10} of 1000 lines .* cannot be read, above 0.1 %"):
        fetch(write_hours(tmp_path, DAY, {6: tuple(lines)}))


def damaged(body: bytes) -> bytes:
    return body[:-8] + b"\x00\x01\x02\x03" + body[-4:]


@pytest.mark.parametrize(
    "cut", [lambda b: b[: len(b) // 2], damaged, lambda b: b"no gzip at all"], ids=["cut", "crc", "text"]
)
def test_a_damaged_file_lands_nothing_unless_a_mirror_has_it_whole(tmp_path, cut):
    whole = gzip.compress(text(*(event(n) for n in range(1, 400))))
    broken = write_hours(tmp_path / "a", DAY, {6: cut(whole)})
    with pytest.raises(Unavailable, match="2025-09-01-6.json.gz is cut or damaged"):
        fetch(broken)
    landed = fetch(broken, write_hours(tmp_path / "b", DAY, {6: whole}))
    assert len(landed.events("id")) == 399
    assert landed.coverage["06"].status == "complete" and "cut or damaged" in landed.coverage["06"].reason


def test_an_empty_file_is_a_damaged_hour_and_no_failure(tmp_path):
    landed = fetch(write_hours(tmp_path, DAY, {6: b"", 7: gzip.compress(b"")}))
    for part in ("06", "07"):
        assert (landed.coverage[part].status, landed.coverage[part].observed) == ("damaged", 0)


def test_an_absent_hour_is_late_first_then_missing(tmp_path):
    folder = write_hours(tmp_path, DAY, {23: None})
    end = datetime(2025, 9, 2, tzinfo=UTC)
    with pytest.raises(Unavailable, match="2025-09-01 23:00 UTC is not published yet; it is late, not missing, until"):
        fetch(folder, now=end + timedelta(hours=3, minutes=59))
    landed = fetch(folder, now=end + timedelta(hours=5))
    assert (landed.coverage["23"].status, landed.coverage["23"].observed) == ("missing", 0)


def test_hours_known_to_be_lost_are_named_so(tmp_path):
    day = datetime(2020, 3, 5).date()
    landed = fetch(write_hours(tmp_path, day, {22: None, 21: None}), day=day)
    assert [landed.coverage[p].status for p in ("21", "22")] == ["missing", "known_missing"]


def test_mirrors_are_united_by_event_id(tmp_path):
    first = write_hours(tmp_path / "a", DAY, {6: (event(1), event(2), other(3)), 7: None})
    second = write_hours(tmp_path / "b", DAY, {6: (event(2), event(4), other(3), other(5)), 7: (event(6),)})
    landed = fetch(first, second)
    assert sorted(i for (i,) in landed.events("id")) == ["1", "2", "4", "6"]
    assert landed.coverage["06"].observed == 5  # ids 1, 2, 3, 4, 5
    assert landed.coverage["07"].status == "complete"


def test_nothing_tracked_asks_for_the_directory_first(tmp_path):
    with pytest.raises(FixNeeded, match="[Ll]and oss_directory first"):
        fetch(write_hours(tmp_path, DAY, {}), tracked=Tracked())


def test_a_folder_that_is_not_there_is_a_mistake_not_a_day_of_missing_hours(tmp_path):
    with pytest.raises(FixNeeded, match="is no folder"):
        fetch(tmp_path / "nowhere")


def test_the_years_before_2015_are_refused(tmp_path):
    with pytest.raises(WindowRefused, match="2015-01-01"):
        ingest.check(SOURCE, Window.of(datetime(2014, 12, 31).date()), None)


# size and reality


def test_memory_stays_flat_because_rows_go_to_disk(tmp_path, monkeypatch):
    from include.sources import github_archive

    monkeypatch.setattr(github_archive, "BATCH_ROWS", 10)
    landed = fetch(write_hours(tmp_path, DAY, {6: tuple(push(n, commits=3) for n in range(1, 36))}))
    assert len(landed.rows["events"]) == 35 and len(landed.rows["push_commits"]) == 105
    assert [r["event_id"] for r in landed.rows["push_commits"]][::3] == [str(n) for n in range(1, 36)]


@pytest.mark.parametrize("hour", [6, 7])
def test_a_real_hour_lands_with_every_line_counted(recordings, hour):
    kept, found = [], Hour()
    path = recordings / f"github/archive/2021-07-21-{hour}.json.gz"
    with gzip.open(path) as lines:
        wanted = [json.loads(line) for line in lines]
    owners = frozenset(line["repo"]["name"].partition("/")[0].lower() for line in wanted)
    with path.open("rb") as body:
        scan_hour(body, Tracked(owners=owners), lambda e, p, raw: kept.append(e.id), hour=found)
    assert found.lines == len(kept) == 200 and found.bad == []
    assert kept == [line["id"] for line in wanted]


def test_staged_files_hold_the_days_columns(tmp_path, monkeypatch):
    from tests.sources.standins import connect, settings_in

    connect(monkeypatch, tmp_path / "up")
    settings = settings_in(tmp_path / "home")
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    run = ingest.fetch_day(SOURCE, DAY, settings, "run-1")
    table = pq.read_table(run / "events.parquet")
    assert set(table["_day"].to_pylist()) == {DAY} and set(table["_run_id"].to_pylist()) == {"run-1"}
    assert sorted(table["id"].to_pylist()) == ["1", "2", "4", "6"]
