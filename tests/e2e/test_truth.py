"""The demo world landed over http and published, against the truth that its oracle counts by brute force."""

from datetime import date

import duckdb
import pytest

from demo import connections, oracle
from demo.oracle import compare
from demo.oracle.metrics import METRICS
from demo.server import DemoServer
from include.lake.catalog import open_catalog
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.e2e.test_golden import publish

# both sides of the payload change of 2025-10-07, and the first days of the outage
FIRST, LAST = date(2025, 9, 25), date(2025, 10, 10)
LEVELS = ("artifact", "project", "collection")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with DemoServer(0) as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        days = Window(FIRST, LAST).days() + [LAST]
        yield publish(tmp_path_factory.mktemp("truth"), connections(upstreams.base_url), monkeypatch, days)


@pytest.fixture(scope="module")
def truth():
    return oracle.Oracle(oracle.observe(FIRST, LAST))


def test_every_published_number_is_the_true_one_and_unknown_is_null(settings, truth):
    compared = compare.compare(compare.read(open_catalog(settings, "consumer")), [truth], sources={"GITHUB"})
    assert compare.complaint(compared) is None
    assert len(compared) == len(METRICS) and sum(one.rows for one in compared) > 10_000
    assert {row.quality for row in truth.key_metrics().values()} == {"partial", "unknown"}


def test_the_published_query_of_every_metric_gives_the_published_number(settings):
    compared, wrong = set(), {}
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set search_path = 'exports'")
        catalogue = db.execute(
            "select metric, \"window\", sql from metrics_v1 where metric_source = 'GITHUB'"
        ).fetchall()
        queries = {(metric, word): query for metric, word, query in catalogue}
        as_of = dict(db.execute("select metric, max(sample_date) from key_metrics_by_project_v1 group by 1").fetchall())
        for level in LEVELS:
            rows = largest_rows(db, "timeseries_metrics", level) + largest_rows(db, "key_metrics", level)
            for source, metric, word, entity, sample_date, amount in rows:
                if source != "GITHUB":
                    continue
                window = window_of(word, sample_date)
                found = amount_by_query(db, queries[metric, word], level, entity, window, as_of[metric])
                compared.add(metric)
                if found != pytest.approx(amount, rel=1e-9):
                    wrong[level, metric, word, entity, sample_date] = (found, amount)
    assert wrong == {}
    assert compared == {metric for metric, _ in queries}
