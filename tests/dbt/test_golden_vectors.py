"""Golden example G17 of the catalogue and the edges of its section 5, through the models; values worked out by hand."""

import json
from datetime import date, timedelta
from math import isclose, log, sqrt

import duckdb
import pytest

from demo.oracle.events import nid
from tests.dbt.harness import build, fill, project

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
NOW, BEFORE = date(2026, 6, 15), date(2026, 5, 15)  # in the last 30 days and in June, in the 30 before and in May
FAMILIES = ("commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars")
# G17: m1 = opened_issues, m2 = releases
EVENTS = {
    "X": {"ISSUE_OPENED": (100, 80), "RELEASE_PUBLISHED": (10, 10)},
    "Y": {"ISSUE_OPENED": (50, 100), "RELEASE_PUBLISHED": (10, 10)},
    "Z": {},
    "first": {"ISSUE_OPENED": (9, 0)},
    "second": {"ISSUE_OPENED": (5, 0)},
    "also": {"ISSUE_OPENED": (5, 0)},
    "last": {"ISSUE_OPENED": (1, 0)},
}
MONEY = {"earner": ("CREDIT", 50), "debtor": ("DEBIT", 50)}
GHOST = nid("project", "OSS_DIRECTORY", "oso", "ghost")  # lists a repository that nobody saw
COLLECTIONS = {
    "g17": ("X", "Y", "Z"),
    "ties": ("first", "second", "also", "last"),
    "money": ("earner", "debtor"),
    "bare's": ("X", "bare", GHOST),
}


def vector(id, entities, metrics, variants, **more):
    """As include.transform.vectors reads it; the metrics are {(source, metric): weight}."""
    parts = [{"source": source, "metric": metric, "weight": weight} for (source, metric), weight in metrics.items()]
    every = {"adoption": 0.0, "growth": 0.0, "retention": 0.0} | variants
    usual = {"window": "over_30_day_period", "p": 2.0, "transform": "none", "max_missing": 0.5, "version": f"of {id}"}
    return usual | {"id": id, "entities": entities, "metrics": parts, "variants": every} | more


G17 = {("GITHUB", "opened_issues"): 0.6, ("GITHUB", "releases"): 0.4}
MIX, AMOUNT = {"adoption": 0.5, "growth": 0.25, "retention": 0.25}, {"adoption": 1.0}
ISSUES = {("GITHUB", "opened_issues"): 1.0}
VECTORS = [
    vector("g17", "g17", G17, MIX),
    vector("monthly", "g17", G17, MIX, window="monthly"),
    vector("ever", "g17", G17, AMOUNT, window="over_all_time"),
    vector("exact", "g17", G17, MIX, max_missing=0.4),
    vector("strict", "g17", G17, MIX, max_missing=0.39),
    vector("log", "ties", ISSUES, AMOUNT, transform="log1p", p=1.0),
    vector("ties", "ties", ISSUES, AMOUNT, p=1.0),
    vector("growing", "ties", ISSUES, {"growth": 2.0}),
    vector("dark", "g17", {("GITHUB", "forks"): 1.0}, AMOUNT, max_missing=1.0),
    vector("still", "g17", {("GITHUB", "prs_comments"): 1.0}, AMOUNT),
    vector("undefined", "g17", {("GITHUB", "pull_request_acceptance_ratio"): 1.0}, MIX),
    vector("money", "money", {("OPEN_COLLECTIVE", "funding_net"): 1.0}, AMOUNT),
    vector("bare", "bare's", ISSUES, AMOUNT),
    vector("chain", "g17", {("BASE", "transactions"): 1.0}, AMOUNT),
    vector("yearly", "all", ISSUES, {"growth": 1.0}, window="yearly"),
]


def tables():
    """All of GitHub is full but forks, which nobody measured, and releases of Z; `old` is older than the data."""
    repos = {name: FIRST for name in EVENTS} | {"old": date(2020, 1, 1)}
    days = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
    funds = [("OPEN_COLLECTIVE", "project", name, f"oc:{name}", "OPEN_COLLECTIVE", FIRST) for name in MONEY]
    return {
        "projects_v1": [(name,) for name in (*repos, *MONEY, "bare", GHOST)],
        "projects_by_collection_v1": [(name, k) for k, members in COLLECTIONS.items() for name in members],
        "int_entities__members": [("project", name, f"r:{name}") for name in repos]
        + [("project", name, f"oc:{name}") for name in MONEY],
        "int_entities__others": funds,
        "stg_oss_directory__artifacts": [("ghost", "github_repo", "ok"), ("bare", "github_repo", "unresolved")],
        "int_artifacts__github_repositories": [(f"r:{name}", born) for name, born in repos.items()],
        "int_activity__artifact_days": [
            (f"r:{name}", day, kind, False, amount, "GITHUB")
            for name, kinds in EVENTS.items()
            for kind, amounts in kinds.items()
            for day, amount in zip((NOW, BEFORE), amounts, strict=True)
            if amount
        ]
        + [(f"oc:{name}", NOW, kind, False, amount, "OPEN_COLLECTIVE") for name, (kind, amount) in MONEY.items()],
        "int_coverage__days": [(family, None, day, "full") for family in FAMILIES for day in days]
        + [("releases", "r:Z", day, "none") for day in days],
        "int_coverage__entity_days": [
            ("OPEN_COLLECTIVE", "ledger", f"oc:{name}", day, "full") for name in MONEY for day in days
        ],
        "int_coverage__as_of": [(family, LAST, "GITHUB") for family in FAMILIES]
        + [("ledger", LAST - DAY, "OPEN_COLLECTIVE")],
    }


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """scores(vector) -> {project: row as a dict}."""
    folder = tmp_path_factory.mktemp("vectors") / "dbt"
    project(folder, "scores_by_project_v1")
    fill(folder / "transform.duckdb", tables())
    build(folder, LAST + 3 * DAY, VECTORS)
    with duckdb.connect(str(folder / "transform.duckdb"), read_only=True) as db:
        found = db.execute("select * from exports.scores_by_project_v1")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return lambda id: {row["project_id"]: row for row in rows if row["vector_id"] == id}


def told(found, *columns):
    """{project: the columns}; numbers within 1e-6, as the catalogue prints them."""
    return {
        name: tuple(round(row[c], 6) if isinstance(row[c], float) else row[c] for c in columns)
        for name, row in found.items()
    }


@pytest.mark.parametrize("id", ["g17", "monthly", "exact"])
def test_g17(scores, id):
    assert told(scores(id), "score", "share", "rank", "missing_share") == {
        "X": (0.948683, 0.590285, 1, 0),
        "Y": (0.658478, 0.409715, 2, 0),
        "Z": (0, 0, 3, 0.4),
    }


def test_g17_components_say_how_each_number_came_about(scores):
    terms = json.loads(scores("g17")["Y"]["components"])
    assert list(terms[0]) == ["metric", "source", "variant", "x", "n", "weight"]
    assert [tuple(term.values()) for term in terms] == [
        ("opened_issues", "GITHUB", "adoption", 50, 0.5, 0.3),
        ("opened_issues", "GITHUB", "growth", 0, 0, 0.15),
        ("opened_issues", "GITHUB", "retention", 50, 0.625, 0.15),
        ("releases", "GITHUB", "adoption", 10, 1, 0.2),
        ("releases", "GITHUB", "growth", 0, 0, 0.1),
        ("releases", "GITHUB", "retention", 10, 1, 0.1),
    ]
    unknown = json.loads(scores("g17")["Z"]["components"])[3:]
    assert [(term["x"], term["n"]) for term in unknown] == [(None, None)] * 3


def test_a_row_says_which_file_window_and_day_it_is_of(scores):
    row = scores("g17")["X"]
    assert (row["vector_version"], row["window"], row["sample_date"]) == ("of g17", "over_30_day_period", LAST)
    assert scores("monthly")["X"]["sample_date"] == date(2026, 6, 1)
    assert scores("ever")["X"]["sample_date"] == LAST
    assert scores("money")["earner"]["sample_date"] == LAST - DAY


def test_all_time_adds_up_everything(scores):
    # issues 180, 150, 0; releases 20, 20, unknown
    found = scores("ever")
    assert isclose(found["X"]["score"], 1)
    assert isclose(found["Y"]["score"], sqrt(0.6 * (150 / 180) ** 2 + 0.4), rel_tol=1e-9)


def test_where_too_much_is_unknown_there_is_no_score(scores):
    assert told(scores("strict"), "score", "share", "rank", "missing_share") == {
        "X": (0.948683, 0.590285, 1, 0),
        "Y": (0.658478, 0.409715, 2, 0),
        "Z": (None, None, None, 0.4),
    }


def test_equal_scores_share_a_rank(scores):
    assert told(scores("ties"), "score", "rank") == {
        "first": (1, 1),
        "second": (0.5, 2),
        "also": (0.5, 2),
        "last": (0, 4),
    }
    assert {name: row["rank"] for name, row in scores("growing").items()} == {
        **{"first": 1, "second": 2, "also": 2, "last": 4}
    }


def test_the_logarithm_is_of_one_more(scores):
    expected = (log(6) - log(2)) / (log(10) - log(2))
    assert isclose(scores("log")["second"]["score"], expected, rel_tol=1e-9)


def test_what_nobody_measured_gives_no_score_whatever_may_be_missing(scores):
    found = scores("dark")
    assert told(found, "score", "share", "rank", "missing_share") == dict.fromkeys("XYZ", (None, None, None, 1))
    assert {row["sample_date"] for row in found.values()} == {LAST + 2 * DAY}


@pytest.mark.parametrize("id", ["still", "undefined", "chain"])
def test_where_nothing_happened_everybody_is_first_with_nothing(scores, id):
    assert told(scores(id), "score", "share", "rank", "missing_share") == dict.fromkeys("XYZ", (0, 0, 1, 0))


def test_a_loss_counts_like_nothing(scores):
    assert told(scores("money"), "score", "share") == {"earner": (1, 1), "debtor": (0, 0)}


def test_no_repository_is_nothing_but_one_that_nobody_saw_is_unknown(scores):
    assert told(scores("bare"), "score", "missing_share") == {"X": (1, 0), "bare": (0, 0), GHOST: (None, 1)}


def test_before_birth_is_nothing_and_before_the_data_unknown(scores):
    found = scores("yearly")
    assert found.keys() == {*EVENTS, *MONEY, "old", "bare", GHOST}
    assert found["X"]["sample_date"] == date(2025, 1, 1)
    assert {name for name, row in found.items() if row["missing_share"]} == {"old", GHOST}
