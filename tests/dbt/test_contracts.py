"""A released table keeps what its readers were promised: the models' twins against dbt/contracts.yml."""

import re
from copy import deepcopy

import pytest
import yaml

from tests.conftest import ROOT

PUBLISHED = yaml.safe_load((ROOT / "dbt/contracts.yml").read_text())
MADE_IN_PYTHON = {"columns_v1", "models_v1", "releases_v1"}  # tests/e2e/test_every_source.py sees to these


def promised(model: dict) -> dict:
    """Key and columns that a model's twin promises, in the form of contracts.yml."""
    grains = [
        test["one_row_per"]["arguments"]["columns"] for test in model.get("data_tests", []) if "one_row_per" in test
    ]
    return {
        "key": [re.sub(r"coalesce\((\w+), .*\)", r"\1", column) for column in (grains or [[]])[0]],
        "columns": {
            column["name"]: column["data_type"] + ("" if {"type": "not_null"} in column.get("constraints", []) else "?")
            for column in model["columns"]
        },
    }


def breaches(published: dict, now: dict) -> list[str]:
    """What differs between the published contracts and those of `now`, as sentences that say what to do."""
    found = []
    for table in sorted(published.keys() | now.keys()):
        name, version = table.rsplit("_v", 1)
        instead = f"Add {name}_v{int(version) + 1} and keep {table} as a view of it."
        if version == "0":
            instead = "Undo it: this is the form that OSO gave the table."
        if table not in now:
            found.append(f"{table} is gone, but readers ask for it. {instead}")
            continue
        if table not in published:
            found.append(f"{table} is new. Add it to dbt/contracts.yml.")
            continue
        old, new = published[table]["columns"], now[table]["columns"]
        for column, kind in old.items():
            found += [f"{table}.{column} {what}" for what in _changes(kind, new.get(column), instead)]
        found += [f"{table}.{column} is new. Add it to dbt/contracts.yml." for column in new if column not in old]
        if list(new)[: len(old)] != list(old) and old.keys() <= new.keys():
            found.append(f"{table} has its columns in another order. Put new ones last, and the others as they were.")
        if published[table]["key"] != now[table]["key"]:
            found.append(f"{table} has another key, {now[table]['key']} for {published[table]['key']}. {instead}")
    return found


def _changes(old: str, new: str | None, instead: str) -> list[str]:
    if new is None:
        return [f"was removed. {instead}"]
    if new.rstrip("?") != old.rstrip("?"):
        return [f"is {new.rstrip('?')} and was {old.rstrip('?')}. {instead}"]
    if new == old:
        return []
    strike = "is never null now. Strike its ? in dbt/contracts.yml."
    return [f"may be null now. {instead}" if new.endswith("?") else strike]


def test_every_export_keeps_its_published_contract():
    twins = (yaml.safe_load(path.read_text()) for path in sorted((ROOT / "dbt/models/exports").glob("*.yml")))
    now = {model["name"]: promised(model) for twin in twins for model in twin["models"]}
    assert breaches({k: v for k, v in PUBLISHED.items() if k not in MADE_IN_PYTHON}, now) == []


BY_V2 = r"Add artifacts_v2 and keep artifacts_v1 as a view of it\."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.pop("artifacts_v1"), rf"artifacts_v1 is gone, but readers ask for it\. {BY_V2}"),
        (lambda c: c["artifacts_v1"]["columns"].pop("url"), rf"artifacts_v1\.url was removed\. {BY_V2}"),
        (
            lambda c: c["artifacts_v1"]["columns"].update(born_on="varchar?"),
            rf"artifacts_v1\.born_on is varchar and was date\. {BY_V2}",
        ),
        (
            lambda c: c["artifacts_v1"]["columns"].update(status="varchar?"),
            rf"artifacts_v1\.status may be null now\. {BY_V2}",
        ),
        (
            lambda c: c["artifacts_v1"].update(key=["artifact_source_id"]),
            rf"artifacts_v1 has another key, .* for \['artifact_id'\]\. {BY_V2}",
        ),
        (
            lambda c: c["artifacts_v1"].update(columns={"url": "varchar?"} | c["artifacts_v1"]["columns"]),
            r"artifacts_v1 has its columns in another order\. Put new ones last, and the others as they were\.",
        ),
        (
            lambda c: c["artifacts_v1"]["columns"].update(url="varchar"),
            r"artifacts_v1\.url is never null now\. Strike its \? in dbt/contracts\.yml\.",
        ),
        (
            lambda c: c["artifacts_v1"]["columns"].update(colour="varchar"),
            r"artifacts_v1\.colour is new\. Add it to dbt/contracts\.yml\.",
        ),
        (
            lambda c: c["metrics_v0"]["columns"].pop("rendered_sql"),
            r"metrics_v0\.rendered_sql was removed\. Undo it: this is the form that OSO gave the table\.",
        ),
        (lambda c: c.update(x_v1=c["metrics_v1"]), r"x_v1 is new\. Add it to dbt/contracts\.yml\."),
    ],
)
def test_a_change_of_a_published_table_is_told_with_what_to_do(change, sentence):
    now = deepcopy(PUBLISHED)
    change(now)
    (told,) = breaches(PUBLISHED, now)
    assert re.fullmatch(sentence, told)


def test_a_twin_promises_what_its_tests_and_constraints_hold():
    model = {
        "data_tests": [{"one_row_per": {"arguments": {"columns": ["coalesce(a, '')", "b"]}}}],
        "columns": [
            {"name": "a", "data_type": "varchar"},
            {"name": "b", "data_type": "date", "constraints": [{"type": "not_null"}]},
        ],
    }
    assert promised(model) == {"key": ["a", "b"], "columns": {"a": "varchar?", "b": "date"}}
