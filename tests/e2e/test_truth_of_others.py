"""npm, Open Collective and two chains of the demo world landed over http and built, against its brute-force oracle."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from demo import connections
from demo.oracle import compare
from demo.oracle.others import Others
from demo.server import DemoServer
from include import ingest, transform
from include.lake.catalog import open_catalog
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.sources.standins import settings_in

DAYS = {
    "npm": (date(2025, 6, 8), date(2025, 6, 13)),  # the 10th is lost
    "open_collective": (date(2025, 6, 27), date(2025, 7, 3)),  # on the 30th an account's child gives to it
    "evm_rpc": (date(2025, 6, 9), date(2025, 6, 12)),  # contracts are made on the 10th
}
SOURCES = {"NPM", "OPEN_COLLECTIVE", "MAINNET", "OPTIMISM", "EVM"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings and the oracle of the same landing."""
    settings, today = settings_in(tmp_path_factory.mktemp("others")), datetime.now(UTC).date()
    landings = [(name, Window.of(today)) for name in ("oss_directory", "npm_manifests", "ecb_rates")]
    landings += [(name, Window(first, last + timedelta(days=1))) for name, (first, last) in DAYS.items()]
    with DemoServer() as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in connections(upstreams.base_url).items():
            monkeypatch.setenv(name, value)
        for name, window in landings:
            ingest.land(get_source(name), window, settings)
        ingest.ensure_raw_tables(settings)
        transform.build(settings, "others")
    yield settings, Others(*DAYS.values(), read_on=today)


def test_every_published_number_is_the_true_one(built):
    settings, truth = built
    published = compare.read(open_catalog(settings, "lake"), "exports")
    compared = compare.compare(published, [truth], sources=SOURCES)
    assert compare.complaint(compared) is None
    assert {one.source for one in compared} == SOURCES


def test_the_world_has_what_the_rules_are_about(built):
    _, truth = built
    inside = [f for f in truth.facts if f.type == "CREDIT" and f.who == "steady-docs"]
    assert [f.artifact for f in inside] == [("OPEN_COLLECTIVE", "steady-hands")]
    assert {f.type for f in truth.facts} == {
        *("PACKAGE_DOWNLOADED", "PACKAGE_VERSION_PUBLISHED", "CREDIT", "DEBIT", "FEE", "FEE_SHARE", "TRANSACTION_FEE"),
        *("CONTRACT_INVOCATION", "TRANSACTION_FAILED", "CONTRACT_INTERNAL_INVOCATION", "CONTRACT_DEPLOYED"),
    }
    assert any(f.type == "CREDIT" and f.amount < 0 for f in truth.facts), "a gift that was given back"


def test_the_truth_has_every_quality(built):
    _, truth = built
    assert {row.quality for row in truth.key_metrics().values()} == {"ok", "partial", "unknown"}


def test_the_published_query_of_every_metric_gives_the_published_number(built):
    settings, _ = built
    compared, wrong = set(), {}
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set search_path = 'exports'")
        catalogue = db.execute(
            "select metric_id, metric_source, metric, \"window\", sql from metrics_v1 where metric_source <> 'GITHUB'"
        ).fetchall()
        queries = {(source, metric, word): query for _, source, metric, word, query in catalogue}
        ids = {metric_id: (source, metric) for metric_id, source, metric, *_ in catalogue}
        newest = db.execute("select metric_id, max(sample_date) from key_metrics_by_project_v1 group by 1").fetchall()
        as_of = {ids[i]: day for i, day in newest if i in ids}
        for level in compare.LEVELS:
            rows = largest_rows(db, "timeseries_metrics", level) + largest_rows(db, "key_metrics", level)
            for source, metric, word, entity, sample_date, amount in rows:
                if source == "GITHUB":
                    continue
                window = window_of(word, sample_date)
                found = amount_by_query(db, queries[source, metric, word], level, entity, window, as_of[source, metric])
                compared.add((source, metric))
                if found != pytest.approx(amount, rel=1e-9, abs=1e-21):
                    wrong[level, source, metric, word, entity, sample_date] = (found, amount)
    assert wrong == {}
    assert compared == {(source, metric) for source, metric, _ in queries if source in SOURCES}
