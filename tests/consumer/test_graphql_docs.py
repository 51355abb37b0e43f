"""What docs/api.md says of GraphQL and Iceberg runs, and its limits are those of the code."""

import re
import subprocess
import sys

import pytest

from consumer.frame import MAX_BODY
from consumer.graphql import execute, limits, query
from tests.conftest import ROOT

PAGE = (ROOT / "docs/api.md").read_text()
SECTION = PAGE[PAGE.index("## GraphQL") :]
BLOCKS = re.findall(r"```(graphql|sh|python)\n(.*?)```", SECTION, re.DOTALL)


@pytest.mark.parametrize(("language", "text"), BLOCKS, ids=[f"{language}{n}" for n, (language, _) in enumerate(BLOCKS)])
def test_a_snippet_runs(world, address, language, text):
    if language == "graphql":
        answers = [ask(text) for ask in (world.oso, world.hasura)]
        (data,) = [answer["data"] for answer in answers if "errors" not in answer]
        assert all(data.values())
        return
    text = text.replace("http://127.0.0.1:8000", address)
    command = ["sh", "-c", text] if language == "sh" else [sys.executable, "-c", text]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "alpha" in ran.stdout or world.release.release_id in ran.stdout, ran.stderr


def test_the_table_of_limits_is_true():
    told = dict(re.findall(r"^\| ([a-z][^|]*?) \| ([\d,]+(?: KiB| s)?) \|$", SECTION, re.MULTILINE))
    assert told == {
        "body": f"{MAX_BODY // 1024} KiB",
        "tokens of the document": f"{limits.MAX_TOKENS:,}",
        "depth, fields inside fields": str(limits.MAX_DEPTH),
        "aliases": str(limits.MAX_ALIASES),
        "root fields": str(limits.MAX_ROOT_FIELDS),
        "directives": str(limits.MAX_DIRECTIVES),
        "fields asked for more than once in one place": str(limits.MAX_REPEATS),
        "rows of the answer, those of relations included": f"{query.MAX_ROWS:,}",
        "time": f"{execute.MAX_SECONDS} s",
    }
