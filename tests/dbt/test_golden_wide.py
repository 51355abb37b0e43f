"""Full-time developers a month, averaged over the last six complete months: worked out by hand from G5's rule."""

from datetime import date, timedelta

import duckdb
import pytest

from tests.dbt.harness import build, fill, grouped, project

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 8, 14)  # so that the six months are February to July
FAMILIES = ["commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars", "forks"]
APRIL = [date(2026, 4, 1) + DAY * n for n in range(30)]
# (project, month, author, days with a commit): 10 are full time in February, 11 in a month of 31 days
COMMITS = [
    ("busy", 1, "A", 31),
    ("busy", 2, "A", 10),
    ("busy", 2, "B", 10),
    ("busy", 3, "A", 10),
    ("busy", 5, "A", 11),
    ("busy", 6, "A", 10),
    ("busy", 8, "A", 14),
    ("dark", 5, "A", 11),
    ("dim", 5, "A", 11),
    ("young", 7, "A", 20),
]
BORN = {"busy": FIRST, "dark": FIRST, "dim": FIRST, "idle": FIRST, "young": date(2026, 7, 10)}


def tables():
    """One repository a project; everything is known but April of `dark` and one day of `dim`."""
    made = [
        (name, date(2026, month, 31 if name == "young" else 1) + DAY * (-n if name == "young" else n), who)
        for name, month, who, days in COMMITS
        for n in range(days)
    ]
    calendar = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
    return {
        "int_entities__members": [("project", f"of {name}", name) for name in BORN],
        "int_artifacts__github_repositories": list(BORN.items()),
        "int_activity__artifact_days": grouped((name, day, "COMMIT_CODE", False) for name, day, _ in made),
        "int_activity__commits": [
            (name, f"{name}{day}{who}", f"{name}{day}{who}", f"{day} 12:00:00+00", day, who, False)
            for name, day, who in made
        ],
        "int_activity__actor_days": [(name, who, day, "COMMIT_CODE", None, 1) for name, day, who in made],
        "int_coverage__days": [(family, None, day, "full") for family in FAMILIES for day in calendar]
        + [("commits", "dark", day, "none") for day in APRIL]
        + [("commits", "dim", APRIL[0], "part")],
        "int_coverage__as_of": [(family, LAST) for family in FAMILIES],
        "projects_v1": [(f"of {name}", "OSS_DIRECTORY", "oso", name, name.upper()) for name in BORN],
    }


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """{project: (average, as_of, quality, coverage)} of the wide table."""
    folder = tmp_path_factory.mktemp("wide") / "dbt"
    project(folder, "code_metrics_by_project_v1")
    fill(folder / "transform.duckdb", tables())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test")
        build(folder, LAST + DAY)
    with duckdb.connect(str(folder / "transform.duckdb"), read_only=True) as db:
        query = """select project_name, fulltime_developer_average_6_months, as_of, quality, coverage
            from exports.code_metrics_by_project_v1"""
        return {name: row for name, *row in db.execute(query).fetchall()}


@pytest.mark.parametrize(
    ("name", "average", "quality", "coverage"),
    [
        ("busy", 4 / 6, "ok", 1),  # 2 in February, 1 in May and 1 in June; January and August are no part of it
        ("idle", 0, "ok", 1),
        ("young", 1 / 6, "ok", 1),  # the months before it was born need nothing
        ("dim", 1 / 6, "partial", 29 / 30),  # April is the number that is known least
        ("dark", None, "unknown", 0),  # of April nothing is known
    ],
)
def test_a_month_without_full_time_developers_is_zero_and_an_unknown_one_leaves_no_average(
    rows, name, average, quality, coverage
):
    assert rows[name] == [average and pytest.approx(average), LAST, quality, pytest.approx(coverage)]
