"""What a preview and the watch read off the lake."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include import watch
from include.errors import WindowRefused
from include.lake import released_metrics
from include.lake.catalog import open_catalog
from include.lake.landing import replace_day
from include.lake.tables import ensure_table
from include.preview import as_markdown, preview
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window

FIRST = date(2026, 10, 1)
ARCHIVE = get_source("github_archive")


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


def _land(settings, stream: str, day: date, rows: int, cost: dict | None = None) -> None:
    """So many rows of a stream, null but for the system columns."""
    schema = ARCHIVE.stream(stream).raw_schema
    columns = {name: pa.nulls(rows, schema.field(name).type) for name in schema.names}
    columns |= {"_day": pa.array([day] * rows), "_loaded_at": pa.array([datetime.now(UTC)] * rows)}
    if "status" in columns:
        columns["status"] = pa.array(["complete"] * rows)
    file = settings.home / f"{stream}.parquet"
    settings.home.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns).select(schema.names).cast(schema), file)
    table = ensure_table(open_catalog(settings, "lake"), ARCHIVE.table(stream), schema, partition_by="_day")
    replace_day(table, day, [file], run_id=f"r-{day}-{rows}", rows=rows, rejected=0, cost=cost)


def test_a_preview_multiplies_the_middle_cost_of_a_day_and_counts_what_is_landed(settings):
    for n, requests in enumerate((20, 24, 90)):
        cost = {"requests": requests, "bytes": 1_500_000, "seconds": 61}
        _land(settings, "coverage", FIRST + timedelta(days=n), 1, cost)
    _land(settings, "coverage", FIRST, 1, {"requests": 25, "bytes": 1_500_000, "seconds": 61})  # once more
    found = preview(ARCHIVE, Window(FIRST, FIRST + timedelta(days=10)), settings)
    assert (found.days, found.again, found.known) == (10, 3, 3)
    assert found.cost == {"requests": 25, "bytes": 1_500_000, "seconds": 61}
    assert as_markdown(found) == (
        "github_archive, 2026-10-01 to 2026-10-10: 10 days, 3 of them landed before.\n\n"
        "About, by the median of 3 landed days:\n\n"
        "| | a day | 10 days |\n|---|---:|---:|\n"
        "| bytes | 1.5 MB | 15.0 MB |\n| requests | 25 | 250 |\n| seconds | 0:01:01 | 0:10:10 |"
    )


def test_a_preview_refuses_what_the_landing_would_refuse(settings):
    with pytest.raises(WindowRefused, match="is not over yet"):
        preview(ARCHIVE, Window.of(datetime.now(UTC).date()), settings)


def test_a_source_is_late_once_its_day_its_publication_and_the_grace_are_over(settings):
    assert watch.findings(settings) == []
    _land(settings, "coverage", FIRST, 1)
    # the second day is promised at the midnight after it, later by what the upstream takes, and late 2 h after that
    due = datetime(2026, 10, 3, 2, tzinfo=UTC) + ARCHIVE.ready_after + watch.GRACE
    assert watch.findings(settings, due - timedelta(seconds=1)) == []
    (late,) = watch.findings(settings, due + timedelta(seconds=1))
    assert late.key == "late.github_archive"
    assert "2026-10-02 was due and its last good day is 2026-10-01" in late.sentence


@pytest.mark.parametrize(("newest", "found"), [(25, 0), (24, 1)])
def test_a_day_below_a_quarter_of_the_days_before_is_found(settings, newest, found):
    for n in range(8):
        _land(settings, "events", FIRST + timedelta(days=n), 100 if n % 2 else 500 if n == 4 else 100)
    _land(settings, "events", FIRST + timedelta(days=8), newest)
    small = watch.findings(settings, datetime(2026, 10, 1, tzinfo=UTC))
    assert [f.key for f in small] == ["small.github_archive.events.2026-10-09"] * found
    assert all("24 rows of 2026-10-09, where the 8 days before had 100 in the middle" in f.sentence for f in small)


def test_a_metric_that_is_less_often_ok_than_in_the_release_before_is_found(settings, monkeypatch):
    releases = [SimpleNamespace(release_id=name, current=name == "b", tables=(), published_at=None) for name in "cba"]
    shares = {"b": {"stars": 0.4, "forks": 0.96, "new": 0.1}, "a": {"stars": 1.0, "forks": 1.0}}
    monkeypatch.setattr("include.lake.releases.list_releases", lambda _: releases)
    monkeypatch.setattr(
        released_metrics,
        "released_metrics",
        lambda _, name, tables: [
            SimpleNamespace(source="GITHUB", metric=metric, ok=ok, rows=9) for metric, ok in shares[name].items()
        ],
    )
    (worse,) = watch.findings(settings)
    assert worse.key == "worse.b.GITHUB.stars"
    assert (
        "GITHUB stars: 40% of its newest numbers are ok in release b, 100% were in the release before" in worse.sentence
    )
