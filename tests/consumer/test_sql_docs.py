"""docs/sql.md runs as it stands."""

import os
import re
import subprocess
import sys

import pytest

from consumer.sql.api import LIMITS
from consumer.sql.dialect import FUNCTIONS
from consumer.sql.gate import MAX_SQL
from tests.conftest import ROOT
from tests.consumer.test_sql_api import pyoso_folder

PAGE = (ROOT / "docs/sql.md").read_text()
SNIPPETS = re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PRINTS = {
    "curl": ["project_name", "able"],
    "pandas": ["a", "stars", "7.0", "ok"],
    "pyoso": ["project_name", "able"],
    "Trino's client": ["[['able']]"],
    "SQLAlchemy": ["project_id", "VARCHAR", "3"],
}


def test_every_client_has_its_example():
    assert [name for name, _, _ in SNIPPETS] == list(PRINTS)


@pytest.mark.parametrize(("name", "language", "text"), SNIPPETS, ids=list(PRINTS))
def test_an_example_runs_as_it_stands(sql_url, name, language, text):
    port = sql_url.rpartition(":")[2]
    text = text.replace("localhost:8000", f"127.0.0.1:{port}").replace(
        '"localhost", port=8000', f'"127.0.0.1", port={port}'
    )
    command = ["sh", "-c", text] if language == "sh" else [sys.executable, "-c", text]
    path = {"PYTHONPATH": str(pyoso_folder("0.10.0"))} if name == "pyoso" else {}
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | path)
    assert ran.returncode == 0, ran.stderr
    assert all(word in ran.stdout for word in PRINTS[name]), ran.stdout


def test_the_page_names_every_function_and_every_limit():
    listed = re.search(r"<!-- functions -->\n(.*)\n<!-- /functions -->", PAGE, re.DOTALL)[1]
    names = {re.match(r"\w+", call)[0] for call in FUNCTIONS}
    assert re.findall(r"`(\w+)`", listed) == sorted(names)
    free, keyed = LIMITS["anonymous"], LIMITS["keyed"]
    for line in (
        f"| seconds | {free.seconds} | {keyed.seconds} |",
        f"| rows of an answer | {free.rows:,} | {keyed.rows:,} |",
        f"| bytes of an answer | {free.bytes // 10**6} MB | {keyed.bytes // 10**6} MB |",
        f"| characters of a statement | {MAX_SQL:,} | {MAX_SQL:,} |",
    ):
        assert line in PAGE
