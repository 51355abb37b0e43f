"""BigQuery as it answers: what is landed, what a query may cost, and what goes wrong on the way."""

import gzip
import json
import logging
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from demo import connections
from demo.activity import happenings
from demo.archive import ARCHIVES, archive
from demo.bigquery import BigQuery, Refusal, refusal
from demo.server import DemoServer, Fault
from demo.world import PYPI as LISTED_PYPI
from include import ingest
from include.errors import (
    BadCredentials,
    ContractBroken,
    FixNeeded,
    RateLimited,
    SourceOff,
    SuspectData,
    Unavailable,
)
from include.http import HttpClient
from include.sources import _bigquery_client, get_source
from include.sources._bigquery_client import Warehouse, credentials_of
from include.sources._bigquery_queries import PYPI_DOWNLOADS, QUERIES, TABLES, price_usd
from include.sources.base import (
    Batch,
    Connection,
    Context,
    Coverage,
    Listed,
    Rejected,
    Tracked,
    Window,
    off_reason,
    parse_connection,
)
from include.sources.github_archive import EVENTS
from tests.sources import bigquery_day as world
from tests.sources.bigquery_day import CONTRACT, CREATED, DEPLOYER, GITHUB_DAY, USER, day_tables, sent
from tests.sources.standins import DAY, event, push, settings_in

SOURCE = get_source("bigquery")
JOBS, RESULTS = "/bigquery/jobs", "/bigquery/results"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACME = Tracked(names=frozenset({"acme/rocket"}), owners=frozenset({"toolsmith"}))
LISTED = (
    *(Listed("acme", "blockchain", CONTRACT, network, ("contract",)) for network in ("mainnet", "optimism")),
    Listed("acme", "blockchain", DEPLOYER, "any_evm", ("deployer", "eoa")),
    Listed("acme", "blockchain", world.WALLET, "mainnet", ("contract", "safe")),
    *(Listed("acme", "npm", "@Acme/sdk"), Listed("acme", "pypi", "acme-kit")),
)
SECRET = "hunter2-planted"  # noqa: S105


@pytest.fixture(scope="module")
def server():
    with DemoServer() as one:
        yield one


@pytest.fixture
def upstream(server, waits):
    """The stand-in with the hand-made day; nobody really waits."""
    server.faults.clear()
    server.requests.clear()
    server.bigquery = BigQuery(day_tables().get)
    server.waits = waits
    return server


def with_rows(server, name: str, rows: list[dict]) -> None:
    """Replaces one table of the hand-made day."""
    tables = day_tables()
    tables[name] = pa.Table.from_pylist(rows, schema=tables[name].schema)
    server.bigquery = BigQuery(tables.get)


def with_table(server, name: str, table: pa.Table | None) -> None:
    tables = day_tables() | {name: table}
    server.bigquery = BigQuery(tables.get)


class Landed:
    """What one fetch yielded, by kind."""

    def __init__(self, items):
        items = list(items)
        self.rejected = [i for i in items if isinstance(i, Rejected)]
        self.coverage = {(i.stream, i.part): i for i in items if isinstance(i, Coverage)}
        self.rows = {}
        for item in items:
            if isinstance(item, Batch):
                assert item.rows.schema == SOURCE.stream(item.stream).schema
                self.rows.setdefault(item.stream, []).extend(item.rows.to_pylist())

    def cells(self, stream, *columns):
        return [tuple(row[c] for c in columns) for row in self.rows.get(stream, [])]

    def status(self, stream):
        return {part: c.status for (s, part), c in self.coverage.items() if s == stream}


def context(server, *, now=NOW, tracked=ACME, listed=LISTED, **more):
    connection = Connection(urls=(server.base_url,), login="demo-project", **more)
    return Context(connection=connection, http=HttpClient(), now=now, tracked=tracked, listed=listed)


def fetch(server, day=DAY, **more):
    return Landed(SOURCE.fetch(Window.of(day), context(server, **more)))


# what is landed


def test_events_of_tracked_repositories_land_once_in_the_columns_of_the_archive(upstream):
    landed = fetch(upstream)
    assert SOURCE.stream("github_events").schema == EVENTS.schema
    assert sorted(landed.cells("github_events", "id", "type", "repo_name", "hour")) == [
        ("1", "PushEvent", "acme/rocket", 6),
        ("2", "WatchEvent", "acme/rocket", 6),
        ("4", "WatchEvent", "ToolSmith/hammer", 23),
    ]
    assert landed.cells("github_push_commits", "event_id", "position") == [("1", 0), ("1", 1)]
    assert landed.cells("github_repositories", "repo_id", "owner") == [(7, "acme"), (8, "toolsmith")]
    counts = dict(((h, t), n) for h, t, n in landed.cells("github_type_counts", "hour", "type", "event_count"))
    assert (counts[6, "WatchEvent"], counts[6, "PushEvent"], counts[23, "WatchEvent"]) == (2, 1, 2)
    assert landed.status("github_events") == {f"{hour:02d}": "complete" for hour in range(24)}


def test_a_payload_is_kept_whole_and_clear_e_mails_are_hashed(upstream):
    commit = {"sha": "a" * 40, "author": {"name": "Ann", "email": "Ann@Ex.org"}, "message": "m", "distinct": True}
    line = push(1) | {"payload": {"ref": "refs/heads/main", "size": 1, "commits": [commit], "new_field": [1]}}
    with_rows(upstream, GITHUB_DAY, [world.github_row(line)])
    landed = fetch(upstream)
    ((payload,),) = landed.cells("github_events", "_payload")
    assert json.loads(payload)["new_field"] == [1] and "Ann@" not in payload
    # sha1 of "Ann", by hand: printf Ann | sha1sum
    assert landed.cells("github_push_commits", "author_email") == [("219dc550cd320d69885a529524239d875ad19347@ex.org",)]


def test_an_event_that_cannot_be_read_costs_itself(upstream):
    bad = [world.github_row(event(n)) for n in range(5)]
    bad[0] |= {"payload": '{"cut": '}
    bad[1] |= {"repo": {"id": 7, "name": None}, "actor": {"id": 1, "login": "x"}, "repo_id": None}
    bad[1] |= {"repo": {"id": None, "name": "acme/rocket"}}
    bad[2] |= {"public": False}
    bad[3] |= {"payload": '{"action":"\\ud800"}'}
    with_rows(upstream, GITHUB_DAY, bad)
    landed = fetch(upstream)
    assert landed.cells("github_events", "id") == [("4",)]
    assert len(landed.rejected) == 4 and {r.stream for r in landed.rejected} == {"github_events"}


def test_transactions_of_listed_contracts_and_creations_by_listed_deployers_land(upstream):
    landed = fetch(upstream)
    found = {h[-2:]: (n, to, status) for n, h, to, status in landed.cells(
        "transactions", "network", "transaction_hash", "to_address", "receipt_status")}  # fmt: skip
    assert found == {
        "01": ("mainnet", CONTRACT, 1),
        "03": ("mainnet", None, 1),
        "0c": ("optimism", CONTRACT, 0),
        "0e": ("optimism", CONTRACT, 1),
    }
    one = next(r for r in landed.rows["transactions"] if r["transaction_hash"].endswith("03"))
    assert one["receipt_contract_address"] == CREATED and one["from_address"] == DEPLOYER and one["value"] == "5"
    two = next(r for r in landed.rows["transactions"] if r["transaction_hash"].endswith("0c"))
    assert two["value"] == str(2**255) and two["receipt_l1_fee"] == 7 and two["block_timestamp"] == world.at("00:00:04")
    assert landed.coverage["transactions", "optimism"] == Coverage(
        "transactions", "optimism", 4, 4, "complete", "2 of 4 transactions are of listed addresses"
    )
    assert landed.status("transactions")["base"] == "missing"  # any_evm asks for every chain


def test_a_safe_is_no_target_although_it_is_a_contract(upstream):
    assert not [r for r in fetch(upstream).rows["transactions"] if r["to_address"] == world.WALLET]


def test_block_times_in_seconds_are_read_as_well(upstream):
    tables = day_tables()
    name = f"{world.OP_LABS}.transactions"
    place = tables[name].schema.get_field_index("block_timestamp")
    seconds = pa.array([int(t.timestamp()) for t in tables[name]["block_timestamp"].to_pylist()])
    with_table(upstream, name, tables[name].set_column(place, "block_timestamp", seconds))
    times = {h[-2:]: t for h, t in fetch(upstream).cells("transactions", "transaction_hash", "block_timestamp")}
    assert times["0c"] == world.at("00:00:04")


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([(11, "00:00:02", 2), (13, "23:59:58", 2)], "2 blocks from 11 to 13"),
        ([(11, "00:00:02", 2), (12, "20:15:00", 2)], "blocks from 00:00 to 20:15 only"),
        ([(11, "00:00:02", 2), (12, "23:59:58", 9)], "its blocks hold 11 transactions"),
    ],
)
def test_a_chains_day_that_lacks_something_is_damaged_or_late(upstream, blocks, reason):
    with_rows(upstream, f"{world.OP_LABS}.blocks", [world.block(*b) for b in blocks])
    found = fetch(upstream).coverage["transactions", "optimism"]
    assert found.status == "damaged" and found.reason.startswith(reason)
    with pytest.raises(Unavailable, match="optimism .*late, not missing, until 2025-09-02 18:00 UTC"):
        fetch(upstream, now=datetime(2025, 9, 2, 17, 59, tzinfo=UTC))


def test_direct_dependents_of_the_days_snapshot_land_once_each(upstream):
    landed = fetch(upstream)
    assert landed.cells("dependents", "kind", "name", "dependent_name", "dependent_version", "snapshot_at") == [
        ("npm", "@Acme/sdk", "near", "3.0.0", world.SNAPSHOT_AT),
        ("pypi", "acme-kit", "user-of-acme", "3.0.0", world.SNAPSHOT_AT),
    ]
    assert landed.coverage["dependents", "npm"].observed == 1


def test_a_day_without_a_snapshot_asks_for_no_dependents(upstream):
    with_rows(upstream, f"{world.DEPS}.Snapshots", [{"Time": world.SNAPSHOT_AT - timedelta(days=1)}])
    landed = fetch(upstream)
    assert landed.coverage["dependents", "npm"] == Coverage(
        "dependents", "npm", 0, 0, "complete", "deps.dev took no snapshot on this day"
    )
    assert not [job for job in upstream.bigquery.jobs.values() if "Dependents" in job.query]


def test_crates_and_modules_are_found_whatever_their_case(upstream):
    rows = [world.depends("CARGO", "Inflector", "x"), world.depends("GO", "github.com/Masterminds/semver", "y")]
    with_rows(upstream, f"{world.DEPS}.Dependents", rows)
    listed = (Listed("a", "crates", "inflector"), Listed("a", "go", "github.com/masterminds/semver"))
    assert fetch(upstream, listed=listed).cells("dependents", "kind", "name", "dependent_name") == [
        ("crates", "inflector", "x"),
        ("go", "github.com/masterminds/semver", "y"),
    ]


def test_downloads_are_counted_and_a_day_without_one_is_covered(upstream):
    listed = (Listed("acme", "pypi", "acme-kit"), Listed("acme", "pypi", "quiet-kit"))
    landed = fetch(upstream, listed=listed)
    assert landed.cells("pypi_downloads", "project", "download_count", "mirror_count") == [("acme-kit", 3, 1)]
    assert landed.coverage["pypi_downloads", "quiet-kit"] == Coverage(
        "pypi_downloads", "quiet-kit", 24, 24, "complete", "no download"
    )


@pytest.mark.parametrize(("hours", "status"), [(20, "damaged"), (0, "missing")])
def test_hours_that_pypis_table_lacks_are_seen_by_projects_that_never_rest(upstream, hours, status):
    with_rows(upstream, world.PYPI, [world.download(f"{hour:02d}:00:01", "boto3") for hour in range(hours)])
    found = fetch(upstream).coverage["pypi_downloads", "acme-kit"]
    assert (found.status, found.observed) == (status, hours)
    with pytest.raises(Unavailable, match="PyPI's downloads of 2025-09-01 is not published yet"):
        fetch(upstream, now=datetime(2025, 9, 2, 12, tzinfo=UTC))


def test_a_day_without_a_github_table_is_late_and_then_missing_and_the_rest_lands(upstream):
    with_table(upstream, GITHUB_DAY, None)
    with pytest.raises(Unavailable, match="GitHub Archive's copy of 2025-09-01 is not published yet"):
        fetch(upstream, now=datetime(2025, 9, 2, 12, tzinfo=UTC))
    landed = fetch(upstream)
    found = landed.coverage["github_events", "day"]
    assert (found.expected, found.observed, found.status) == (24, 0, "missing")
    assert "Table githubarchive.day.20250901 was not found" in found.reason
    assert landed.rows["transactions"] and "github_events" not in landed.rows


def test_a_superchain_that_is_not_linked_costs_its_chains_alone(upstream):
    with_table(upstream, f"{world.OP_LABS}.blocks", None)
    landed = fetch(upstream)
    assert landed.status("transactions")["optimism"] == "missing"
    assert landed.status("transactions")["mainnet"] == "complete"


def test_only_what_is_listed_is_asked_for(upstream):
    fetch(upstream, tracked=None, listed=(Listed("acme", "pypi", "acme-kit"),))
    asked = " ".join(job.query for job in upstream.bigquery.jobs.values())
    assert "file_downloads" in asked and not re.search("githubarchive|crypto_ethereum|superchain", asked)
    with pytest.raises(FixNeeded, match="Land oss_directory first"):
        fetch(upstream, tracked=None, listed=())


def test_outside_text_is_a_parameter_and_never_sql(upstream):
    hostile = "x') or true -- ` @start"
    tracked = Tracked(names=frozenset({hostile}))
    landed = fetch(upstream, tracked=tracked, listed=(Listed("a", "pypi", hostile), Listed("a", "npm", hostile)))
    assert "github_events" not in landed.rows and "pypi_downloads" not in landed.rows
    assert not [job for job in upstream.bigquery.jobs.values() if "or true --" in job.query]


# what a query may cost


def test_no_query_runs_without_its_own_dry_run_below_its_limit(upstream):
    fetch(upstream)
    jobs = list(upstream.bigquery.jobs.values())
    runs = [(n, job) for n, job in enumerate(jobs) if not job.dry]
    limits = {query.text(DAY, "demo-project"): query.limit_bytes for query in QUERIES}
    assert {job.labels["query"] for _, job in runs} == {
        *("github_type_counts", "github_events", "ethereum_blocks", "ethereum_transactions", "superchain_blocks"),
        *("superchain_transactions", "snapshots", "dependents_npm", "dependents_pypi", "pypi_downloads"),
    }
    for n, job in runs:
        before = jobs[n - 1]
        assert before.dry and (before.query, before.parameters) == (job.query, job.parameters)
        assert before.size <= job.limit == limits[job.query]
        assert job.labels["app"] == "openimpact" and job.location == "US"
    assert len(jobs) == 2 * len(runs)


def test_a_query_whose_dry_run_is_above_its_limit_never_runs(upstream):
    size = 10**15
    upstream.bigquery._size = lambda sql: size if "file_downloads" in sql else 100
    landed = fetch(upstream)
    found = landed.coverage["pypi_downloads", "acme-kit"]
    assert (
        found.status == "missing" and "1,000,000.0 GB, above its limit of 200 GB; the query was not run" in found.reason
    )
    assert not [j for j in upstream.bigquery.jobs.values() if "file_downloads" in j.query and not j.dry]
    assert landed.rows["transactions"]


def test_a_table_that_grew_after_the_dry_run_is_refused_by_bigquery_itself(upstream):
    sizes = iter([100, 10**15])
    upstream.bigquery._size = lambda sql: next(sizes) if "file_downloads" in sql else 100
    found = fetch(upstream).coverage["pypi_downloads", "acme-kit"]
    assert found.status == "missing" and "exceeded limit for bytes billed" in found.reason


def test_a_dry_run_that_names_no_price_is_no_dry_run(upstream, monkeypatch):
    answer = upstream.bigquery._job
    monkeypatch.setattr(upstream.bigquery, "_job", lambda job_id: answer(job_id) | {"statistics": {}})
    with pytest.raises(ContractBroken, match="the dry run names no bytes"):
        fetch(upstream)
    assert all(job.dry for job in upstream.bigquery.jobs.values())


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.name)
def test_no_query_lacks_a_partition_filter_a_price_or_a_limit(query):
    assert 0 < query.price_gb <= query.limit_gb and query.columns
    text = query.text(DAY, "demo-project")
    assert not re.search(r"`[^`\s]*\.", query.sql), "tables are named through TABLES alone"
    assert "select *" not in text
    tables = re.findall(r"`([^`\s]+\.[^`\s]+)` as t where ([^\n]+)", text)
    assert len(tables) == text.count("` as t where") and tables
    for name, condition in tables:
        if name.startswith("githubarchive."):
            assert name == GITHUB_DAY  # the table is the partition
        else:
            assert re.match(
                r"t\.(timestamp|block_timestamp|Time) >= @start and t\.\1 < @end"
                r"|t\.dt = '2025-09-01'|t\.SnapshotAt = @snapshot_at",
                condition,
            )


def test_the_stand_in_refuses_a_query_without_its_partition_filter(upstream, monkeypatch):
    monkeypatch.setitem(TABLES, "pypi_downloads", (TABLES["pypi_downloads"][0], "true"))
    found = fetch(upstream).coverage["pypi_downloads", "acme-kit"]
    assert found.status == "missing" and "without a filter over column(s) 'timestamp'" in found.reason


def test_a_price_is_in_dollars_a_tebibyte():
    assert price_usd(2**40) == 6.25 and round(price_usd(10**9), 4) == 0.0057


# what goes wrong on the way


def land(server, tmp_path, monkeypatch):
    """A landing through all steps, with a registry of acme's artifacts."""
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD", server.base_url.replace("://", "://demo-project@"))
    monkeypatch.setattr(ingest, "tracked_github", lambda settings: ACME)
    monkeypatch.setattr(ingest, "listed_artifacts", lambda settings, kinds: LISTED)
    settings = settings_in(tmp_path)
    return ingest.land(SOURCE, Window.of(DAY), settings, now=NOW)


@pytest.mark.parametrize("path", [JOBS, RESULTS])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(2, status=503),
        Fault(3, status=500, body=refusal(500, "internalError")),
        Fault(2, status=429),
        Fault(2, status=403, body=refusal(403, "rateLimitExceeded")),
        Fault(2, drop=True),
        Fault(2, keep=0.5),
        Fault(2, body=b"<html>sign in</html>"),
        Fault(2, body=b"[]"),
    ],
    ids=["503", "500", "429", "rateLimitExceeded", "reset", "cut", "html", "list"],
)
def test_what_passes_is_waited_for(upstream, path, fault):
    quiet = fetch(upstream)
    upstream.faults.add(path, replace(fault))
    assert fetch(upstream).rows == quiet.rows
    assert upstream.waits[:2] == [0.5, 1.0]


def test_retry_after_is_obeyed_and_a_long_one_ends_the_task_at_once(upstream):
    upstream.faults.limited(JOBS, retry_after=7)
    fetch(upstream)
    assert upstream.waits == [7.0]
    upstream.faults.limited(JOBS, retry_after=3600)
    with pytest.raises(RateLimited) as caught:
        fetch(upstream)
    assert timedelta(minutes=59) < caught.value.retry_at - datetime.now(UTC) <= timedelta(hours=1)
    assert upstream.waits == [7.0]


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(-1, status=503), Unavailable, "503 in 4 attempts"),
        (Fault(-1, status=429), RateLimited, "too many requests"),
        (Fault(-1, drop=True), Unavailable, "no whole answer"),
        (Fault(-1, keep=0.5), Unavailable, "no whole answer"),
        (Fault(-1, body=b"<html>"), Unavailable, "an answer that is no JSON, 4 times"),
        (Fault(-1, status=403, body=refusal(403, "quotaExceeded", "free bytes")), RateLimited, "quota .* spent .free"),
        (Fault(-1, status=401, body=refusal(401, "authError")), BadCredentials, "refuses the credentials"),
        (
            Fault(-1, status=403, body=refusal(403, "accessDenied", "no bigquery.jobs.create permission")),
            BadCredentials,
            "role BigQuery Job User",
        ),
        (Fault(-1, status=403, body=refusal(403, "accessDenied")), BadCredentials, "all 5 queries .* were refused"),
        (Fault(-1, status=400, body=refusal(400, "invalidQuery")), ContractBroken, "all 5 queries .* were refused"),
    ],
    ids=["503", "429", "reset", "cut", "html", "quota", "401", "job rights", "table rights", "invalid"],
)
def test_what_does_not_pass_fails_the_day_and_lands_nothing(upstream, tmp_path, monkeypatch, fault, error, words):
    upstream.faults.add(JOBS, fault)
    with pytest.raises(error, match=words):
        land(upstream, tmp_path, monkeypatch)
    assert not list((tmp_path / "staging").rglob("*.parquet"))


def test_a_table_that_is_not_ours_to_read_costs_itself(upstream, monkeypatch):
    size = upstream.bigquery._size

    def deny(sql):
        if "file_downloads" in sql:
            raise Refusal(403, "accessDenied", "Access Denied: Table file_downloads")
        return size(sql)

    monkeypatch.setattr(upstream.bigquery, "_size", deny)
    landed = fetch(upstream)
    assert landed.coverage["pypi_downloads", "acme-kit"].reason == "pypi_downloads: Access Denied: Table file_downloads"
    assert landed.rows["transactions"]


def test_a_job_that_takes_its_time_is_waited_for(upstream):
    quiet = fetch(upstream)
    upstream.bigquery.polls_before_done = 3
    assert fetch(upstream).rows == quiet.rows


def test_a_job_that_never_ends_is_given_up(upstream, monkeypatch):
    monkeypatch.setattr(_bigquery_client, "JOB_TIMEOUT_S", 0.2)
    upstream.bigquery.polls_before_done = 10**9
    with pytest.raises(Unavailable, match="no result in"):
        fetch(upstream)


def test_a_request_that_was_sent_twice_is_one_job(upstream):
    quiet = fetch(upstream)
    insert = upstream.bigquery._insert
    lost = []

    def lose_the_first_answer(project, asked):
        answer = insert(project, asked)
        if not lost:
            lost.append(asked)
            raise Refusal(503, "backendError", "lost")
        return answer

    upstream.bigquery._insert = lose_the_first_answer
    assert fetch(upstream).rows == quiet.rows


# paging


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(_bigquery_client, "PAGE_ROWS", 2)


def test_pages_are_all_read(upstream, small_pages):
    landed = fetch(upstream)
    assert len(landed.rows["github_events"]) == 3 and len(landed.rows["transactions"]) == 4
    assert sum(n for *_, n in landed.cells("github_type_counts", "hour", "type", "event_count")) == 27


def test_a_result_that_expires_between_two_pages_fails_the_day(upstream, small_pages):
    upstream.bigquery.expires_after = 1
    with pytest.raises(Unavailable, match="github_type_counts: the job or its result expired"):
        fetch(upstream)


def test_paging_that_repeats_is_seen(upstream, small_pages):
    upstream.bigquery.repeats_pages = True
    with pytest.raises(Unavailable, match="rows in its pages, but BigQuery counted"):
        fetch(upstream)


def test_a_page_without_rows_for_ever_is_seen(upstream, monkeypatch):
    results = upstream.bigquery._results
    monkeypatch.setattr(upstream.bigquery, "_results", lambda *a: results(*a) | {"rows": [], "pageToken": "2"})
    with pytest.raises(Unavailable, match="rows in its pages, but BigQuery counted"):
        fetch(upstream)


def test_a_page_that_came_twice_in_place_of_another_is_refused_as_duplicates(upstream, tmp_path, monkeypatch):
    run = upstream.bigquery._run

    def repeat(job):
        fields, rows = run(job)
        return fields, [rows[0], *rows[:-1]] if "deps_dev_v1.Dep" not in job.query and len(rows) > 2 else rows

    monkeypatch.setattr(upstream.bigquery, "_run", repeat)
    with pytest.raises(SuspectData, match="occur more than once"):
        land(upstream, tmp_path, monkeypatch)


# what changes shape


@pytest.mark.parametrize("column", PYPI_DOWNLOADS.columns)
def test_a_column_that_is_gone_or_of_another_type_costs_its_query_before_it_runs(upstream, monkeypatch, column):
    run = upstream.bigquery._run

    def drift(job):
        fields, rows = run(job)
        if "file_downloads" in job.query:
            fields = [f | {"type": "FLOAT"} if f["name"] == column else f for f in fields]
        return fields, rows

    monkeypatch.setattr(upstream.bigquery, "_run", drift)
    landed = fetch(upstream)
    found = landed.coverage["pypi_downloads", "acme-kit"]
    assert found.status == "missing" and f"{column} is FLOAT, not" in found.reason
    assert not [j for j in upstream.bigquery.jobs.values() if "file_downloads" in j.query and not j.dry]
    assert landed.rows["transactions"]


@pytest.mark.parametrize("column", ["hash", "block_number", "from_address", "receipt_status", "value", "dt"])
def test_a_table_that_lost_a_column_costs_its_query(upstream, column):
    name = f"{world.OP_LABS}.transactions"
    column = {"value": "value_lossless"}.get(column, column)
    with_table(upstream, name, day_tables()[name].drop_columns([column]))
    landed = fetch(upstream)
    assert landed.status("transactions")["optimism"] == "missing"
    assert landed.status("transactions")["mainnet"] == "complete"


@pytest.mark.parametrize("column", ["hash", "block_number", "block_timestamp", "from_address", "receipt_gas_used"])
def test_a_transaction_without_what_every_one_has_is_rejected(upstream, column):
    rows = [sent(12, "00:00:04", **{column: None}), sent(13, "00:00:05")]
    with_rows(upstream, f"{world.OP_LABS}.transactions", rows)
    landed = fetch(upstream)
    assert [r for r in landed.rows["transactions"] if r["network"] == "optimism"][0]["from_address"] == USER
    assert len(landed.rejected) == 1 and landed.rejected[0].part == "optimism"


def test_values_out_of_the_day_and_addresses_that_are_none_are_refused(upstream, tmp_path, monkeypatch):
    rows = [sent(1, "00:03:00", chain="mainnet", from_address="0xshort")]
    with_rows(upstream, f"{world.CRYPTO}.transactions", rows)
    with pytest.raises(SuspectData, match="transactions.from_address"):
        land(upstream, tmp_path, monkeypatch)


# the connection


def test_without_a_connection_the_source_is_off_and_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_GOOGLE_CLOUD", raising=False)
    assert off_reason(SOURCE, {}) == (
        "bigquery is off: its queries need a Google Cloud project that pays for them. "
        "Set AIRFLOW_CONN_GOOGLE_CLOUD (see .env.example) to turn it on."
    )
    with pytest.raises(SourceOff, match="bigquery is off"):
        ingest.land(SOURCE, Window.of(DAY), settings_in(tmp_path))


def test_a_service_accounts_key_is_the_password(monkeypatch):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {
        **{"type": "service_account", "project_id": "keys-project", "private_key": secret.decode()},
        **{"client_email": "a@keys-project.iam.example", "token_uri": "https://oauth2.example/token"},
    }
    value = {"conn_type": "https", "host": "bigquery.googleapis.com", "password": json.dumps(key)}
    env = {"AIRFLOW_CONN_GOOGLE_CLOUD": json.dumps(value)}
    connection = parse_connection(env, "google_cloud", SOURCE.default_urls)
    credentials, project = credentials_of(connection)
    assert (credentials.service_account_email, project) == ("a@keys-project.iam.example", "keys-project")
    assert credentials_of(replace(connection, login="my-project"))[1] == "my-project"
    assert "PRIVATE" not in repr(connection)


@pytest.mark.parametrize("password", [SECRET, f'{{"private_key": "{SECRET}"}}', f'["{SECRET}"]'])
def test_a_key_that_is_none_is_a_sentence_without_the_key(password):
    connection = Connection(urls=("https://bigquery.googleapis.com",), login="my-project", password=password)
    with pytest.raises(BadCredentials, match="no service account key") as caught:
        credentials_of(connection)
    assert SECRET not in str(caught.value)


def test_a_machine_without_credentials_and_a_connection_without_project_are_sentences(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(BadCredentials, match="no credentials of its own"):
        credentials_of(Connection(urls=("https://bigquery.googleapis.com",), login="my-project"))
    for project in (None, "x", "My Project`; drop"):
        with pytest.raises(FixNeeded, match="names no Google Cloud project"):
            credentials_of(Connection(urls=("http://127.0.0.1:1",), login=project))


def test_a_planted_secret_is_in_no_log_and_no_message(upstream, caplog):
    caplog.set_level(logging.DEBUG)
    fetch(upstream, password=SECRET)
    upstream.faults.add(RESULTS, Fault(-1, status=503))
    upstream.faults.add(JOBS, Fault(1, status=429, body=refusal(429, "rateLimitExceeded")))
    with pytest.raises(Unavailable) as caught:
        fetch(upstream, password=SECRET)
    assert SECRET not in caplog.text + str(caught.value) + repr(context(upstream, password=SECRET))
    assert "demo-project" not in str(caught.value)


def test_the_wire_is_googles_own_client(upstream):
    connection = Connection(urls=(upstream.base_url,), login="demo-project")
    assert type(Warehouse(connection, DAY, Counter()).client).__module__ == "google.cloud.bigquery.client"


# the demo's world, counted without the code under test


def test_the_demos_day_has_the_events_of_the_first_archives_files(upstream):
    with DemoServer() as demo:
        connection = parse_connection(connections(demo.base_url), "google_cloud", ())
        one = replace(context(demo, tracked=Tracked(owners=frozenset({"sprout-garden"}))), connection=connection)
        day = date(2025, 9, 1)
        landed = Landed(SOURCE.fetch(Window.of(day), replace(one, listed=(Listed("sprout", "pypi", LISTED_PYPI),))))
        gone = Landed(SOURCE.fetch(Window.of(date(2025, 9, 11)), one))
    written = {
        json.loads(line)["id"]
        for hour in range(24)
        for line in gzip.decompress(archive().file(ARCHIVES[0], day, hour)).splitlines()
        if b'"name":"sprout-garden/' in line
    }
    truth = {str(h.id) for h in happenings() if h.repo.owner == "sprout-garden" and h.at.date() == day}
    found = {i for (i,) in landed.cells("github_events", "id")}
    assert found == written and len(found & truth) > 0.9 * len(truth) > 5
    assert gone.status("github_events") == {"day": "missing"}


def test_recorded_archive_lines_are_read_from_the_day_table_as_from_the_hour_file(upstream, recordings):
    """Two real hours as rows of a day table: every line lands, with the ids that the lines have."""
    lines = []
    for path in sorted((recordings / "github/archive").glob("*.json.gz")):
        lines += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines() if line.strip()]
    lines = [line for line in lines if {"id", "type", "repo", "payload", "created_at"} <= line.keys()]
    assert len(lines) >= 200
    accounts = {"id", "login"}
    rows = [
        world.github_row(line)
        | {"actor": {k: line["actor"].get(k) for k in accounts}}
        | {"org": {k: line["org"].get(k) for k in accounts} if "org" in line else None}
        | {"repo": {k: line["repo"].get(k) for k in ("id", "name", "url")}}
        for line in lines
    ]
    with_rows(upstream, GITHUB_DAY, rows)
    landed = fetch(upstream, tracked=Tracked(repo_ids=frozenset(line["repo"]["id"] for line in lines)))
    assert landed.rejected == []
    assert {i for (i,) in landed.cells("github_events", "id")} == {line["id"] for line in lines}
    commits = {(line["id"], c["sha"]) for line in lines for c in line["payload"].get("commits", [])}
    assert set(landed.cells("github_push_commits", "event_id", "sha")) == commits
