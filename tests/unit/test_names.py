"""Names that would break a dependency must not appear."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def _project_files(pattern):
    hidden = {".venv", ".git", ".openimpact"}
    return [p for p in ROOT.rglob(pattern) if not hidden & set(p.relative_to(ROOT).parts)]


def test_no_module_is_named_like_a_dbt_plugin():
    assert _project_files("dbt_*.py") == [], "dbt imports every dbt_* module at start; rename it"


def test_the_dbt_folder_is_not_a_package():
    assert not (ROOT / "dbt" / "__init__.py").exists(), "it would shadow dbt-core"
