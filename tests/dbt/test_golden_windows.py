"""Golden examples G2, G4 to G11 and G15 of the catalogue through the metric models; values worked out by hand."""

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


# G7: work of a week; of `known3` nothing is known after its third day
BURSTS = {"known7": [10, 12, 8], "known3": [10, 12, 8]}
WORK_FAMILIES = FAMILIES[:6]
# G12's stable versions, here of a repository: gaps of 30 and 30 days
RELEASES = ["2026-01-01", "2026-01-31", "2026-03-02"]
MONDAY = date(2026, 3, 2)
# G8
CROWD = {"A": 5, "B": 3, "C": 2, "bot": 40, None: 6}
# G9: what its day rows hold, (type, of a bot, number)
MARCH = [
    ("PULL_REQUEST_MERGED", False, 6), ("PULL_REQUEST_MERGED", True, 1), ("PULL_REQUEST_CLOSED", False, 2),
    ("ISSUE_CLOSED", False, 4), ("PULL_REQUEST_REVIEW", False, 3),
]  # fmt: skip

BOTS = {"mergify[bot]", "dependabot[bot]", "stale[bot]", "renovate[bot]"}
PR, IN, MERGE = "PULL_REQUEST_OPENED", "ISSUE_OPENED", "PULL_REQUEST_MERGED"
REVIEW, COMMENT, OUT, AGAIN = "PULL_REQUEST_REVIEW", "ISSUE_COMMENT", "ISSUE_CLOSED", "ISSUE_REOPENED"
# repository: {number: (author, (type, who, month-day hour:minute of 2026)...)}; an author's name is the opener's
ITEMS = {
    "g9": {
        1: ("A", (PR, "02-20 00:00"), (COMMENT, "A", "03-01 00:00"), (COMMENT, "stale[bot]", "03-01 01:00"),
            (MERGE, "A", "03-02 00:00")),
        2: ("B", (PR, "03-03 00:00"), (MERGE, "A", "03-03 12:00")),
        3: ("A", (PR, "03-04 00:00"), (REVIEW, "B", "03-04 12:00"), (MERGE, "A", "03-05 00:00")),
        4: ("C", (PR, "03-06 00:00"), (MERGE, "mergify[bot]", "03-06 12:00")),
        5: ("dependabot[bot]", (PR, "03-07 00:00"), (MERGE, "dependabot[bot]", "03-07 12:00")),
        6: ("A", (PR, "03-08 00:00"), (MERGE, "A", "03-08 10:00"), (COMMENT, "B", "03-08 11:00")),
        7: (None, (PR, "03-09 00:00"), (MERGE, "A", "03-09 12:00")),
    },
    "g10": {
        1: ("A", (IN, "03-01 10:00"), (COMMENT, "A", "03-01 10:05"), (COMMENT, "stale[bot]", "03-01 10:06"),
            (COMMENT, "B", "03-01 11:00")),
        2: ("A", (PR, "03-01 12:00"), (REVIEW, "C", "03-02 12:00")),
        3: ("D", (IN, "03-03 00:00"), (OUT, "D", "03-03 01:00")),
        4: ("E", (IN, "03-03 00:00"), (OUT, "B", "03-03 00:02")),
        5: ("F", (PR, "02-28 22:00"), (COMMENT, "G", "03-01 00:00")),
        6: ("renovate[bot]", (PR, "03-04 00:00"), (COMMENT, "B", "03-04 01:00")),
    },
    "g11": {
        1: ("A", (IN, "03-31 00:00")),
        2: ("A", (IN, "03-22 00:00"), (OUT, "A", "03-25 00:00"), (AGAIN, "A", "03-30 00:00")),
        3: ("A", (IN, "03-01 00:00"), (OUT, "A", "03-02 00:00")),
        4: ("A", (IN, "03-29 00:00"), (OUT, "A", "04-02 00:00")),
    },
}  # fmt: skip


def item_events():
    """Rows of the items' events; who opened it, only the opening tells."""
    for repo, items in ITEMS.items():
        for number, (author, opening, *others) in items.items():
            for kind, who, at in ((opening[0], author, opening[1]), *others):
                told = author if kind == opening[0] else None
                at = f"2026-{at}:00+00"
                human = None if who in BOTS else who
                opened = at if kind == opening[0] else None
                yield (repo, number, f"{repo}-{number}-{kind}-{at}", kind, at, at[:10], human, who is not None, told,
                       told in BOTS, opened)  # fmt: skip


def tables():
    """The intermediate tables: every family full all year but forks, which nobody measured."""
    made = list(commits())
    crowd = [("crowd", f"{who}{n}", who) for who, count in CROWD.items() for n in range(count)]
    march = [("march", f"c{n}", "AB"[n % 2]) for n in range(10)]
    repos = sorted({repo for repo, *_ in made} | {"q2", "crowd", "march", "drops", *BURSTS, *ITEMS})
    calendar = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
    members = [("project", project_id, repo) for project_id, its in MEMBERS.items() for repo in its]
    members += [("collection", "k", repo) for repo in ("r1", "r2", "r3")]
    stars = [("r1", 2), ("r2", 1), ("r3", 1), ("crowd", 100)]
    days = grouped((repo, day, "COMMIT_CODE", False) for repo, day, *_ in made)
    days += [("march", MONDAY, *row) for row in MARCH]
    talked = list(item_events())
    days += [("drops", date.fromisoformat(day), "RELEASE_PUBLISHED", False, 1) for day in RELEASES]
    days += grouped((repo, date.fromisoformat(day), kind, False) for repo, _, _, kind, _, day, *_ in talked)
    days += [
        (repo, MONDAY + DAY * n, "ISSUE_COMMENT", False, count)
        for repo, counts in BURSTS.items()
        for n, count in enumerate(counts)
    ]
    status = {family: "none" if family == "forks" else "full" for family in FAMILIES}
    whole = [(family, None, day, status[family]) for family in FAMILIES for day in calendar]
    # G15: q2 is whole on 3 of its 5 days of the week of 2026-03-02
    cut = [("commits", "q2", day, "part") for day in (date(2026, 3, 4), date(2026, 3, 5))]
    cut += [(family, "known3", MONDAY + DAY * n, "none") for family in WORK_FAMILIES for n in range(3, 7)]
    return {
        "int_entities__members": members,
        "int_artifacts__github_repositories": [(r, date(2026, 3, 4) if r == "q2" else FIRST) for r in repos],
        "int_activity__artifact_days": days + [(r, date(2026, 6, 1), "STARRED", False, n) for r, n in stars],
        "int_activity__item_events": talked,
        "int_activity__releases": [("drops", f"v{n}", f"{day} 09:00:00+00", day) for n, day in enumerate(RELEASES)],
        "int_activity__commits": [(r, s, f"{r}{s}", f"{d} 12:00:00+00", d, who, False) for r, d, who, s in made]
        + [(r, s, s, f"{MONDAY} 12:00:00+00", MONDAY, who, who == "bot") for r, s, who in crowd + march],
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


@pytest.mark.parametrize(("repo", "fano", "quality"), [("known7", 5.980952, "ok"), ("known3", 0.266667, "partial")])
def test_g7_burstiness_of_the_known_days(series, repo, fano, quality):
    query = """select amount, quality from metrics.met_series where entity_id = ? and metric = 'burstiness'
        and window_name = 'weekly'"""
    assert series.db.execute(query, [repo]).fetchall() == [(pytest.approx(fano, abs=1e-6), quality)]


def test_g8_half_of_the_commits_is_enough_and_bots_and_strangers_are_left_out(series):
    factor = series("crowd", "contributor_absence_factor", "monthly")
    assert factor == {"2026-03-01": 1}
    rolling = series("crowd", "contributor_absence_factor", "over_30_day_period")
    assert rolling == run_of(1, MONDAY, date(2026, 3, 31))
    ever = "select amount from metrics.met_key where entity_id = 'crowd' and metric = 'contributor_absence_factor'"
    assert (1.0,) in series.db.execute(f"{ever} and window_name = 'over_all_time'").fetchall()


def test_g9_acceptance_and_velocity(series):
    assert series("march", "merged_pull_requests", "monthly") == {"2026-03-01": 6}
    assert series("march", "pull_request_acceptance_ratio", "monthly") == {"2026-03-01": 0.75}
    assert series("march", "project_velocity", "monthly") == {"2026-03-01": 21}
    # the velocity leaves the 30-day window after 2026-03-31: one closing zero
    assert series("march", "project_velocity", "over_30_day_period") == (
        run_of(21, MONDAY, date(2026, 3, 31)) | {"2026-04-01": 0}
    )


MARCH_OF = {
    # 1, 6 of 1, 2, 3, 4, 6; 3 of those
    ("g9", "self_merge_rates"): 0.4,
    ("g9", "pull_request_review_rate"): 0.2,
    # 10 days, half a day, a day, half a day, 10 hours; in the middle half a day
    ("g9", "time_to_merge_avg"): (864000 + 43200 + 86400 + 43200 + 36000) / 5,
    ("g9", "time_to_merge_median"): 43200,
    ("g10", "time_to_first_response_avg"): 24330,
    ("g10", "time_to_first_response_median"): 5400,
    # an hour and two minutes
    ("g10", "time_to_close_issues_median"): (3600 + 120) / 2,
    ("g11", "issue_age_avg"): 403200,
    ("g11", "issue_age_median"): 259200,
    ("g11", "issue_age_min"): 86400,
    ("g11", "issue_age_max"): 864000,
}


@pytest.mark.parametrize(("repo", "metric"), MARCH_OF)
def test_g9_to_g11_items_of_march(series, repo, metric):
    assert series(repo, metric, "monthly")["2026-03-01"] == pytest.approx(MARCH_OF[repo, metric], rel=1e-9)


def test_a_response_counts_in_the_window_of_its_day_and_an_issue_as_long_as_it_is_open(series):
    monthly = series("g10", "time_to_first_response_median", "monthly")
    assert monthly.keys() == {"2026-03-01"}
    rolling = series("g10", "time_to_first_response_median", "over_30_day_period")
    # 3600 and 7200 on 03-01; C's 86400 the day after; 120 on 03-03, the last to leave
    assert rolling == (
        {"2026-03-01": 5400, "2026-03-02": 7200}
        | run_of(5400, date(2026, 3, 3), date(2026, 3, 30))
        | {"2026-03-31": (120 + 86400) / 2, "2026-04-01": 120}
    )
    # i1 and i2 are open to the end of 2026, i4 to 04-02
    ages = series("g11", "issue_age_min", "yearly")
    assert ages == {"2026-01-01": 276 * 86400}


def test_gaps_between_releases_belong_to_the_day_of_the_later_one(series):
    assert series("drops", "days_between_releases_median", "quarterly") == {"2026-01-01": 30}
    assert series("drops", "days_between_releases_median", "over_30_day_period") == run_of(
        30, date(2026, 1, 31), date(2026, 3, 31)
    )
