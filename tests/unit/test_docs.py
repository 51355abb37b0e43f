"""The operators' pages tell the truth: every failure has one, their messages, commands and links exist."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from include import __main__ as shell
from include import errors

ROOT = Path(__file__).parents[2]
FAILURES = sorted((ROOT / "docs" / "failures").glob("*.md"))
NAMES = ("clients", "cluster", "migration-from-oso", "operating", "scaling", "upgrade-and-restore")
GUIDES = [ROOT / "docs" / f"{name}.md" for name in NAMES]
PAGES = [*GUIDES, *FAILURES]
GROUPS = {"OpenImpactError", "TryLater"}  # never raised themselves


def messages() -> list[str]:
    """Every text in the code, each filled-in part of it as …"""
    found = []
    for path in [*(ROOT / "include").rglob("*.py"), *(ROOT / "dags").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_every_kind_of_error_has_a_page():
    kinds = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
    } - GROUPS
    wanted = {re.sub("(?<!^)(?=[A-Z])", "_", name).lower() for name in kinds}
    assert wanted <= {page.stem for page in FAILURES}


def test_the_list_of_failures_names_every_page():
    listed = set(re.findall(r"\]\((\w+)\.md\)", (ROOT / "docs" / "failures" / "README.md").read_text()))
    assert listed == {page.stem for page in FAILURES} - {"README"}


@pytest.mark.parametrize("page", [p for p in FAILURES if p.stem != "README"], ids=lambda p: p.stem)
def test_a_failure_is_told_as_what_why_and_what_to_do_in_the_words_of_the_code(page):
    text = page.read_text()
    assert re.findall("^## (.*)$", text, re.MULTILINE) == ["What you see", "Why", "What to do"]
    said = messages()
    for block in re.findall(r"```\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            for part in re.split("…", line):
                words = part.strip(" .:;,()'`")
                assert any(words in message for message in said), f"{page.name} quotes {words!r}, which no code says"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_commands_and_links_of_a_page_exist(page):
    text = page.read_text()
    inline = re.findall(r"`python -m include ([^`]+)`", text)
    blocks = re.findall(r"^python -m include ([^#\n]+)", text, re.MULTILINE)
    for command in [*inline, *blocks]:
        words = shlex.split(command)
        try:
            shell._parser().parse_args(words)
        except SystemExit as end:
            assert end.code == 0, f"{page.name}: python -m include {command}"
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name} links {link}"
