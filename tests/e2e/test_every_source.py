"""Every source landed from a shell, built and published: what an operator reads, and that its facts are released."""

import os
import subprocess
import sys

import pytest

from demo import connections
from demo.server import DemoServer
from demo.world import LAST_DAY
from include.settings import load_settings
from include.sources import all_sources
from tests.conftest import ROOT
from tests.e2e.test_golden import rows

DAYS = ["--from", LAST_DAY.isoformat(), "--to", LAST_DAY.isoformat()]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs `python -m include …` against the demo's upstreams in one home; npm does not answer at first."""
    home = tmp_path_factory.mktemp("every")
    with DemoServer(0) as upstreams:
        env = os.environ | connections(upstreams.base_url) | {"OPENIMPACT_HOME": str(home)}

        def run(*arguments: str, **more: str) -> subprocess.CompletedProcess:
            command = [sys.executable, "-m", "include", *arguments]
            return subprocess.run(command, cwd=ROOT, env=env | more, capture_output=True, text=True)

        run.settings = load_settings({"OPENIMPACT_HOME": str(home)})
        run.first = run("run", *DAYS, AIRFLOW_CONN_NPM="http://127.0.0.1:9")
        yield run


def test_a_source_that_does_not_answer_is_named_and_the_others_are_released(shell):
    assert shell.first.returncode == 1
    assert "published release" in shell.first.stdout
    last = shell.first.stderr.splitlines()[-1]
    assert last.startswith("error: The release lacks") and "npm: http://127.0.0.1:9/" in last


def test_status_has_a_line_of_each_source_and_a_landing_from_the_shell_fills_it(shell):
    landed = shell("land", "npm", *DAYS)
    assert landed.returncode == 0, landed.stderr
    status = shell("status")
    assert status.returncode == 0, status.stderr
    lines = {line.split()[0]: line for line in status.stdout.splitlines() if line}
    for source in all_sources():
        line = lines[source.name]
        day = LAST_DAY.isoformat() if source.window == "day" else "20"
        assert line.split()[1].startswith(day), line
        assert int(line.split()[3].replace(",", "")) > 0, line
        assert " complete" in line and "request" in line, line
    assert "MB billed" in lines["bigquery"] and "points" in lines["github_api"]
    assert lines["oss_directory"].split()[4] == "1", "the file that is not YAML is the one rejected row"
    assert "to build: everything" in status.stdout, "the first landing of a source"


def test_every_source_of_facts_is_in_the_release(shell):
    providers = {
        (row["event_source"], row["provider"]) for row in rows(shell.settings, "timeseries_events_by_artifact_v1")
    }
    assert {
        ("GITHUB", "github_api"),
        ("NPM", "npm"),
        ("OPEN_COLLECTIVE", "open_collective"),
        ("MAINNET", "rpc"),
        ("OPTIMISM", "rpc"),
    } <= providers
