"""The newest validation of each source and of the release, in words, for the page of data docs.

Great Expectations' renderer says what was expected and what was found; its own pages ask foreign hosts for their style
and print the data unescaped, so only its sentences are kept.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from include.settings import Settings

CHECKS = "checks.json"


def checks_of(table: str, result) -> list[dict]:
    """One {"table", "says", "found", "success"} for each expectation of a Great Expectations suite result."""
    from great_expectations.render.renderer.inline_renderer import InlineRenderer

    found = []
    for check in result.results:
        texts = {}
        for content in InlineRenderer(render_object=check).get_rendered_content():
            value = content.to_json_dict()["value"]
            params = {name: param.get("value") for name, param in value.get("params", {}).items()}
            texts[content.name.split(".")[1]] = Template(value.get("template") or "").safe_substitute(params)
        found.append(
            {
                "table": table,
                "says": texts.get("prescriptive") or check.expectation_config.type,
                "found": texts.get("diagnostic", ""),
                "success": bool(check.success),
            }
        )
    return found


def keep(settings: Settings, name: str, checks: list[dict], *, run_id: str, day: str | None = None) -> None:
    """Replaces what is kept under `name`: a source, or "release"."""
    folder = settings.home / "quality"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{uuid.uuid4().hex}"
    at = datetime.now(UTC).isoformat(timespec="seconds")
    draft.write_text(json.dumps({"name": name, "day": day, "run_id": run_id, "at": at, "checks": checks}, default=str))
    draft.replace(folder / f"{name}.json")


def kept(settings: Settings) -> dict[str, dict]:
    """What `keep` was given last, by name, with the moment `at` (UTC, ISO)."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((settings.home / "quality").glob("[!.]*.json"))}


def write_checks(folder: Path, checks: list[dict]) -> None:
    """Leaves the checks beside the staged files that they are about."""
    (folder / CHECKS).write_text(json.dumps(checks, default=str))


def read_checks(folder: Path) -> list[dict]:
    """The checks that `write_checks` left."""
    return json.loads((folder / CHECKS).read_text())
