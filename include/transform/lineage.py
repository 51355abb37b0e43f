"""What depends on what, read from the manifest that dbt wrote at the last build."""

import json

from include.settings import Settings


def exports_of(settings: Settings, source: str) -> list[str]:
    """Names of the exports that are built from a raw table of the source, sorted; [] before the first build."""
    manifests = sorted(settings.dbt_target.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        return []
    manifest = json.loads(manifests[-1].read_text())
    waiting = [name for name in manifest["sources"] if name.split(".")[3].startswith(f"{source}__")]
    seen = set(waiting)
    while waiting:
        new = set(manifest["child_map"].get(waiting.pop(), ())) - seen
        seen |= new
        waiting += new
    models = (node for name in seen if (node := manifest["nodes"].get(name, {})).get("resource_type") == "model")
    return sorted(node["name"] for node in models if node["path"].startswith("exports/"))
