"""CPU of landing a day's archive hours, over dlt loading the same events from a generator of dicts: at most 1/5.

dlt belongs to the benchmark alone: requirements-bench.txt.
"""

import importlib.util
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.home import fresh_home, land_directory
from tests.bench.hours import ERAS, tracked_names, write_hours
from tests.bench.jobs import Cpu, in_turn, verdict
from tests.bench.parse import event_batches

HOURS, GOAL = 6, 0.2  # of a day's 24: enough that the commits, one set a day, weigh little


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The ratio, and for scale dlt behind our own parser."""
    if importlib.util.find_spec("dlt") is None:
        yield "dlt is not installed, so there is nothing to compare with; install requirements-bench.txt."
        return
    hours, warm = str(write_hours(folder / "full", "full", hours=HOURS)), warm_hour(folder)
    jobs = (land_day, dlt_from_dicts, dlt_from_rows)
    ours, dicts, rows = in_turn(repeat, *((job, hours, warm) for job in jobs))
    detail = (
        f"{HOURS} hours; {ours['rows']:.0f} rows, {ours['cpu']:.2f} s over {dicts['rows']:.0f}, {dicts['cpu']:.2f} s"
    )
    yield verdict("land / dlt from dicts", ours["cpu"] / dicts["cpu"], GOAL, detail=detail)
    yield f"for scale, land / dlt fed by our parser: {ours['cpu'] / rows['cpu']:.2f} ({rows['cpu']:.2f} s), no goal"


def warm_hour(folder: Path) -> str:
    """A small hour that each job loads first, so that imports are not what is measured."""
    return str(write_hours(folder / "warm", "full", events=1_000))


def land_day(hours: str, warm: str) -> dict:
    """Job: fetch, validate and commit the day, as the shell and Airflow do."""
    from include import ingest
    from include.lake.catalog import open_catalog
    from include.sources import get_source
    from include.sources.base import Window

    for archive in (warm, hours):
        with fresh_home(archive) as settings:
            land_directory(settings)
            with Cpu() as cpu:
                ingest.land(get_source("github_archive"), Window.of(ERAS["full"].date()), settings)
            events = open_catalog(settings, "lake").load_table("raw.github_archive__events")
            rows = int(events.current_snapshot().summary["total-records"])
    return {"cpu": cpu.seconds, "rows": rows}


def dlt_from_dicts(hours: str, warm: str) -> dict:
    """Job: what one writes first with dlt: gzip, json.loads, yield the flat dict of each tracked event."""
    _load_with_dlt(_flat_dicts(warm))
    return _load_with_dlt(_flat_dicts(hours))


def dlt_from_rows(hours: str, warm: str) -> dict:
    """Job: dlt fed with the very rows of our parser, as dicts."""
    _load_with_dlt(batch.to_pylist() for batch in event_batches(warm, "full"))
    return _load_with_dlt(batch.to_pylist() for batch in event_batches(hours, "full"))


def _flat_dicts(hours: str) -> Iterator[dict]:
    import gzip

    tracked = set(tracked_names())
    for path in sorted(Path(hours).glob("*.gz")):
        with gzip.open(path, "rt") as lines:
            for event in map(json.loads, lines):
                if event["repo"]["name"] in tracked:
                    yield _flat(event)


def _flat(event: dict) -> dict:
    payload, org = event["payload"], event.get("org") or {}
    item = payload.get("comment") or payload.get("review") or payload.get("release") or {}
    about = payload.get("pull_request") or payload.get("issue") or {}
    author = item.get("user") or about.get("user") or {}
    return {
        **{key: event[key] for key in ("id", "type", "created_at", "public")},
        **{"actor_id": event["actor"]["id"], "actor_login": event["actor"]["login"]},
        **{"repo_id": event["repo"]["id"], "repo_name": event["repo"]["name"]},
        **{"org_id": org.get("id"), "org_login": org.get("login")},
        **{key: payload.get(key) for key in ("action", "ref", "number", "size")},
        **{"object_id": item.get("id"), "author_id": author.get("id"), "author_login": author.get("login")},
        **{"opened_at": about.get("created_at"), "closed_at": about.get("closed_at")},
        "payload": json.dumps(payload, separators=(",", ":"), ensure_ascii=False),
    }


def _load_with_dlt(rows: Iterator) -> dict:
    """Loads into a fresh local Iceberg table, one worker a stage as we have."""
    with tempfile.TemporaryDirectory(prefix="openimpact-bench-dlt-") as folder:
        catalog = {"uri": f"sqlite:///{folder}/catalog.db", "type": "sql", "warehouse": f"file://{folder}/lake"}
        os.environ.update(
            DLT_DATA_DIR=f"{folder}/data",
            RUNTIME__DLTHUB_TELEMETRY="false",
            RUNTIME__LOG_LEVEL="ERROR",
            DESTINATION__FILESYSTEM__BUCKET_URL=f"file://{folder}/lake",
            EXTRACT__WORKERS="1",
            NORMALIZE__WORKERS="1",
            LOAD__WORKERS="1",
            ICEBERG_CATALOG__ICEBERG_CATALOG_TYPE="sql",
            ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG=json.dumps(catalog),
        )
        import dlt

        pipeline = dlt.pipeline("bench", destination="filesystem", dataset_name="raw", pipelines_dir=f"{folder}/pipes")
        with Cpu() as cpu:
            pipeline.run(dlt.resource(rows, name="events", write_disposition="append", table_format="iceberg"))
        loaded = pipeline.last_trace.last_normalize_info.row_counts["events"]
        return {"cpu": cpu.seconds, "rows": loaded}
