"""The comparison of a release with an oracle finds what differs, and says so."""

from datetime import date
from types import SimpleNamespace

from demo.oracle import KeyRow
from demo.oracle.compare import Published, compare, complaint, table

DAY = date(2025, 5, 1)
STARS = ("project", "p", "stars", "daily", DAY)  # an oracle of GitHub alone leaves the source out
SERIES = ("timeseries_metrics", "project", "p", "GITHUB", "stars", "daily", DAY)
KEY = ("key_metrics", "project", "p", "NPM", "downloads", "over_all_time")
ORACLES = (
    SimpleNamespace(timeseries=lambda: {STARS: (3, "ok", 1.0)}, key_metrics=dict),
    SimpleNamespace(timeseries=dict, key_metrics=lambda: {KEY[1:]: KeyRow(DAY, None, None, "unknown", 0.0)}),
)
TRUE = {SERIES: (3.0, "ok", 1.0), KEY: (DAY, None, None, "unknown", 0.0)}
METRICS = {("GITHUB", "stars"), ("NPM", "downloads")}


def said(rows=None, *, twice=(), metrics=METRICS, sources=None) -> str | None:
    published = Published(TRUE | (rows or {}), list(twice), metrics)
    published.rows = {key: row for key, row in published.rows.items() if row is not None}
    return complaint(compare(published, ORACLES, sources))


def test_the_same_rows_are_no_difference_and_are_counted():
    assert said() is None
    assert said({SERIES: (3.0 + 1e-10, "ok", 1.0)}) is None
    shown = table(compare(Published(TRUE, [], METRICS), ORACLES)).splitlines()
    assert [line.split() for line in shown[1:3]] == [["GITHUB", "stars", "1", "0"], ["NPM", "downloads", "1", "0"]]
    assert shown[-1] == "2 metrics, 2 rows compared with the truth, 0 differences"


def test_every_kind_of_difference_is_named():
    assert "GITHUB stars daily 2025-05-01 of p is missing; true is amount 3.0" in said({SERIES: None})
    extra = (*SERIES[:-1], date(2025, 5, 2))
    assert "stars daily 2025-05-02 of p should not be there; published is amount 1.0" in said({extra: (1.0, "ok", 1.0)})
    assert "is amount 3.00001, quality ok" in said({SERIES: (3.00001, "ok", 1.0)})
    assert "quality partial, coverage 1.0; true is" in said({SERIES: (3.0, "partial", 1.0)})
    assert "coverage 0.5; true is" in said({SERIES: (3.0, "ok", 0.5)})
    assert "is sample_date 2025-05-01, amount 0.0" in said({KEY: (DAY, 0.0, None, "unknown", 0.0)})
    assert "is sample_date 2025-05-02" in said({KEY: (date(2025, 5, 2), None, None, "unknown", 0.0)})
    assert "stars daily 2025-05-01 of p was published twice" in said(twice=[SERIES])
    assert said({SERIES: None, KEY: None}).startswith("2 rows in 2 metrics differ from the truth: ")


def test_a_metric_of_the_catalogue_that_was_not_compared_is_named():
    more = METRICS | {("GITHUB", "forks")}
    assert said(metrics=more) == "1 metrics of the catalogue were not compared: GITHUB forks"
    assert said(metrics=more, sources={"NPM"}) is None
