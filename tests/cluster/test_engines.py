"""The same raw days built by DuckDB, and in another order by Trino, give the same release, read as a reader would."""

from datetime import UTC, date, datetime

import pytest

from demo import connections
from demo.server import DemoServer
from include import ingest, transform
from include.settings import load_settings
from include.sources import all_sources
from include.sources.base import Window
from tests.cluster.compare import OWN_TABLES, differences, released_rows, released_tables

# one day of whole coverage, the last day of the archive's full form and the first of its slim form
DAYS = [date(2025, 5, 21), date(2025, 10, 6), date(2025, 10, 7)]


def land_build_release(run_id: str, last: date, today: date):
    """Lands every source's DAYS but `last` and builds, lands that and builds what changed, and releases.

    Of other sources than the archive the last two of DAYS. Everything goes by the environment's settings, which are
    returned.
    """
    settings = load_settings()
    ingest.ensure_raw_tables(settings)
    # the registry and what the others look up come first
    snapshots, daily = ([s for s in all_sources() if s.window == window] for window in ("now", "day"))
    for source in sorted(snapshots, key=lambda s: bool(s.lists)):
        ingest.land(source, Window.of(today), settings)
    for source in daily:
        for day in DAYS if source.name == "github_archive" else DAYS[-2:]:
            if day != last:
                ingest.land(source, Window.of(day), settings)
    transform.build(settings, f"{run_id}-first")
    for source in daily:
        ingest.land(source, Window.of(last), settings)
    with pytest.MonkeyPatch.context() as patch:  # the first build tested every table; of this one the rows are compared
        patch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test test")
        assert transform.build(settings, run_id)["rebuild_from"] == last.isoformat()
    transform.audit(settings, run_id)
    transform.release(settings, run_id)
    return settings


@pytest.fixture(scope="module")
def both(cluster, tmp_path_factory):
    """Settings of the embedded and of the cluster build."""
    folder, built, today = tmp_path_factory.mktemp("engines"), [], datetime.now(UTC).date()
    with DemoServer(0) as server:
        upstreams = connections(server.base_url)
        # the models' unit tests of DuckDB run in tests/dags
        embedded = {"OPENIMPACT_ENGINE": "duckdb", "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
        # the order of the days makes no difference
        orders = (("embedded", embedded, DAYS[2]), ("cluster", cluster.settings_env(), DAYS[1]))
        for home, env, last in orders:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in {**upstreams, **env, "OPENIMPACT_HOME": str(folder / home)}.items():
                    patch.setenv(name, value)
                built.append(land_build_release(home, last, today))
    return built


def consumer_rows(cluster, table: str) -> list[dict]:
    """All rows of a table of the current release, read through the consumer's Trino."""
    with cluster.connect("consumer", catalog="consumer", schema="oso") as connection:
        cursor = connection.cursor()
        cursor.execute(f'select * from "{table}"')
        rows = cursor.fetchall()
        names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_both_engines_release_the_same_tables_with_the_same_columns(both):
    embedded, on_trino = both
    assert released_tables(on_trino) == released_tables(embedded)


def test_both_engines_release_the_same_rows(both, cluster):
    embedded, _ = both
    found, compared = [], {}
    for table in released_tables(embedded):
        expected = released_rows(embedded, table)
        found += differences(table, expected, consumer_rows(cluster, table))
        compared[table] = len(expected)
    assert not found, "\n".join(found)
    # the comparison is worth something: the tables of numbers are not empty
    empty = {table for table, count in compared.items() if not count}
    assert not empty - OWN_TABLES
