"""docs/api.md is true: its snippets run, its limits are those of the code, its paths are all there are."""

import re
import shlex
import subprocess
import sys

import pytest

from consumer.__main__ import _parser
from consumer.limits import TIERS
from consumer.rest.endpoints import ENDPOINTS
from include.settings import load_settings
from tests.conftest import ROOT
from tests.consumer.processes import served
from tests.consumer.releases import publish_rows
from tests.consumer.small import ROWS

PAGE, _, _ = (ROOT / "docs/api.md").read_text().partition("\n## GraphQL")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL)
NAMES = {"harbor-core": "ant", "harbr-core": "antt", "tidewater": "bee", "seaside": "insects"}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    publish_rows(load_settings({"OPENIMPACT_HOME": str(home)}), ROWS)
    with served(home) as address:
        yield address


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_snippet_runs_as_it_stands(address, tmp_path, language, text):
    for told, ours in {"http://127.0.0.1:8000": address, **NAMES}.items():
        text = text.replace(told, ours)
    lines = [text] if language == "python" or "$id" in text else text.splitlines()
    for line in lines:
        command = ["sh", "-ec", line] if language == "sh" else [sys.executable, "-c", line]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert (ran.stdout or "-o " in line) and '"title"' not in ran.stdout, f"{line}\n{ran.stdout}"


def test_the_table_of_limits_is_that_of_the_code():
    told = re.findall(r"^\| (anonymous|keyed|internal),.*? \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in told] == list(TIERS)
    for name, *numbers in told:
        tier = TIERS[name]
        limits = (tier.requests_a_minute, tier.rows_a_day, tier.sql_seconds_a_day)
        assert numbers == ["no limit" if number is None else f"{number:,}" for number in limits]


def test_every_endpoint_is_told():
    rest = PAGE[PAGE.index("## REST") :]
    for endpoint in ENDPOINTS:
        assert f"`/{endpoint.path.split('/')[1]}" in rest


def test_the_commands_of_the_page_exist():
    for line in re.findall(r"^python -m consumer (.*)$", PAGE, re.MULTILINE):
        _parser().parse_args(shlex.split(line))
