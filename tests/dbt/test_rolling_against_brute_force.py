"""The metric models against the definitions, on random worlds: every stored row, every key row, both ways."""

from datetime import date, timedelta

import duckdb
import pytest

from tests.dbt.brute_force import BORN, FAMILIES, FAMILY, LAST, MEMBERS, UNFILTERED, BruteForce, RandomWorld
from tests.dbt.harness import ROOT, build, fill, grouped, project


def rows_of(world: RandomWorld) -> dict[str, list[tuple]]:
    """The intermediate tables that the world would have."""
    humans = [e for e in world.events if e.actor is not None and not e.actor_is_bot]
    return {
        "int_entities__members": [(*entity, repo) for entity, repos in MEMBERS.items() for repo in repos],
        "int_artifacts__github_repositories": list(BORN.items()),
        "int_activity__artifact_days": grouped((e.repo, e.day, e.kind, e.subject_is_bot) for e in world.events),
        "int_activity__work_days": grouped(
            (e.repo, e.day, e.actor_is_bot)
            for e in world.events
            if (e.actor is not None or e.actor_is_bot) and e.kind not in {"COMMIT_CODE", *UNFILTERED}
        ),
        "int_activity__commits": [
            (e.repo, e.sha, e.event_id, f"{e.day} 12:00:00+00", e.day, e.actor, e.actor_is_bot)
            for e in world.events
            if e.sha
        ],
        "int_activity__actor_days": grouped((e.repo, e.actor, e.day, e.kind, e.is_own_item) for e in humans),
        "int_coverage__days": [(family, None, day, status) for (family, day), status in world.status.items()]
        + [("commits", repo, day, status) for (repo, day), status in world.own_status.items()],
        "int_coverage__as_of": list(world.as_of.items()),
    }


# the first outage lies right before the window before the newest one
WORLDS = [
    (2, (date(2025, 8, 26), date(2025, 9, 28))),
    pytest.param((1, (date(2025, 5, 2), date(2025, 6, 14))), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("brute") / "dbt"
    made = RandomWorld(*request.param)
    assert {e.kind for e in made.events} == set(FAMILY) and set(made.as_of) == set(FAMILIES)
    project(folder)
    fill(folder / "transform.duckdb", rows_of(made))
    build(folder, LAST + timedelta(days=1))
    with duckdb.connect(str(folder / "transform.duckdb"), read_only=True) as db:
        yield BruteForce(made, ROOT / "dbt/seeds/metric_catalogue.csv"), db


def assert_same(found: dict, expected: dict) -> None:
    """Keys equal, texts and missing values equal, numbers within 1e-9."""
    wrong = {
        key: {"model": found.get(key), "definition": expected.get(key)}
        for key in found.keys() | expected.keys()
        if found.get(key) is None
        or expected.get(key) is None
        or any(not equal(a, b) for a, b in zip(found[key], expected[key], strict=True))
    }
    shown = "\n".join(f"{key}: {wrong[key]}" for key in sorted(wrong)[:20])
    assert not wrong, f"{len(wrong)} of {len(expected)} rows differ:\n{shown}"


def equal(a, b) -> bool:
    return a == pytest.approx(b, rel=1e-9, abs=1e-12) if isinstance(a, float) and isinstance(b, float) else a == b


def test_stored_rows_are_those_of_the_definitions(world):
    brute, db = world
    query = """select entity_level, entity_id, metric, window_name, cast(sample_date as varchar),
        amount, quality, coverage from metrics.met_series"""
    found = {row[:5]: row[5:] for row in db.execute(query).fetchall()}
    assert_same(found, brute.series())


def test_key_rows_are_dense_and_those_of_the_definitions(world):
    brute, db = world
    query = """select entity_level, entity_id, metric, window_name, cast(sample_date as varchar),
        amount, previous_amount, quality, coverage from metrics.met_key where window_name <> 'daily'"""
    found = {row[:4]: row[4:] for row in db.execute(query).fetchall()}
    assert_same(found, brute.keys())
