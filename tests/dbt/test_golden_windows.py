"""Golden examples G2, G4, G5, G6 and G15 of the catalogue through the metric models; values worked out by hand."""

from datetime import date, timedelta

import duckdb
import pytest

from tests.dbt.harness import build, fill, grouped, project

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
FAMILIES = ["commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars", "forks"]

# G5: commit days from the start of a window of that length, and whether that is full time
FULL_TIME = [
    ("feb9", "monthly", date(2026, 2, 1), 9, False),
    ("feb10", "monthly", date(2026, 2, 1), 10, True),
    ("jan10", "monthly", date(2026, 1, 1), 10, False),
    ("jan11", "monthly", date(2026, 1, 1), 11, True),
    ("apr10", "monthly", date(2026, 4, 1), 10, True),
    ("first29", "quarterly", date(2026, 1, 1), 29, False),
    ("first30", "quarterly", date(2026, 1, 1), 30, True),
    ("third30", "quarterly", date(2026, 7, 1), 30, False),
    ("third31", "quarterly", date(2026, 7, 1), 31, True),
    ("year121", "yearly", date(2026, 1, 1), 121, False),
    ("year122", "yearly", date(2026, 1, 1), 122, True),
]
MEMBERS = {"x": ["r1", "r2"], "y": ["r1", "r3"], "q": ["q1", "q2"]}


def commits():
    """(repo, day, author, sha) of every example."""
    yield from [
        # G2
        ("window", date(2026, 1, 1), "A", "w1"),
        ("window", date(2026, 1, 20), "A", "w2"),
        ("window", date(2026, 1, 20), "B", "w3"),
        ("window", date(2026, 1, 20), "B", "w4"),
        # G4: r3 copies r2's m1
        ("r1", date(2026, 6, 1), "A", "m0"),
        ("r2", date(2026, 6, 1), "A", "m1"),
        ("r2", date(2026, 6, 1), "B", "m2"),
        ("r3", date(2026, 6, 1), "A", "m1"),
        # G6
        ("life", date(2026, 1, 5), "A", "l1"),
        ("life", date(2026, 1, 6), "B", "l2"),
        ("life", date(2026, 2, 5), "A", "l3"),
        ("life", date(2026, 4, 5), "B", "l4"),
        ("life", date(2026, 4, 6), "C", "l5"),
        # G15
        ("q1", date(2026, 3, 5), "A", "q1"),
    ]
    for repo, _, start, days, _ in FULL_TIME:
        for n in range(days):
            # four commits a day are one day
            yield from ((repo, start + DAY * n, "A", f"{repo}-{n}-{k}") for k in range(4))


def tables():
    """The intermediate tables: every family full all year but forks, which nobody measured."""
    made = list(commits())
    repos = sorted({repo for repo, *_ in made} | {"q2"})
    calendar = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
    members = [("project", project_id, repo) for project_id, its in MEMBERS.items() for repo in its]
    members += [("collection", "k", repo) for repo in ("r1", "r2", "r3")]
    stars = [("r1", 2), ("r2", 1), ("r3", 1)]
    days = grouped((repo, day, "COMMIT_CODE", False) for repo, day, *_ in made)
    status = {family: "none" if family == "forks" else "full" for family in FAMILIES}
    whole = [(family, None, day, status[family]) for family in FAMILIES for day in calendar]
    # G15: q2 is whole on 3 of its 5 days of the week of 2026-03-02
    cut = [("commits", "q2", day, "part") for day in (date(2026, 3, 4), date(2026, 3, 5))]
    return {
        "int_entities__members": members,
        "int_artifacts__github_repositories": [(r, date(2026, 3, 4) if r == "q2" else FIRST) for r in repos],
        "int_activity__artifact_days": days + [(r, date(2026, 6, 1), "STARRED", False, n) for r, n in stars],
        "int_activity__commits": [(r, s, f"{r}{s}", f"{d} 12:00:00+00", d, who, False) for r, d, who, s in made],
        "int_activity__actor_days": grouped((r, who, d, "COMMIT_CODE", None) for r, d, who, _ in made),
        "int_coverage__days": whole + cut,
        "int_coverage__as_of": [(family, LAST) for family in FAMILIES if family != "forks"],
    }


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """series(entity, metric, window) -> {ISO sample date: amount}, with the database as attribute."""
    folder = tmp_path_factory.mktemp("golden") / "dbt"
    project(folder)
    fill(folder / "transform.duckdb", tables())
    build(folder, LAST + DAY)
    with duckdb.connect(str(folder / "transform.duckdb"), read_only=True) as db:

        def find(entity, metric, window):
            query = """select cast(sample_date as varchar), amount from metrics.met_series
                where entity_id = ? and metric = ? and window_name = ?"""
            return dict(db.execute(query, [entity, metric, window]).fetchall())

        find.db = db
        yield find


def run_of(amount, first, last):
    """{ISO day: amount} for first..last."""
    return {(first + DAY * n).isoformat(): amount for n in range((last - first).days + 1)}


def test_g2_rolling_30(series):
    assert series("window", "active_developers", "over_30_day_period") == (
        run_of(1, FIRST, date(2026, 1, 19)) | run_of(2, date(2026, 1, 20), date(2026, 2, 18)) | {"2026-02-19": 0}
    )


def test_g2_rolling_90(series):
    assert series("window", "active_developers", "over_90_day_period") == (
        run_of(1, FIRST, date(2026, 1, 19)) | run_of(2, date(2026, 1, 20), date(2026, 4, 19)) | {"2026-04-20": 0}
    )


def test_g2_calendar(series):
    assert series("window", "active_developers", "weekly") == {"2025-12-29": 1, "2026-01-19": 2}
    assert series("window", "active_developers", "monthly") == {"2026-01-01": 2}


@pytest.mark.parametrize(
    ("metric", "amounts"),
    [("commits", [1, 2, 1, 3, 2, 3]), ("active_developers", [1, 2, 1, 2, 1, 2]), ("stars", [2, 1, 1, 3, 3, 4])],
)
def test_g4_levels(series, metric, amounts):
    found = [series(entity, metric, "daily")["2026-06-01"] for entity in ("r1", "r2", "r3", "x", "y", "k")]
    assert found == amounts


@pytest.mark.parametrize(("repo", "window", "start", "days", "is_full"), FULL_TIME)
def test_g5_full_time(series, repo, window, start, days, is_full):
    full, part = (series(repo, f"{kind}_time_developers", window) for kind in ("full", "part"))
    assert (full.get(start.isoformat()), part.get(start.isoformat())) == ((1, None) if is_full else (None, 1))


def test_g5_rolling_90_needs_thirty_days(series):
    last_of_thirty = date(2026, 1, 30)
    full = series("first30", "full_time_developers", "over_90_day_period")
    assert full == run_of(1, last_of_thirty, date(2026, 3, 31)) | {"2026-04-01": 0}
    assert series("first29", "full_time_developers", "over_90_day_period") == {}


LIFE = {
    "contributors": {"01": 2, "02": 1, "04": 2},
    "new_contributors": {"01": 2, "04": 1},
    "returning_contributors": {"02": 1, "04": 1},
    "resurrected_contributors": {"04": 1},
    "churned_contributors": {"02": 1, "03": 1, "05": 2},
    "change_in_active_contributors": {"02": -1, "03": -1, "04": 2, "05": -2},
    "contributor_retention_rate": {"02": 0.5, "03": 0, "05": 0},
}


@pytest.mark.parametrize("metric", LIFE)
def test_g6_lifecycle(series, metric):
    assert series("life", metric, "monthly") == {f"2026-{m}-01": amount for m, amount in LIFE[metric].items()}


def test_g15_quality_of_a_week(series):
    query = """select quality, coverage from metrics.met_series where entity_id = 'q' and metric = 'commits'
        and window_name = 'weekly' and sample_date = date '2026-03-02'"""
    assert series.db.execute(query).fetchall() == [("partial", pytest.approx(10 / 12))]


def test_g15_nothing_measured_is_null_and_unknown(series):
    query = "select distinct amount, previous_amount, quality, coverage from metrics.met_key where metric = 'forks'"
    assert series.db.execute(query).fetchall() == [(None, None, "unknown", 0)]
