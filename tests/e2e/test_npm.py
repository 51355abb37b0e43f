"""The demo's npm packages and euro rates, landed over http and built on DuckDB, against the made-up world itself."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from demo import connections, ecb, npm
from demo.server import DemoServer
from include import ingest
from include.lake.catalog import open_catalog
from include.lake.duckdb_views import create_raw_views
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from include.transform.runner import run_dbt

DAYS = Window(date(2025, 6, 9), date(2025, 6, 12))  # the second one is lost
MODELS = [f"path:models/staging/{name}" for name in ("npm", "npm_manifests", "ecb_rates")] + ["+int_events__npm"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    with DemoServer(0) as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path_factory.mktemp("npm")))
        for name, value in connections(upstreams.base_url).items():
            monkeypatch.setenv(name, value)
        settings, today = load_settings(), Window.of(datetime.now(UTC).date())
        for name, window in [("oss_directory", today), ("npm", DAYS), ("npm_manifests", today), ("ecb_rates", today)]:
            ingest.land(get_source(name), window, settings)
        ingest.ensure_raw_tables(settings)
        status, said = run_dbt(settings, ["build", "--select", *MODELS], settings.dbt_target)
        assert status == 0, said
        with duckdb.connect(str(settings.duckdb_path)) as db:
            create_raw_views(db, open_catalog(settings, "lake"))
            yield lambda sql: db.execute(sql).fetchall()


def test_downloads_are_events_of_known_days_only(built):
    found = built(
        "select event_day, object_id, cast(sum(amount) as bigint), count(*), min(event_time at time zone 'UTC') "
        "from intermediate.int_events__npm where event_type = 'PACKAGE_DOWNLOADED' group by 1, 2 order by 1"
    )
    names = [p.name for p in npm.PACKAGES if p.usual is not None]
    known = [day for day in DAYS.days() if day != npm.LOST]
    assert found == [
        (day, str(day), sum(npm.count(n, day) for n in names), len(names), datetime(day.year, day.month, day.day))
        for day in known
    ]


def test_every_version_is_an_event_at_its_time(built):
    found = built(
        "select object_id, event_day from intermediate.int_events__npm where event_type = 'PACKAGE_VERSION_PUBLISHED'"
    )
    expected = [(version, date.fromisoformat(day)) for p in npm.PACKAGES for version, day in p.versions]
    assert sorted(found) == sorted(expected)


def test_events_have_the_columns_of_github_in_its_order_and_types(built):
    columns = built(
        "select column_name, data_type from (describe intermediate.int_events__npm) as d(column_name, data_type)"
    )
    assert columns == [
        ("event_id", "VARCHAR"),
        ("event_time", "TIMESTAMP WITH TIME ZONE"),
        ("event_day", "DATE"),
        *[(n, "VARCHAR") for n in ("event_type", "event_source", "provider", "family", "to_artifact_id")],
        *[(n, "VARCHAR") for n in ("actor_id", "subject_id")],
        *[(n, "BOOLEAN") for n in ("actor_is_bot", "subject_is_bot")],
        ("amount", "DECIMAL(38,18)"),
        *[(n, "VARCHAR") for n in ("object_id", "event_source_id")],
        ("is_own_item", "BOOLEAN"),
        ("archive_day", "DATE"),
    ]


def test_what_is_known_of_a_package_and_day(built):
    found = built(
        "select download_day, coverage_status, is_unknown_to_npm, count(*) from staging.stg_npm__package_days "
        "group by all order by 1, 2, 3"
    )
    unknown = sum(p.usual is None for p in npm.PACKAGES)
    known = len(npm.PACKAGES) - unknown
    first, lost, last = DAYS.days()
    assert found == [
        (first, "full", False, known),
        (first, "none", True, unknown),
        (lost, "none", False, known),
        (lost, "none", True, unknown),
        (last, "full", False, known),
        (last, "none", True, unknown),
    ]
    assert built("select download_day from staging.stg_npm__days where is_hole") == [(lost,)]


def test_packages_and_rates_are_those_of_the_newest_snapshot(built):
    packages = dict(built("select package_name, repository from staging.stg_npm_manifests__packages"))
    assert packages["JSONLoom"] == packages["loomkit"] == "github.com/brindle-works/loom"
    assert len(packages) == sum(bool(p.versions) for p in npm.PACKAGES)
    friday = date(2025, 6, 6)
    assert built(
        "select units_per_eur from staging.stg_ecb_rates__rates where currency = 'USD' and rate_on = '2025-06-06'"
    ) == [(Decimal(ecb.rate("USD", friday)),)]
