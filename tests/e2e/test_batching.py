"""Days landed and built in any order and in any pieces leave the rows of one build of everything."""

import os
from datetime import UTC, date, datetime, timedelta

import pytest

from demo import connections
from demo.server import DemoServer
from include import ingest, transform
from include.settings import load_settings
from include.sources import all_sources
from include.sources.base import Window
from tests.e2e import test_increment
from tests.e2e.test_increment import PROJECTS, exports, usual_day
from tests.e2e.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]
FIRST = date(2025, 10, 2)  # before the payload change and the archive's outage of that month
# the days of each build: out of order, some landed again by a later one
SHUFFLED = [(4, 5), (2, 0, 5), (1, 2, 3)]


def land(settings, days) -> None:
    """Lands these days after FIRST of every source, before the first of them what is known of today only."""
    ordered = sorted(all_sources(), key=lambda source: (source.window != "now", bool(source.lists)))
    for source in ordered:
        if source.window == "now":
            if not transform.plan(settings)["snapshots"].get(source.table(source.streams[0].name)):
                ingest.land(source, Window.of(datetime.now(UTC).date()), settings)
            continue
        for day in days:
            ingest.land(source, Window.of(FIRST + timedelta(days=day)), settings, force=True)
    ingest.ensure_raw_tables(settings)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Settings of a new home below the demo's upstreams, by name."""
    with DemoServer(0) as upstreams:
        for name, value in connections(upstreams.base_url).items():
            monkeypatch.setenv(name, value)

        def settings_of(name: str):
            monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path / name))
            monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test test")
            return load_settings()

        yield settings_of


def same(one: dict[str, list], other: dict[str, list]) -> None:
    assert one.keys() == other.keys() and len(one["timeseries_metrics_by_project_v1"]) > 1000
    for name, rows in one.items():
        odd = set(map(str, rows)) ^ set(map(str, other[name]))
        assert not odd and rows == other[name], f"{name}: {len(odd)} rows differ, {sorted(odd)[:6]}"


def test_days_in_any_order_and_landed_twice_leave_the_rows_of_one_build(home):
    shuffled = home("shuffled")
    for number, days in enumerate(SHUFFLED):
        land(shuffled, days)
        planned = transform.build(shuffled, f"shuffled-{number}")["rebuild_from"]
        assert planned == ("all" if number == 0 else (FIRST + timedelta(days=min(days))).isoformat())
    whole = home("whole")
    land(whole, sorted({day for days in SHUFFLED for day in days}))
    assert transform.build(whole, "whole")["rebuild_from"] == "all"
    same(exports(whole), exports(shuffled))


def test_sixty_runs_of_a_day_leave_the_rows_of_a_full_refresh(tmp_path, monkeypatch):
    days = [date(2024, 10, 20) + timedelta(days=n) for n in range(60)]  # two turns of a month, a quarter's from afar
    world = World(tmp_path, days[0], days[-1])
    for seed, day in enumerate(days):
        if seed % 9 != 4:  # now and then nobody does anything
            usual_day(world, day, seed)
    connections = world.write(PROJECTS, {"k": ["x", "y"]})
    monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test test")
    settings = load_settings()
    for seed, day in enumerate(days):
        test_increment.land(settings, monkeypatch, connections, [day], directory=not seed)
        if not seed:
            ingest.ensure_raw_tables(settings)
        assert transform.build(settings, f"day-{seed}")["rebuild_from"] == ("all" if not seed else str(day))
        print(f"{seed + 1} of {len(days)} days", flush=True)
    daily = exports(settings)
    os.remove(settings.duckdb_path)
    assert transform.build(settings, "refresh")["rebuild_from"] == "all"
    same(exports(settings), daily)
