"""Every source landed from a shell, built and published: what an operator reads, and that its facts are released."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pyiceberg.types import ListType, StructType

from demo import chain, connections, directory
from demo.github_api import github
from demo.oracle.events import nid
from demo.server import DemoServer
from demo.world import LAST_DAY
from include.lake.catalog import open_catalog
from include.settings import load_settings
from include.sources import all_sources
from tests.conftest import ROOT
from tests.dbt.test_contracts import PUBLISHED
from tests.e2e.test_golden import rows
from tests.e2e.test_increment import exports

EVE = LAST_DAY - timedelta(days=1)
SHOP = chain.address("shop1")  # the treasury of `steady`, which is listed, pays it every day


class Shell:
    """`python -m include …` in one home against the demo's upstreams."""

    def __init__(self, home: Path, env: dict[str, str]) -> None:
        self.home, self.env = home, os.environ | env | {"OPENIMPACT_HOME": str(home)}
        self.settings = load_settings({"OPENIMPACT_HOME": str(home)})

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "include", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env | more, capture_output=True, text=True)

    def land(self, source: str, *days, **more: str) -> None:
        """Lands the days from the first to the last of `days`."""
        window = ["--from", str(days[0]), "--to", str(days[-1])] if days else []
        done = self("land", source, *window, **more)
        assert done.returncode == 0, done.stderr


def registry(folder: Path, file: str, old: str, new: str) -> str:
    """The address of the demo's directory with one file changed."""
    path = directory.write(folder) / "data/projects" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return f"file://{folder}"


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """With one run behind it, in which npm did not answer and a project did not list its package yet."""
    folder = tmp_path_factory.mktemp("every")
    package = "  - url: https://www.npmjs.com/package/@sprout/seed\n"
    young = registry(folder / "young", "s/sprout.yaml", package, "")
    with DemoServer(0) as upstreams:
        one = Shell(folder / "home", connections(upstreams.base_url))
        one.land("oss_directory", AIRFLOW_CONN_OSS_DIRECTORY=young)
        one.land("npm", EVE)
        days = ("--from", str(EVE), "--to", str(LAST_DAY))
        one.first = one("run", *days, AIRFLOW_CONN_NPM="http://127.0.0.1:9", AIRFLOW_CONN_OSS_DIRECTORY=young)
        yield one


def test_a_source_that_does_not_answer_is_named_and_the_others_are_released(shell):
    assert shell.first.returncode == 1
    assert "published release" in shell.first.stdout
    last = shell.first.stderr.splitlines()[-1]
    assert last.startswith("error: The release lacks") and "npm: http://127.0.0.1:9/" in last


def test_every_source_of_facts_is_in_the_release(shell):
    released = rows(shell.settings, "timeseries_events_by_artifact_v1")
    assert {
        ("GITHUB", "github_api"),  # asked in full, so nothing is left to the archive
        ("NPM", "npm"),
        ("OPEN_COLLECTIVE", "open_collective"),
        ("MAINNET", "rpc"),
        ("OPTIMISM", "rpc"),
        ("BASE", "bigquery"),
    } <= {(row["event_source"], row["provider"]) for row in released}


def sql_type(kind) -> str:
    """An Iceberg type in the words of dbt/contracts.yml."""
    if isinstance(kind, ListType):
        return f"{sql_type(kind.element_type)} array"
    if isinstance(kind, StructType):
        return f"row({', '.join(f'{field.name} {sql_type(field.field_type)}' for field in kind.fields)})"
    words = {"string": "varchar", "long": "bigint", "timestamptz": "timestamp with time zone"}
    return words.get(str(kind), str(kind))


def test_every_table_of_a_release_is_as_promised(shell):
    catalog = open_catalog(shell.settings, "consumer")
    assert {name for _, name in catalog.list_tables("oso")} == PUBLISHED.keys()
    for name, promised in PUBLISHED.items():
        table = catalog.load_table(f"oso.{name}")
        columns = [(column, kind.rstrip("?")) for column, kind in promised["columns"].items()]
        assert [(field.name, sql_type(field.field_type)) for field in table.schema().fields] == columns, name
        found = table.scan().to_arrow()
        complete = [column for column, kind in promised["columns"].items() if not kind.endswith("?")]
        assert [column for column in complete if found[column].null_count] == [], name
        if promised["key"]:
            assert found.group_by(promised["key"]).aggregate([]).num_rows == found.num_rows > 0, name


def test_repositories_are_shown_in_osos_form_as_github_knows_them(shell):
    found, shelves = rows(shell.settings, "repositories_v0"), github().shelves
    owned = rows(shell.settings, "artifacts_by_project_v1")
    assert sorted(
        (row["project_id"], row["artifact_id"], f"repo:{row['artifact_source_id']}") for row in found
    ) == sorted(
        (row["project_id"], row["artifact_id"], row["artifact_source_id"])
        for row in owned
        if row["artifact_source"] == "GITHUB"
    )
    for row in found:
        number = int(row["artifact_source_id"])
        repo = shelves[number].repository
        branch = repo["defaultBranchRef"]
        assert row | {"created_at": f"{row['created_at']:%Y-%m-%dT%H:%M:%SZ}"} == row | {
            "artifact_url": f"https://github.com/{repo['nameWithOwner']}",
            "is_fork": repo["isFork"],
            "branch": branch and branch["name"],
            "star_count": repo["stargazerCount"],
            "watcher_count": number % 40,
            "fork_count": repo["forkCount"],
            "license_name": "MIT License",
            "license_spdx_id": "MIT",
            "language": "Rust",
            "created_at": repo["createdAt"],
        }
    assert sum(row["star_count"] for row in found) > 100


def test_a_release_tells_of_each_metric_how_much_of_it_is_known(shell):
    said = shell("release", "show", "--metrics")
    assert said.returncode == 0, said.stderr
    table = said.stdout.split("\n\n")[1]
    lines = {(source, metric): rest for source, metric, *rest in map(str.split, table.splitlines())}
    metrics = rows(shell.settings, "metrics_v1")
    assert lines.keys() == {("source", "metric")} | {(row["metric_source"], row["metric"]) for row in metrics}
    known = [
        (row["sample_date"], row["quality"])
        for level in ("artifact", "project", "collection")
        for kind in ("timeseries", "key")
        for row in rows(shell.settings, f"{kind}_metrics_by_{level}_v1")
        if (row["metric_source"], row["metric"]) == ("GITHUB", "commits") and row["amount"] is not None
    ]
    ok = sum(quality == "ok" for _, quality in known) / len(known)
    assert lines["GITHUB", "commits"] == [
        f"{len(known):,}",
        *(str(edge(day for day, _ in known)) for edge in (min, max)),
        f"{ok:.1%}",
        f"{1 - ok:.1%}",
    ]
    assert lines["NPM", "packages"][0] != "0", "a metric of all time has no series, but numbers"
    assert ["0", "-", "-", "-", "-"] in lines.values()


def test_status_has_a_line_of_each_source_and_a_landing_fills_it(shell):
    shell.land("npm", LAST_DAY)
    status = shell("status")
    assert status.returncode == 0, status.stderr
    lines = {line.split()[0]: line for line in status.stdout.splitlines() if line}
    for source in all_sources():
        line = lines[source.name]
        assert line.split()[2].startswith(str(LAST_DAY) if source.window == "day" else "20"), line
        assert int(line.split()[5].replace(",", "")) > 0, line
        assert " complete" in line and " second" in line, line
    assert "request" in lines["npm_manifests"] and "MB billed" in lines["bigquery"] and "points" in lines["github_api"]
    assert lines["oss_directory"].split()[6] == "1", "the file that is not YAML is the one rejected row"
    assert f"to build: from {LAST_DAY}" in status.stdout


def test_a_build_of_what_changed_reaches_back_to_what_the_registry_lists_anew(shell, tmp_path):
    """A package's old versions and a contract's old transactions come with the landing of another day."""
    contract = f"\n  - address: '{SHOP}'\n    tags: [contract]\n    networks: [mainnet]\n"
    grown = registry(tmp_path / "grown", "s/steady.yaml", "\nblockchain:\n", f"\nblockchain:{contract}")
    shell.land("oss_directory", AIRFLOW_CONN_OSS_DIRECTORY=grown)
    shell.land("npm_manifests")
    built = shell("build")
    assert f"built from {LAST_DAY}" in built.stdout, built.stderr
    partly = exports(shell.settings)

    whole = Shell(tmp_path / "whole", {n: v for n, v in shell.env.items() if n.startswith("AIRFLOW_CONN_")})
    shutil.copytree(shell.home, whole.home)
    whole.settings.duckdb_path.unlink()
    assert "built from all" in whole("build").stdout
    wholly = exports(whole.settings)
    for name, wanted in wholly.items():
        odd = set(map(str, wanted)) ^ set(map(str, partly[name]))
        assert not odd, f"{name}: {len(odd)} rows differ, {sorted(odd)[:6]}"
    old = [row for row in map(str, partly["timeseries_events_by_artifact_v1"]) if "'0.1.1'" in row]
    assert len(old) == 1 and "2025, 7, 4" in old[0], "a version of @sprout/seed, published long before"
    paid = [
        row for row in map(str, partly["timeseries_events_by_artifact_v1"]) if nid("artifact", "MAINNET", SHOP) in row
    ]
    assert any(f"{EVE.year}, {EVE.month}, {EVE.day}," in row for row in paid)
