"""npm, deps.dev, Open Collective, two chains and GitHub's counts landed over http and built, against the oracle."""

from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pytest

from demo import connections
from demo.github_api import github
from demo.oracle.others import METRICS, STOCKS, Others, counts_now
from demo.server import DemoServer
from include import ingest, transform
from include.sources import bigquery, get_source
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.sources.standins import settings_in

DAYS = {
    "npm": (date(2025, 6, 8), date(2025, 6, 13)),  # the 10th is lost
    "open_collective": (date(2025, 6, 27), date(2025, 7, 3)),  # on the 30th an account's child gives to it
    "evm_rpc": (date(2025, 6, 9), date(2025, 6, 12)),  # contracts are made on the 10th
    "bigquery": (date(2025, 6, 8), date(2025, 6, 11)),  # deps.dev looks on Mondays, the 9th is one
}
COUNTED = (date(2025, 6, 1), date(2025, 6, 9), date(2025, 6, 10))  # more than a week lies between the first two
LATE = (("bigquery", date(2025, 6, 10)), ("evm_rpc", date(2025, 6, 12)))  # land after the first build
LEVELS = ("artifact", "project", "collection")


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


def exported(settings, kind, columns):
    """Rows of an export of every level, of GitHub the stocks: level, entity, source, metric, window and `columns`."""
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        return [
            row
            for level in LEVELS
            for row in db.execute(
                f"select '{level}', {level}_id, metric_source, metric, \"window\", {columns} "
                f"from exports.{kind}_by_{level}_v1 where metric_source <> 'GITHUB' or metric in {STOCKS}"
            ).fetchall()
        ]


def assert_same(found, expected):
    """Same keys, texts and missing values; numbers within 1e-9."""

    def same(a, b):
        return a == pytest.approx(b, rel=1e-9, abs=1e-21) if isinstance(a, float) and isinstance(b, float) else a == b

    wrong = {
        key: {"published": found.get(key), "true": expected.get(key)}
        for key in found.keys() | expected.keys()
        if key not in found or key not in expected or not all(map(same, found[key], expected[key]))
    }
    shown = "\n".join(f"{key}: {wrong[key]}" for key in sorted(wrong, key=str)[:12])
    assert not wrong, f"{len(wrong)} of {len(expected)} rows differ:\n{shown}"


def number(amount):
    return None if amount is None else float(amount)


def test_every_published_number_is_the_true_one(built):
    settings, truth = built
    rows = exported(settings, "timeseries_metrics", "sample_date, amount, quality, coverage")
    found = {row[:6]: row[6:] for row in rows}
    expected = {key: (float(row[0]), *row[1:]) for key, row in truth.timeseries().items()}
    assert {(key[2], key[3]) for key in expected} == {
        (source, metric.name) for source, metrics in METRICS.items() for metric in metrics if metric.name != "packages"
    }
    assert_same(found, expected)


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


def test_every_key_number_is_the_true_one(built):
    settings, truth = built
    columns = "sample_date, amount, previous_amount, quality, coverage"
    found = {row[:5]: row[5:] for row in exported(settings, "key_metrics", columns)}
    expected = {
        key: (row.sample_date, number(row.amount), number(row.previous_amount), row.quality, row.coverage)
        for key, row in truth.key_metrics().items()
    }
    assert {row[3] for row in expected.values()} == {"ok", "partial", "unknown"}
    assert_same(found, expected)


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
        for level in LEVELS:
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
    assert compared == {(source, metric.name) for source, metrics in METRICS.items() for metric in metrics}
