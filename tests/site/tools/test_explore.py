"""Ranking by any metric: the list, its filters, its columns, and files of the very same rows."""

import csv
import io
import re

import pyarrow.parquet as pq
import pytest


def names(text: str) -> list[str]:
    """The entities of the list, in its order."""
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', text)


def ranked(tools, query: str) -> list[str]:
    return names(tools.client.get(f"/explore?{query}").text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metric=GITHUB_commits_over_all_time", ["Beta", "Alpha"]),
        ("metric=GITHUB_commits&window=over_all_time&order=asc", ["Alpha", "Beta"]),
        ("metric=commits&window=over_30_day_period", ["Alpha", "Beta"]),
        ("", ["Alpha", "Beta"]),
        ("metric=GITHUB_commits_over_all_time&min=6", ["Beta"]),
        ("metric=GITHUB_commits_over_all_time&min=7.5", ["Beta"]),
        ("metric=GITHUB_commits_over_all_time&collection=two", ["Alpha"]),
        ("metric=GITHUB_commits_over_all_time&source=npm", []),
        ("quality=partial", ["Beta"]),
        ("quality=none", ["Gamma"]),
        ("page=2", []),
    ],
)
def test_the_address_says_what_is_listed_and_in_which_order(tools, query, found):
    assert ranked(tools, query) == found


def test_equal_amounts_share_a_rank_and_what_has_no_number_is_counted_not_ranked(tools):
    text = tools.client.get("/explore").text
    assert re.findall(r'<tr><td class="number">([^<]*)</td>', text) == ["1", "1"]
    assert "1 more without a number" in text
    assert re.findall(r'<tr><td class="number">([^<]*)</td>', tools.client.get("/explore?quality=none").text) == ["–"]


def test_a_window_that_a_metric_has_not_falls_back_to_one_that_it_has_and_the_column_says_so(tools):
    text = tools.client.get("/explore?metric=GITHUB_commits&window=over_30_day_period&also=GITHUB_stars").text
    assert re.search(r"Commits ↓</a><br><small>30 days, GitHub", text)
    assert re.search(r"Stars</a><br><small>all time, GitHub", text)


def test_the_files_hold_exactly_the_rows_of_the_page(tools):
    query = "metric=GITHUB_commits_over_all_time&also=GITHUB_stars&collection=one"
    shown = ranked(tools, query)
    rows = [*csv.DictReader(io.StringIO(tools.client.get(f"/explore.csv?{query}&page=1").text))]
    assert [row["display_name"] for row in rows] == shown == ["Beta", "Alpha"]
    assert [row["GITHUB_commits_over_all_time"] for row in rows] == ["7.5", "5"]
    answer = tools.client.get(f"/explore.json?{query}").json()
    assert [row["rank"] for row in answer["data"]] == [1, 2]
    assert answer["release"] == tools.serving.bundle.release_id
    table = pq.read_table(io.BytesIO(tools.client.get(f"/explore.parquet?{query}").content))
    assert table.column("GITHUB_stars_over_all_time").to_pylist()[1] == 10.0
    assert table.column("GITHUB_commits_over_all_time_quality").to_pylist() == ["ok", "ok"]


def test_a_column_sorts_by_a_link_that_keeps_the_question(tools):
    text = tools.client.get("/explore?metric=GITHUB_commits_over_all_time&also=GITHUB_stars&collection=one").text
    link = re.search(r'<a href="(\?[^"]*)">Stars</a>', text)[1].replace("&amp;", "&")
    assert "metric=GITHUB_stars_over_all_time&also=GITHUB_commits_over_all_time" in link
    assert "collection=one" in link
    assert tools.client.get(f"/explore{link}").status_code == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("metric=nothing", "There is no metric"),
        ("metric=commits&window=nothing", "There is no window"),
        ("kind=person", "is not one of project, collection, artifact"),
        ("min=nan", "is not a number"),
        ("min=x", "is not a number"),
        ("collection=nothing", "There is no collection"),
        ("kind=collection&collection=one", "Collections are not in collections"),
        ("quality=none&min=1", "has no least amount"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(tools, query, said):
    answer = tools.client.get(f"/explore?{query}")
    assert answer.status_code == 400
    assert said in answer.text


def test_a_kind_without_numbers_says_so(tools):
    assert "no newest numbers of collections" in tools.client.get("/explore?kind=collection").text
    assert tools.client.get("/explore.csv?kind=collection").status_code == 404
