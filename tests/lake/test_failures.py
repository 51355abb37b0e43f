"""Failed days are remembered beside the data until they are good."""

from datetime import UTC, date, datetime, timedelta

import pytest

from include.lake.catalog import open_catalog
from include.lake.failures import confirm, confirmed, forget, open_failures, record
from include.settings import load_settings

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


def test_a_new_lake_has_no_failures(settings):
    assert open_failures(settings) == [] and confirmed(settings) == {}
    forget(settings, "npm", [MONDAY])


def test_failed_days_are_open_by_source_and_day_until_they_are_forgotten(settings):
    record(settings, "npm", [TUESDAY, MONDAY], "npm did not answer.", "run-1")
    record(settings, "evm_rpc", [TUESDAY], "The node is behind.", "run-2")
    found = open_failures(settings)
    assert [(f.source, f.day, f.error, f.run_id) for f in found] == [
        ("evm_rpc", TUESDAY, "The node is behind.", "run-2"),
        ("npm", MONDAY, "npm did not answer.", "run-1"),
        ("npm", TUESDAY, "npm did not answer.", "run-1"),
    ]
    assert all(timedelta(0) <= datetime.now(UTC) - f.at < timedelta(minutes=1) for f in found)
    forget(settings, "npm", [MONDAY, date(2026, 11, 1)])
    assert [(f.source, f.day) for f in open_failures(settings)] == [("evm_rpc", TUESDAY), ("npm", TUESDAY)]


def test_the_newest_error_of_a_day_stands(settings):
    record(settings, "npm", [MONDAY], "first", "run-1")
    record(settings, "npm", [MONDAY], "second", "run-2")
    assert [(f.error, f.run_id) for f in open_failures(settings)] == [("second", "run-2")]


@pytest.mark.parametrize("error", ["x" * 5000, '"' * 5000, "\x00" * 5000, "é\n" * 5000, "\ud800" * 5000])
def test_any_error_fits_the_catalogs_column(settings, error):
    record(settings, "npm", [MONDAY], error, "r" * 400)
    (found,) = open_failures(settings)
    assert 100 < len(found.error) <= 600 and found.error.endswith("…") and "\n" not in found.error
    value = open_catalog(settings, "lake").load_namespace_properties("raw")[f"failed.npm.{MONDAY}"]
    assert len(value) <= 1000


def test_failures_leave_the_build_record_alone_and_the_other_way_round(settings):
    catalog = open_catalog(settings, "lake")
    catalog.create_namespace("raw")
    catalog.update_namespace_properties("raw", updates={"built.duckdb.code": "abc"})
    record(settings, "npm", [MONDAY], "x", "run-1")
    forget(settings, "npm", [MONDAY])
    assert catalog.load_namespace_properties("raw")["built.duckdb.code"] == "abc"


def test_a_snapshot_that_did_not_change_is_remembered_with_its_newest_day(settings):
    confirm(settings, "oss_directory", MONDAY)
    confirm(settings, "oss_directory", TUESDAY)
    assert confirmed(settings) == {"oss_directory": TUESDAY} and open_failures(settings) == []
