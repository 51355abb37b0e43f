"""npm, Open Collective and two chains of the demo world landed over http and built, against its brute-force oracle."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from demo import connections
from demo.oracle.others import METRICS, Others
from demo.server import DemoServer
from include import ingest, transform
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.sources.standins import settings_in

# npm lost the 10th; contracts are made on it, a gift to a project's own child and one to itself lie in between
FIRST, LAST = date(2025, 6, 5), date(2025, 6, 14)
LEVELS = ("artifact", "project", "collection")
SOURCES = ("npm", "open_collective", "evm_rpc")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings and the oracle of the same landing."""
    settings, today = settings_in(tmp_path_factory.mktemp("others")), datetime.now(UTC).date()
    landings = [(name, Window.of(today)) for name in ("oss_directory", "npm_manifests", "ecb_rates")]
    landings += [(name, Window(FIRST, LAST + timedelta(days=1))) for name in SOURCES]
    landings += [("github_archive", Window.of(LAST))]
    with DemoServer() as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in connections(upstreams.base_url).items():
            monkeypatch.setenv(name, value)
        for name, window in landings:
            ingest.land(get_source(name), window, settings)
        ingest.ensure_raw_tables(settings)
        transform.build(settings, "others")
    yield settings, Others(FIRST, LAST, read_on=today)


def exported(settings, kind, columns):
    """Rows of an export of every level but GitHub's: level, entity, source, metric, window and `columns`."""
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        return [
            row
            for level in LEVELS
            for row in db.execute(
                f"select '{level}', {level}_id, metric_source, metric, \"window\", {columns} "
                f"from exports.{kind}_by_{level}_v1 where metric_source <> 'GITHUB'"
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
            "select metric_id, metric_source, metric, \"window\", sql from metrics_v1 where metric_source <> 'GITHUB'"
        ).fetchall()
        queries = {(source, metric, word): query for _, source, metric, word, query in catalogue}
        ids = {metric_id: (source, metric) for metric_id, source, metric, *_ in catalogue}
        newest = db.execute("select metric_id, max(sample_date) from key_metrics_by_project_v1 group by 1").fetchall()
        as_of = {ids[i]: day for i, day in newest if i in ids}
        for level in LEVELS:
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
    assert compared == {(source, metric.name) for source, metrics in METRICS.items() for metric in metrics}
