"""The status beside a real build and release: what waits, what is stale and by which source."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from include import ingest, transform
from include.lake.failures import record
from include.quality.kept import kept
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from include.status import describe, read_status
from tests.e2e.world import World

DAY = date(2024, 3, 4)
NOW = datetime(2024, 3, 5, 10, tzinfo=UTC)
ARCHIVE = get_source("github_archive")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings of a home with one landed and built day, not released yet."""
    folder = tmp_path_factory.mktemp("status")
    world = World(folder, DAY, DAY + timedelta(days=1))
    world.push(f"{DAY} 01:00:00", (1, "one/r1"), [("m0", "A")])
    settings = load_settings({"OPENIMPACT_HOME": str(folder / "home")})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.write({"p": ["https://github.com/one/r1"]}, {"k": ["p"]}).items():
            patch.setenv(name, value)
        ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
        ingest.land(ARCHIVE, Window.of(DAY), settings)
        ingest.ensure_raw_tables(settings)
        transform.build(settings, "build-1")
        yield settings


def test_a_build_a_release_and_what_came_after_them(built):
    status = read_status(built, {}, now=NOW)
    assert timedelta(0) <= datetime.now(UTC) - status.built_at < timedelta(minutes=10)
    assert (status.to_build, status.behind, status.unfinished, status.broken) == ("nothing", (), None, ())
    assert status.release_id is None and set(status.unreleased) == transform.publish.expected_exports()
    assert {m.layer for m in status.models} == {"staging", "intermediate", "metrics", "exports"}

    transform.audit(built, "audit-1")
    release = transform.release(built, "release-1")
    status = read_status(built, {}, now=NOW)
    assert (status.release_id, status.unreleased) == (release.release_id, ())
    checks = kept(built)["release"]
    assert checks["run_id"] == "audit-1" and len(checks["checks"]) == 3
    assert all(check["success"] for check in checks["checks"])

    ingest.land(ARCHIVE, Window.of(DAY + timedelta(days=1)), built)
    status = read_status(built, {}, now=NOW)
    assert (status.to_build, status.behind) == (f"from {DAY + timedelta(days=1)}", ("github_archive",))
    assert f"to build: from {DAY + timedelta(days=1)} (github_archive)" in describe(status)


def test_a_bad_source_names_the_metrics_and_tables_that_stand_on_it(built):
    record(built, "github_archive", [DAY + timedelta(days=2)], "404", "run")
    status = read_status(built, {}, now=NOW)
    source = next(s for s in status.sources if s.name == "github_archive")
    assert source.is_bad and {"commits", "opened_issues", "stars"} <= set(source.metrics)
    assert "downloads" not in source.metrics and "funding_received" not in source.metrics
    stale = {m.name: m.stale_by for m in status.models}
    assert stale["timeseries_metrics_by_project_v1"] == stale["stg_github_archive__events"] == ("github_archive",)
    assert stale["stg_npm__downloads"] == stale["collections_v1"] == stale["event_types_v1"] == ()
    assert "timeseries_metrics_by_project_v1" in source.exports and "collections_v1" not in source.exports


def test_a_failed_node_stays_until_the_next_good_build(built):
    target = built.dbt_target / "metrics"
    target.mkdir(exist_ok=True)
    node = {"unique_id": "model.openimpact.met_daily", "status": "error", "message": "Out of\nmemory"}
    good = {"unique_id": "model.openimpact.met_key", "status": "success", "message": "OK"}
    (target / "run_results.json").write_text(json.dumps({"results": [node, good]}))
    docs = built.dbt_target / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "run_results.json").write_text(json.dumps({"results": [node | {"status": "success"}]}))
    status = read_status(built, {}, now=NOW)
    assert status.broken == (("met_daily", "error", "Out of memory"),)
    assert "dbt error: met_daily: Out of memory" in describe(status)
    transform.finish(built, transform.plan(built))
    assert read_status(built, {}, now=NOW).broken == ()
