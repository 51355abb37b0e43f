"""One dbt process per call: `dbt build` of a layer, its progress and its result."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from include.errors import SuspectData, Unavailable
from include.settings import Settings
from include.sources import all_sources
from include.sources.base import off_reason
from include.transform.plan import DBT_PROJECT, EVERYTHING
from include.transform.vectors import load_vectors

LAYERS = {
    "intermediate": ("resource_type:seed", "path:models/staging", "path:models/intermediate"),
    "metrics": ("path:models/metrics",),
    "exports": ("path:models/exports",),
    "all": (),
}
# how errors of Trino read that its statements are not to blame for: servers lost or restarted, storage or catalog away
PASSING = re.compile(
    r"Trino\w*Error\(type=(?:EXTERNAL|INTERNAL_ERROR),"
    r"|HTTPS?Connection(?:Pool)?\(|Connection aborted|error (?:404|410|50[234])\b"
)
Progress = Callable[[int, int, str], None]


def build_layer(settings: Settings, layer: str, work: dict, run_id: str, progress: Progress | None = None) -> dict:
    """Builds and tests one layer (or "all") by the plan `work`; returns nodes by dbt status.

    `progress(done, total, label)` is called after every node.

    Raises:
        SuspectData: names the models and tests that failed; the record of the last good build stays.
        Unavailable: the same, where Trino, its storage or its catalog was away.
        FixNeeded: a weights file of an impact vector has a mistake.
    """
    told = {
        "rebuild_from": work["rebuild_from"],
        "run_id": run_id,
        "sources_off": [s.name for s in all_sources() if off_reason(s, os.environ)],
        "vectors": load_vectors(settings),
        "run_day": datetime.now(UTC).date().isoformat(),
        "computed_at": datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat(" "),
        # what lands while this runs waits for the next build
        "snapshots": work["snapshots"],
    }
    env = {"OPENIMPACT_BUILD": json.dumps(told)}
    arguments = ["build", "--indirect-selection", "buildable"]
    if LAYERS[layer]:
        arguments += ["--select", *LAYERS[layer]]
    if work["rebuild_from"] == EVERYTHING:
        arguments.append("--full-refresh")
    else:  # the code is that of the last build, whose unit tests passed
        env["DBT_EXCLUDE_RESOURCE_TYPES"] = os.environ.get("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test")
    target = settings.dbt_target / layer
    results = target / "run_results.json"
    results.unlink(missing_ok=True)  # or a dbt that does not start would be told by the failures of another run
    status, tail = run_dbt(settings, arguments, target, progress, env)
    if status != 0 or not results.exists():
        raise _failure(results, layer, tail)
    counts: dict[str, int] = {}
    for result in json.loads(results.read_text())["results"]:
        counts[result["status"]] = counts.get(result["status"], 0) + 1
    return counts


def run_dbt(
    settings: Settings,
    arguments: list[str],
    target,
    progress: Progress | None = None,
    env: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Runs dbt with the project's profile into folder `target`, `env` added. Returns (exit status, last messages)."""
    target.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dbt.cli.main", "--log-format", "json", "--log-level", "info"]
    command += ["--log-path", str(target), *arguments]
    command += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    command += ["--target", settings.engine, "--target-path", str(target)]
    # what another layer's run parsed
    parsed = settings.dbt_target.glob("*/partial_parse.msgpack")
    if newest := max(parsed, key=lambda path: path.stat().st_mtime, default=None):
        command += ["--partial-parse-file-path", str(newest)]
    env = (
        os.environ
        | (env or {})
        | {
            "OPENIMPACT_HOME": str(settings.home),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(DBT_PROJECT.parent), os.environ.get("PYTHONPATH")])),
            "PYTHONSAFEPATH": "1",
        }
    )
    tail: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        for line in process.stdout:
            _follow(line, tail, progress)
    return process.returncode, "\n".join(tail[-12:])


def run_results(settings: Settings, since: datetime | None = None) -> dict[str, dict]:
    """dbt's newest result of each node by unique id, of the builds that ended after `since`; the docs build nothing."""
    paths = [path for layer in LAYERS if (path := settings.dbt_target / layer / "run_results.json").is_file()]
    found = {}
    for path in sorted(paths, key=lambda path: path.stat().st_mtime):
        if since is None or datetime.fromtimestamp(path.stat().st_mtime, UTC) > since:
            found |= {result["unique_id"]: result for result in json.loads(path.read_text())["results"]}
    return found


def _follow(line: str, tail: list[str], progress: Progress | None) -> None:
    try:
        event = json.loads(line)
        info, data = event["info"], event.get("data", {})
    except (ValueError, KeyError, TypeError):
        tail.append(line.rstrip()[:300])
        return
    if info.get("level") == "error":
        tail.append(info.get("msg", "").strip()[:600])
    if progress and data.get("index") and data.get("total") and data.get("execution_time") is not None:
        node = data.get("node_info") or {}
        progress(data["index"], data["total"], node.get("node_name", ""))


def _failure(results, layer: str, tail: str) -> SuspectData | Unavailable:
    nodes = json.loads(results.read_text())["results"] if results.exists() else []
    bad = [n for n in nodes if n["status"] in ("error", "fail")]
    names = ", ".join(f"{n['unique_id'].split('.')[2]} ({n['status']})" for n in bad[:8])
    what = f"{len(bad)} of {len(nodes)} dbt nodes failed: {names}." if bad else "dbt did not run."
    if away := next(filter(PASSING.search, [*(n["message"] or "" for n in bad), tail]), None):
        why = " ".join(away[PASSING.search(away).start() :][:300].split())
        return Unavailable(
            f"{what} Trino or what it needs was away: build layer {layer!r} again; "
            f"nothing was released and the last good build stays.\n{why}"
        )
    return SuspectData(
        f"{what} Fix the first of them and build layer {layer!r} again; "
        f"nothing was released and the last good build stays.\n{tail}"
    )
