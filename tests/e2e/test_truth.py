"""The demo world landed over http and published, against the truth that its oracle counts by brute force."""

from datetime import date

import duckdb
import pytest

from demo import connections, oracle
from demo.oracle import compare, scores, wide
from demo.oracle.metrics import METRICS
from demo.oracle.others import STOCKS, Others
from demo.server import DemoServer
from demo.world import world
from include.lake.catalog import open_catalog
from include.sources.base import Window
from tests.e2e.metric_sql import amount_by_query, largest_rows, window_of
from tests.e2e.test_golden import publish, rows
from tests.e2e.vectors import assert_true_scores, shipped, vector, with_vectors
from tests.e2e.wide_rows import differences

# both sides of the payload change of 2025-10-07, and the first days of the outage
FIRST, LAST = date(2025, 9, 25), date(2025, 10, 10)
LEVELS = ("artifact", "project", "collection")
PEOPLE = ["commits", "new_contributors", "churned_contributors", "change_in_active_contributors"]
OSO_NAMES = {
    "contributors": "active_contributors",
    "time_to_merge_avg": "avg_prs_time_to_merge",
    "time_to_first_response_avg": "avg_time_to_first_response",
}
VECTORS = [
    vector("daily", "daily", ["commits", "stars"], p=1),
    vector("weekly", "weekly", ["commits", "time_to_merge_median", "closed_issues", "stars"], entities="workshop"),
    vector("rolling", "over_30_day_period", [*PEOPLE, "contributor_retention_rate"], p=3, transform="log1p"),
    vector("yearly", "yearly", PEOPLE, p=0.5),
    vector("ever", "over_all_time", ["commits", "contributors", "first_activity_date"], variants={"adoption": 1}),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with DemoServer(0) as upstreams, pytest.MonkeyPatch.context() as monkeypatch:
        days = Window(FIRST, LAST).days() + [LAST]
        with_vectors(monkeypatch, tmp_path_factory.mktemp("vectors"), VECTORS)
        yield publish(tmp_path_factory.mktemp("truth"), connections(upstreams.base_url), monkeypatch, days)


@pytest.fixture(scope="module")
def truth():
    return oracle.Oracle(oracle.observe(FIRST, LAST))


def test_every_published_number_is_the_true_one_and_unknown_is_null(settings, truth):
    published = compare.read(open_catalog(settings, "consumer"))
    # no snapshot was landed
    untold = {published.rows.pop(key)[1:] for key in list(published.rows) if key[4] in STOCKS}
    assert untold == {(None, None, "unknown", 0.0)}
    published.metrics -= {("GITHUB", metric) for metric in STOCKS}
    compared = compare.compare(published, [truth], sources={"GITHUB"})
    assert compare.complaint(compared) is None
    assert len(compared) == len(METRICS) and sum(one.rows for one in compared) > 10_000
    assert {row.quality for row in truth.key_metrics().values()} == {"partial", "unknown"}


def test_every_wide_row_of_code_is_the_true_one(settings, truth):
    expected = wide.code(truth)
    assert len(expected) > 50
    assert differences(rows(settings, "code_metrics_by_project_v1"), expected)[:5] == []


def test_the_tables_in_osos_form_hold_the_same_truth_and_what_oso_called_otherwise_by_its_name_too(settings, truth):
    names = {row["metric_id"]: row["metric_name"] for row in rows(settings, "metrics_v0")}

    def published(kind):
        return {
            (level, row[f"{level}_id"], names[row["metric_id"]], row["sample_date"]): row["amount"]
            for level in LEVELS
            for row in rows(settings, f"{kind}_metrics_by_{level}_v0")
            if names[row["metric_id"]].startswith("GITHUB_")
        }

    def true(amounts):
        twice = {
            (level, entity, f"GITHUB_{name}_{window}", day): pytest.approx(float(amount), rel=1e-9)
            for (level, entity, metric, window, day), amount in amounts
            for name in {metric, OSO_NAMES.get(metric, metric)}
        }
        assert any("GITHUB_active_contributors_" in name for _, _, name, _ in twice)
        return twice

    assert published("timeseries") == true((key, row[0]) for key, row in truth.timeseries().items())
    assert published("key") == true(
        ((*key, row.sample_date), row.amount)
        for key, row in truth.key_metrics().items()
        if key[3] == "over_all_time" and row.amount is not None
    )


def test_the_published_query_of_every_metric_gives_the_published_number(settings):
    compared, wrong = set(), {}
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set search_path = 'exports'")
        catalogue = db.execute(
            "select metric, \"window\", sql from metrics_v1 where metric_source = 'GITHUB' and row_class <> 'K'"
        ).fetchall()
        queries = {(metric, word): query for metric, word, query in catalogue}
        as_of = dict(db.execute("select metric, max(sample_date) from key_metrics_by_project_v1 group by 1").fetchall())
        for level in LEVELS:
            rows = largest_rows(db, "timeseries_metrics", level) + largest_rows(db, "key_metrics", level)
            for source, metric, word, entity, sample_date, amount in rows:
                if source != "GITHUB":
                    continue
                window = window_of(word, sample_date)
                found = amount_by_query(db, queries[metric, word], level, entity, window, as_of[metric])
                compared.add(metric)
                if found != pytest.approx(amount, rel=1e-9):
                    wrong[level, metric, word, entity, sample_date] = (found, amount)
    assert wrong == {}
    assert compared == {metric for metric, _ in queries}


def test_every_score_is_the_true_one(settings, truth):
    listed = {project.name: project.github for project in world().projects}
    of_github = scores.of_github(truth, listed)
    owners = Others(*[(FIRST, LAST)] * 4, {}, LAST).owners
    elsewhere = {(name, source) for (source, _), names in owners.items() for name in names}

    def value(project, source, metric, word):
        if source == "GITHUB":
            return of_github(project, source, metric, word)
        return scores.UNKNOWN if (project, source) in elsewhere else scores.NOTHING

    found = assert_true_scores(rows(settings, "scores_by_project_v1"), value, [*shipped(), *VECTORS])
    # the world has what the rules are about
    every = [score for one in found.values() for score in one.values()]
    assert {score.rank is None for score in every} == {True, False}
    assert any(0 < score.missing_share <= 0.5 for score in every)
    ranks = {id: {score.rank for score in one.values()} for id, one in found.items()}
    assert min(len(ranks[id]) for id in ("daily", "weekly", "rolling", "ever")) > 5
