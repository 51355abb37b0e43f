"""The pages of the tables: what they hold, how to have them, how to cite them."""

import pytest

from consumer.site.data import bibtex, citation, shown


def test_every_table_is_listed_with_downloads_that_answer(tools):
    text = tools.client.get("/data").text
    for name in tools.serving.bundle.tables:
        assert f'href="/data/{name}"' in text
    for form in ("csv", "json", "parquet"):
        assert f'href="/api/v1/tables/projects_v1/rows.{form}"' in text
        assert tools.client.get(f"/api/v1/tables/projects_v1/rows.{form}").status_code == 200


def test_a_table_says_what_its_columns_hold_and_where_they_lead(tools):
    text = tools.client.get("/data/key_metrics_by_project_v1").text
    for column in tools.serving.bundle.tables["key_metrics_by_project_v1"].columns:
        assert f'id="{column.name}"' in text
    assert 'href="/data/projects_v1"' in text
    assert text.count('<span class="unknown">null</span>') == text.count(">null<") > 0


def test_a_table_without_rows_says_so(tools):
    assert "It has no rows in this release." in tools.client.get("/data/mapping_issues_v1").text


def test_an_unknown_table_suggests_those_that_there_are(tools):
    answer = tools.client.get("/data/projects")
    assert answer.status_code == 404
    assert "There is no table" in answer.text


def test_the_release_is_cited_by_its_id_and_its_days(tools):
    bundle = tools.serving.bundle
    day = bundle.published_at.date()
    # of the source GITHUB a family has no day, so that it reaches to none
    assert citation(bundle) == f"OpenImpact. Release {bundle.release_id}, published {day}. Data as of no day yet."
    entry = bibtex(bundle)
    assert entry.startswith(f"@misc{{openimpact-{bundle.release_id},")
    assert entry.count("{") == entry.count("}")
    assert f"year = {{{day.year}}}," in entry


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("", ""), (0.0, "0.0"), (["ä"], '["ä"]'), ("x" * 121, "x" * 120 + "…")],
)
def test_a_value_is_shown_as_text_and_null_is_not_empty_text(value, text):
    assert shown(value) == text
