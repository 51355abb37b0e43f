"""Failed days stay recorded until they are good."""

from datetime import UTC, date, datetime, timedelta

from include import ingest
from include.lake.failures import forget, open_failures, record
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from tests.e2e.world import World

ONE, TWO = date(2026, 11, 1), date(2026, 11, 2)


def _settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


def test_a_failed_day_is_listed_until_it_is_forgotten(tmp_path):
    settings = _settings(tmp_path)
    assert open_failures(settings) == []
    record(settings, "npm", [TWO, ONE], "The upstream is down.", "run-1")
    record(settings, "ecb_rates", [ONE], "No rates.", "run-2")
    record(settings, "npm", [ONE], "Still down.", "run-3")
    found = [(f.source, f.day, f.error, f.run_id) for f in open_failures(settings)]
    assert found == [
        ("ecb_rates", ONE, "No rates.", "run-2"),
        ("npm", ONE, "Still down.", "run-3"),
        ("npm", TWO, "The upstream is down.", "run-1"),
    ]
    assert datetime.now(UTC) - open_failures(settings)[0].at < timedelta(minutes=1)
    forget(settings, "npm", [ONE, date(2020, 1, 1)])
    assert [(f.source, f.day) for f in open_failures(settings)] == [("ecb_rates", ONE), ("npm", TWO)]


def test_an_error_is_cut_to_what_the_catalogs_database_holds(tmp_path):
    settings = _settings(tmp_path)
    record(settings, "npm", [ONE], "ä" * 700, "run")
    record(settings, "npm", [TWO], '"\n' * 350, "run")
    assert [len(f.error) for f in open_failures(settings)][0] == 600
    from include.lake.catalog import open_catalog

    stored = open_catalog(settings, "lake").load_namespace_properties("raw")
    assert all(len(value) <= 1000 for value in stored.values())


def test_a_landing_forgets_its_day_and_that_of_a_source_of_now_all_of_its_days(tmp_path, monkeypatch):
    world = World(tmp_path, ONE, ONE)
    world.push(f"{ONE} 01:00:00", (1, "one/r1"), [("m0", "A")])
    for name, value in world.write({"p": ["https://github.com/one/r1"]}, {}).items():
        monkeypatch.setenv(name, value)
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path / "home")})
    for source in ("oss_directory", "github_archive"):
        record(settings, source, [ONE, TWO], "It was down.", "run")
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    assert {f.source for f in open_failures(settings)} == {"github_archive"}
    ingest.land(get_source("github_archive"), Window.of(ONE), settings)
    assert [(f.source, f.day) for f in open_failures(settings)] == [("github_archive", TWO)]
