"""Every source landed from a shell, built and published: what an operator reads, and that its facts are released."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from demo import chain, connections, directory
from demo.oracle.events import nid
from demo.server import DemoServer
from demo.world import LAST_DAY
from include import transform
from include.settings import load_settings
from include.sources import all_sources
from tests.conftest import ROOT
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


def test_status_has_a_line_of_each_source_and_a_landing_fills_it(shell):
    shell.land("npm", LAST_DAY)
    status = shell("status")
    assert status.returncode == 0, status.stderr
    lines = {line.split()[0]: line for line in status.stdout.splitlines() if line}
    for source in all_sources():
        line = lines[source.name]
        assert line.split()[1].startswith(str(LAST_DAY) if source.window == "day" else "20"), line
        assert int(line.split()[3].replace(",", "")) > 0, line
        assert " complete" in line and " second" in line, line
    assert "request" in lines["npm_manifests"] and "MB billed" in lines["bigquery"] and "points" in lines["github_api"]
    assert lines["oss_directory"].split()[4] == "1", "the file that is not YAML is the one rejected row"
    assert f"to build: from {LAST_DAY}" in status.stdout


def test_a_build_of_what_changed_reaches_back_to_what_the_registry_lists_anew(shell, tmp_path, monkeypatch):
    """A package's old versions and a contract's old transactions come with the landing of another day."""
    contract = f"\n  - address: '{SHOP}'\n    tags: [contract]\n    networks: [mainnet]\n"
    grown = registry(tmp_path / "grown", "s/steady.yaml", "\nblockchain:\n", f"\nblockchain:{contract}")
    shell.land("oss_directory", AIRFLOW_CONN_OSS_DIRECTORY=grown)
    shell.land("npm_manifests")
    built = shell("build")
    assert f"built from {LAST_DAY}" in built.stdout, built.stderr
    partly = exports(shell.settings)

    whole = Shell(tmp_path / "whole", {})
    shutil.copytree(shell.home, whole.home)
    whole.settings.duckdb_path.unlink()
    for name, value in shell.env.items():  # which sources are off is told by the connections
        monkeypatch.setenv(name, value)
    assert transform.build(whole.settings, "whole")["rebuild_from"] == "all"
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
