"""What the status page says of sources, days and releases."""

from datetime import date

from consumer.site.status import Cell, cells, coverage, last_day

DAYS = [date(2026, 11, day) for day in range(7, 14)]


def seen(tools, family: str) -> dict:
    return coverage(tools.serving.bundle, DAYS)["GITHUB", "archive", family]


def test_days_next_to_one_another_with_one_status_are_one_cell(tools):
    assert cells(DAYS, seen(tools, "commits")) == [
        Cell(date(2026, 11, 7), date(2026, 11, 8), "full", ""),
        Cell(date(2026, 11, 9), date(2026, 11, 10), "part", "2 of 24 hours <missing>"),
        Cell(date(2026, 11, 11), date(2026, 11, 12), "none", ""),
        Cell(date(2026, 11, 13), date(2026, 11, 13), "", ""),
    ]


def test_what_was_asked_one_by_one_is_full_only_where_all_of_it_is(tools):
    days = [date(2026, 11, day) for day in (1, 2, 3)]
    found = coverage(tools.serving.bundle, days)["GITHUB", "archive", "reviews"]
    assert [found[day][0] for day in days] == ["full", "part", "none"]
    assert found[days[1]][1].startswith("1 of 2 repositories")


def test_the_table_ends_with_the_publication_unless_most_facts_end_long_before():
    late = {"enabled": True, "as_of": date(2026, 11, 1)}
    assert last_day([late], date(2026, 11, 16)) == date(2026, 11, 16)
    assert last_day([late], date(2026, 11, 17)) == date(2026, 11, 1)
    assert last_day([late, late, {"enabled": True, "as_of": date(2026, 11, 20)}], date(2026, 11, 21)) == date(
        2026, 11, 1
    )
    assert last_day([{"enabled": True, "as_of": None}], date(2026, 11, 21)) == date(2026, 11, 21)


def test_the_page_says_in_words_what_is_late_and_why(tools):
    text = tools.client.get("/status?to=2026-11-13").text
    assert "1 ok, 1 late, 1 failing" in " ".join(text.split())
    assert (
        'colspan="2" class="d-part" title="2026-11-09 to 2026-11-10: seen in part – 2 of 24 hours &lt;missing&gt;">p<'
        in text
    )
    assert tools.serving.bundle.release_id in text
    assert 'href="/api/v1/freshness"' in text


def test_a_day_that_is_none_is_refused_with_a_sentence(tools):
    answer = tools.client.get("/status?to=soon")
    assert answer.status_code == 400
    assert "to=soon is not a day as YYYY-MM-DD." in answer.text
