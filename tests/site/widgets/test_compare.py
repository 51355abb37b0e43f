"""The comparison: what its address asks, and what indexed means."""

from datetime import date

import pytest

from consumer.charts import Point, Series
from consumer.site.compare import indexed

WEEKLY = "GITHUB_commits_weekly"


def line(name, *amounts):
    """A point a day from 1 January on."""
    quality = {None: "unknown"}
    return Series(name, [Point(date(2026, 1, day), a, quality.get(a, "ok")) for day, a in enumerate(amounts, 1)])


def test_indexed_lines_are_100_on_the_first_day_on_which_all_are_above_zero():
    lines, common = indexed([line("a", 5.0, 10.0, 20.0, 15.0), line("b", 0.0, None, 4.0, 2.0)])
    assert common == date(2026, 1, 3)
    assert [[point.amount for point in one.points] for one in lines] == [[100, 75], [100, 50]]


def test_without_a_common_day_nothing_is_indexed():
    given = [line("a", 5.0, 0.0), line("b", 0.0, 5.0)]
    assert indexed(given) == (given, None)


def test_the_page_shows_the_lines_and_their_numbers(widgets):
    text = widgets.client.get(f"/compare?projects=alpha,beta&metric={WEEKLY}").text
    assert "Alpha: 8 on 26 Oct 2026, ok" in text
    assert "Beta &amp; Söhne: 4 on 26 Oct 2026, ok" in text
    # the week of 12 October was not seen, of neither
    row = text.split('<th scope="row">2026-10-12</th>')[1].split("</tr>")[0]
    assert row.count("not measured") == 2
    assert '<option value="log">' in text


def test_the_form_leads_to_an_address_that_holds_all_of_it(widgets):
    answer = widgets.client.get(f"/compare?projects=alpha&add=BETA&metric={WEEKLY}&scale=log&mode=")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/compare?projects=alpha,beta&metric={WEEKLY}&scale=log&mode=absolute"
    assert widgets.client.get(answer.headers["location"]).status_code == 200


def test_a_project_is_added_by_its_repository_and_only_once(widgets):
    answer = widgets.client.get(f"/compare?projects=alpha&add=org/alpha&metric={WEEKLY}")
    assert answer.headers["location"].startswith("/compare?projects=alpha&")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("projects=" + ",".join(["alpha"] * 11), 400, "name at most 10"),
        ("projects=alpha,betta", 404, "There is no project"),
        ("projects=alpha&metric=none", 400, "There is no metric"),
        ("projects=alpha&mode=half", 400, "one of absolute, indexed"),
    ],
)
def test_what_cannot_be_compared_is_said(widgets, query, status, said):
    answer = widgets.client.get(f"/compare?{query}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_without_projects_it_says_how_to_begin(widgets):
    assert "Nothing is chosen yet" in widgets.client.get(f"/compare?metric={WEEKLY}").text
