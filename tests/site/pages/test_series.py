"""A window without a row is a zero where it was seen, and a hole where it was not."""

from datetime import date

from consumer.charts import Point
from consumer.series import series
from tests.site.pages.world import ALPHA, BETA


def of(site, entity, name, first=None):
    return series(site.bundle, "project", [entity], {name: first})[entity][name]


def test_a_week_that_was_seen_is_zero_and_one_that_was_not_is_a_hole(site):
    assert of(site, ALPHA, "GITHUB_commits_weekly") == [
        Point(date(2026, 9, 28), 5.0, "ok"),
        Point(date(2026, 10, 5), 0.0, "ok"),
        Point(date(2026, 10, 12), None, "unknown"),
        Point(date(2026, 10, 19), 3.0, "partial"),
        Point(date(2026, 10, 26), 8.0, "ok"),
    ]


def test_where_a_time_has_no_case_there_is_no_point(site):
    assert of(site, ALPHA, "GITHUB_time_to_merge_median_weekly") == [
        Point(date(2026, 9, 28), 3600.0, "ok"),
        Point(date(2026, 10, 12), None, "unknown"),
        Point(date(2026, 10, 26), 7200.0, "ok"),
    ]


def test_a_series_begins_with_the_first_whole_window_after_the_day_that_is_asked(site):
    days = [point.day for point in of(site, ALPHA, "GITHUB_commits_weekly", date(2026, 10, 20))]
    assert days == [date(2026, 10, 26)]


def test_a_series_from_a_day_before_its_first_row_begins_where_anything_was_seen(site):
    found = of(site, ALPHA, "GITHUB_commits_weekly", date(2020, 1, 1))
    assert found[:2] == [Point(date(2026, 8, 31), 0.0, "partial"), Point(date(2026, 9, 7), 0.0, "ok")]


def test_without_any_row_there_is_no_series(site):
    assert of(site, BETA, "GITHUB_commits_weekly") == []


def test_many_entities_are_read_at_once(site):
    found = series(site.bundle, "project", [ALPHA, BETA], {"GITHUB_commits_weekly": None})
    assert [len(found[key]["GITHUB_commits_weekly"]) for key in (ALPHA, BETA)] == [5, 0]
