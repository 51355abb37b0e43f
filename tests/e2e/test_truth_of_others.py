"""npm, deps.dev, Open Collective, two chains and GitHub's counts landed over http and built, against the oracle."""

from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pytest

from demo import connections
from demo.github_api import github
from demo.oracle import compare, scores, wide
from demo.oracle.others import STOCKS, Others, counts_now
from demo.server import DemoServer
from include import ingest, transform
from include.lake.catalog import open_catalog
from include.sources import bigquery, get_source
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.e2e.vectors import assert_true_scores, vector, with_vectors
from tests.e2e.wide_rows import differences
from tests.sources.standins import settings_in

DAYS = {
    "npm": (date(2025, 6, 8), date(2025, 6, 13)),  # the 10th is lost
    "open_collective": (date(2025, 6, 27), date(2025, 7, 3)),  # on the 30th an account's child gives to it
    "evm_rpc": (date(2025, 6, 9), date(2025, 6, 12)),  # contracts are made on the 10th
    "bigquery": (date(2025, 6, 8), date(2025, 6, 11)),  # deps.dev looks on Mondays, the 9th is one
}
SOURCES = {"NPM", "DEPS_DEV", "OPEN_COLLECTIVE", "MAINNET", "OPTIMISM", "EVM"}
COUNTED = (date(2025, 6, 1), date(2025, 6, 9), date(2025, 6, 10))  # more than a week lies between the first two
LATE = (("bigquery", date(2025, 6, 10)), ("evm_rpc", date(2025, 6, 12)))  # land after the first build
MIX = [
    "NPM downloads",
    "OPEN_COLLECTIVE funding_net",
    "OPEN_COLLECTIVE backers",
    "EVM transactions",
    "MAINNET gas_fees",
]
VECTORS = [
    vector("daily", "daily", MIX, transform="log1p"),
    vector("weekly", "weekly", MIX, p=1),
    vector("rolling", "over_90_day_period", [*MIX, "EVM new_addresses"], p=3, max_missing=0.9),
    vector("ever", "over_all_time", [*MIX, "NPM packages"], variants={"adoption": 1}),
    vector("half", "over_30_day_period", MIX, entities="workshop", max_missing=0.2),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings and the oracle of the same landing."""
    settings, today = settings_in(tmp_path_factory.mktemp("others")), datetime.now(UTC).date()
    made, snapshots = github.__wrapped__(), {}
    landings = [(name, Window.of(today)) for name in ("oss_directory", "npm_manifests", "ecb_rates")]
    landings += [
        (name, Window.of(day))
        for name, (first, last) in DAYS.items()
        for day in Window(first, last + timedelta(days=1)).days()
        if (name, day) not in LATE
    ]
    landings.append(("github_api", Window.of(COUNTED[-1])))
    with DemoServer(github_api=made) as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in connections(upstreams.base_url).items():
            monkeypatch.setenv(name, value)
        for step in ("_github", "_chains"):  # what a node or the API tells here already, and a dozen chains more
            monkeypatch.setattr(bigquery, step, lambda day: ())
        with_vectors(monkeypatch, tmp_path_factory.mktemp("vectors"), VECTORS)
        for name, window in landings:
            ingest.land(get_source(name), window, settings)
        for n, day in enumerate(COUNTED):
            snapshots[day] = changed(made, n)
            noon = datetime.combine(day, time(12), UTC)
            ingest.land(get_source("github_repositories"), Window.of(day), settings, now=noon)
        ingest.ensure_raw_tables(settings)
        transform.build(settings, "others")
        for name, day in LATE:
            ingest.land(get_source(name), Window.of(day), settings)
        assert transform.build(settings, "late")["rebuild_from"] == str(LATE[0][1])
    yield settings, Others(*DAYS.values(), snapshots, read_on=today)


def changed(made, times):
    """Stars and forks of every repository move; at last one repository cannot be read, and one does not tell its stars.

    Returns the counts that are told.
    """
    for shelf in made.shelves.values():
        one = shelf.repository
        one["stargazerCount"] += one["databaseId"] % 3
        one["forkCount"] += 1
    if times == 2:
        lost, silent = sorted(made.shelves)[:2]
        names = [name for name, number in made.names.items() if number == lost]
        made.broken |= {
            asked: {"message": "Something went wrong"} for asked in [*names, made.shelves[lost].repository["id"]]
        }
        made.shelves[silent].repository["stargazerCount"] = None
    return counts_now(made)


def test_every_published_number_is_the_true_one(built):
    settings, truth = built
    published = compare.read(open_catalog(settings, "lake"), "exports")
    compared = compare.compare(published, [truth])
    compared = [one for one in compared if one.source in SOURCES or one.metric in STOCKS]
    assert compare.complaint(compared) is None
    assert {one.source for one in compared} == {*SOURCES, "GITHUB"}


def test_the_world_has_what_the_rules_are_about(built):
    _, truth = built
    inside = [f for f in truth.facts if f.type == "CREDIT" and f.who == "steady-docs"]
    assert [f.artifact for f in inside] == [("OPEN_COLLECTIVE", "steady-hands")]
    assert {f.type for f in truth.facts} == {
        *("PACKAGE_DOWNLOADED", "PACKAGE_VERSION_PUBLISHED", "CREDIT", "DEBIT", "FEE", "FEE_SHARE", "TRANSACTION_FEE"),
        *("CONTRACT_INVOCATION", "TRANSACTION_FAILED", "CONTRACT_INTERNAL_INVOCATION", "CONTRACT_DEPLOYED"),
        *("FEE_PAID", "ASKED", "DEPENDENT", *STOCKS),
    }
    assert any(f.type == "CREDIT" and f.amount < 0 for f in truth.facts), "a gift that was given back"


def test_the_truth_has_every_quality(built):
    _, truth = built
    assert {row.quality for row in truth.key_metrics().values()} == {"ok", "partial", "unknown"}


@pytest.mark.parametrize(
    ("kind", "true_rows"), [("package", wide.packages), ("onchain", wide.onchain), ("funding", wide.funding)]
)
def test_every_wide_row_is_the_true_one(built, kind, true_rows):
    settings, truth = built
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        found = db.execute(f"select * from exports.{kind}_metrics_by_project_v1")
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    expected = true_rows(truth)
    assert len(expected) > 5
    assert differences(rows, expected)[:5] == []


def test_the_published_query_of_every_metric_gives_the_published_number(built):
    settings, _ = built
    compared, wrong = set(), {}
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set search_path = 'exports'")
        catalogue = db.execute(
            'select metric_id, metric_source, metric, "window", sql from metrics_v1 '
            f"where metric_source <> 'GITHUB' or metric in {STOCKS}"
        ).fetchall()
        queries = {(source, metric, word): query for _, source, metric, word, query in catalogue}
        ids = {metric_id: (source, metric) for metric_id, source, metric, *_ in catalogue}
        newest = db.execute("select metric_id, max(sample_date) from key_metrics_by_project_v1 group by 1").fetchall()
        as_of = {ids[i]: day for i, day in newest if i in ids}
        for level in compare.LEVELS:
            rows = largest_rows(db, "timeseries_metrics", level) + largest_rows(db, "key_metrics", level)
            for source, metric, word, entity, sample_date, amount in rows:
                if source == "GITHUB" and metric not in STOCKS:
                    continue
                window = window_of(word, sample_date)
                found = amount_by_query(db, queries[source, metric, word], level, entity, window, as_of[source, metric])
                compared.add((source, metric))
                if found != pytest.approx(amount, rel=1e-9, abs=1e-21):
                    wrong[level, source, metric, word, entity, sample_date] = (found, amount)
    assert wrong == {}
    assert compared == {(source, metric) for source, metric, _ in queries if source in SOURCES or metric in STOCKS}


def test_every_score_is_the_true_one(built):
    settings, truth = built
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        published = db.execute("select * from exports.scores_by_project_v1").to_arrow_table().to_pylist()
    found = assert_true_scores(published, scores.of_others(truth), VECTORS)
    every = [score for one in found.values() for score in one.values()]
    assert {score.rank is None for score in every} == {True, False}
    assert any(0 < score.score < 1 and score.missing_share for score in every if score.score is not None)
