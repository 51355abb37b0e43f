"""What every model of the dbt project promises, read from dbt's manifest."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from include.transform.docs import metric_list, sources_yml

ROOT = Path(__file__).parents[2]
EXPORTS = {path.stem for path in (ROOT / "dbt/models/exports").glob("*.sql")}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    target = tmp_path_factory.mktemp("manifest")
    command = [sys.executable, "-m", "dbt.cli.main", "parse", "--project-dir", ROOT / "dbt", "--profiles-dir"]
    command += [ROOT / "dbt", "--target-path", target, "--log-path", target]
    env = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "PYTHONPATH": str(ROOT)}
    env |= {"OPENIMPACT_METRICS": metric_list()}
    done = subprocess.run(command, env=env | {"OPENIMPACT_HOME": str(target)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    return json.loads((target / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest):
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def says_nothing(name: str, text: str) -> bool:
    """Whether a description of a column is missing, shorter than three words or only its name again."""
    words = re.findall(r"\w+", text.lower())
    return len(words) < 3 or set(words) <= {"the", "a", "is", "it", "of", "whether", *name.split("_")}


@pytest.mark.parametrize("text", ["", "Ratio.", "The delta.", "Full count.", "Whether it is merged"])
def test_a_description_that_repeats_the_name_says_nothing(text):
    name = {"Ratio.": "ratio", "The delta.": "delta", "Whether it is merged": "is_merged"}.get(text, "full_count")
    assert says_nothing(name, text)


def mute_columns(nodes: dict[str, dict]) -> list[str]:
    """The columns whose descriptions say nothing, and the nodes without any column."""
    return [
        f"{name}.{column['name']}"
        for name, node in nodes.items()
        for column in node["columns"].values()
        if says_nothing(column["name"], column["description"])
    ] + [name for name, node in nodes.items() if not node["columns"]]


def test_every_model_says_what_a_row_is_and_every_column_what_it_holds(models):
    assert mute_columns(models) == []
    assert [name for name, node in models.items() if not node["description"].startswith("One row per ")] == []


def test_every_raw_table_is_known_to_dbt_as_its_source_describes_it(manifest):
    sources = {node["name"]: node for node in manifest["sources"].values()}
    assert mute_columns(sources) == []
    assert [name for name, node in sources.items() if says_nothing(name, node["description"])] == []
    again = "python -m include sources --dbt > dbt/models/sources.yml"
    assert (ROOT / "dbt/models/sources.yml").read_text() == sources_yml(), f"A source changed; run: {again}"


def test_every_seed_says_what_a_row_is_and_what_its_columns_hold(manifest):
    seeds = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "seed"}
    assert mute_columns(seeds) == []
    assert [name for name, node in seeds.items() if not node["description"].startswith("One row per ")] == []
    for name, node in seeds.items():
        header = next(csv.reader((ROOT / f"dbt/seeds/{name}.csv").open()))
        assert list(node["columns"]) == header, name


def test_the_docs_list_every_metric_of_the_catalogue(manifest):
    text = manifest["nodes"]["seed.openimpact.metric_catalogue"]["description"]
    with (ROOT / "dbt/seeds/metric_catalogue.csv").open() as file:
        catalogue = [f"- **{row['metric']}** ({row['metric_source']}, {row['unit']}): " for row in csv.DictReader(file)]
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(lines) == len(catalogue) and all(map(str.startswith, lines, catalogue))


def test_every_exposure_says_what_it_is_and_who_answers_for_it(manifest):
    for name, node in manifest["exposures"].items():
        assert not says_nothing(node["name"], node["description"]), name
        assert node["label"] and node["owner"]["name"] and node["depends_on"]["nodes"], name


def test_every_export_is_public_and_keeps_a_contract_of_all_its_types(models):
    for name in EXPORTS:
        assert models[name]["contract"]["enforced"], name
        assert models[name]["access"] == "public", name
        assert [c["name"] for c in models[name]["columns"].values() if not c["data_type"]] == [], name


def test_every_model_has_an_owner(manifest, models):
    groups = {group["name"]: group["owner"]["name"] for group in manifest["groups"].values()}
    assert [name for name, node in models.items() if not groups.get(node["group"])] == []


def test_every_export_ends_in_a_consumer_and_consumers_see_exports_alone(manifest):
    seen = {key.split(".")[-1] for node in manifest["exposures"].values() for key in node["depends_on"]["nodes"]}
    assert seen == EXPORTS
