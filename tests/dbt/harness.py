"""The metric models and their scores alone, as a dbt project over intermediate tables filled by hand, on DuckDB."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
PROFILE = """openimpact:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: transform.duckdb, schema: main, threads: 2, settings: {TimeZone: UTC}}
"""
MODELS = [
    "artifacts/int_entities__github",
    "artifacts/int_entities__measured",
    "activity/int_activity__human_items",
    "activity/int_activity__cases",
]
TABLES = {
    "int_entities__members": "entity_level varchar, entity_id varchar, artifact_id varchar",
    "int_entities__others": "member_source varchar, entity_level varchar, entity_id varchar, artifact_id varchar, "
    "artifact_source varchar, born_on date",
    "int_entities__internal": "entity_id varchar, artifact_id varchar, actor_id varchar",
    "int_artifacts__evm_listed": "network varchar",
    "int_artifacts__deaths": "artifact_id varchar, died_on date",
    "stg_oss_directory__artifacts": "project_name varchar, kind varchar, status varchar",
    "projects_by_collection_v1": "project_id varchar, collection_name varchar",
    "int_artifacts__github_repositories": "artifact_id varchar, born_on date",
    "int_activity__artifact_days": "artifact_id varchar, event_day date, event_type varchar, subject_is_bot boolean, "
    "amount decimal(38,18), event_source varchar default 'GITHUB', is_prerelease boolean default false, "
    "counterparty_id varchar, event_count bigint",
    "int_activity__work_days": "artifact_id varchar, event_day date, actor_is_bot boolean, event_count bigint",
    "int_activity__item_events": "artifact_id varchar, item_number bigint, event_id varchar, event_type varchar, "
    "event_time timestamptz, event_day date, human_id varchar, is_actor_known boolean, author_id varchar, "
    "author_is_bot boolean, opened_at timestamptz",
    "int_activity__releases": "artifact_id varchar, event_id varchar, event_time timestamptz, event_day date, "
    "event_source varchar default 'GITHUB'",
    "int_activity__commits": "artifact_id varchar, sha varchar, event_id varchar, event_time timestamptz, "
    "event_day date, actor_id varchar, is_bot boolean",
    "int_activity__actor_days": "artifact_id varchar, actor_id varchar, event_day date, event_type varchar, "
    "is_own_item boolean, event_count bigint, amount decimal(38,18) default 1, is_gain boolean default true, "
    "actor_address varchar",
    "int_coverage__days": "family varchar, artifact_id varchar, day date, status varchar, "
    "source varchar default 'GITHUB'",
    "int_coverage__entity_days": "source varchar, family varchar, artifact_id varchar, day date, status varchar",
    "int_coverage__npm_versions": "artifact_id varchar, from_day date, to_day date",
    "int_coverage__as_of": "family varchar, as_of date, source varchar default 'GITHUB'",
    "int_activity__transaction_fees": "artifact_id varchar, event_source varchar, transaction_hash varchar, "
    "event_day date, amount decimal(38,18)",
    "int_artifacts__matches": "kind varchar, identity varchar, artifact_id varchar, project_name varchar",
    "stg_github_repositories__repositories": "repo_id bigint, snapshot_day date, star_count bigint, "
    "fork_count bigint, watcher_count bigint, open_issue_count bigint, is_archived boolean",
    "stg_bigquery__dependents": "snapshot_day date, package_name varchar, dependent_name varchar, "
    "package_source varchar default 'NPM'",
    "stg_bigquery__dependent_days": "snapshot_day date, package_name varchar, package_source varchar default 'NPM'",
    "int_rebuild__artifacts": "artifact_id varchar",
    "int_rebuild__from": "from_day date, run_id varchar",
    "projects_v1": "project_id varchar, project_source varchar, project_namespace varchar, project_name varchar, "
    "display_name varchar",
    "artifacts_v1": "artifact_id varchar, artifact_source_id varchar, artifact_type varchar, status varchar",
    "artifacts_by_project_v1": "artifact_id varchar, project_id varchar",
}


def grouped(rows):
    """Each distinct tuple with its count."""
    counts: dict[tuple, int] = {}
    for row in rows:
        counts[row] = counts.get(row, 0) + 1
    return [(*row, n) for row, n in counts.items()]


def project(folder: Path, *exports: str) -> None:
    """A dbt project of the metric models and of these exports alone, over hand-filled tables in schema `hand`."""
    for part in ("macros", "seeds", "tests/generic", "models/metrics"):
        shutil.copytree(ROOT / "dbt" / part, folder / part)
    shutil.copy(ROOT / "dbt" / "dbt_project.yml", folder)
    shutil.copy(ROOT / "dbt" / "models" / "groups.yml", folder / "models")
    (folder / "profiles.yml").write_text(PROFILE)
    (folder / "models/hand").mkdir()
    for model in MODELS:
        shutil.copy(ROOT / f"dbt/models/intermediate/{model}.sql", folder / "models/hand")
    (folder / "models/exports").mkdir()
    for path in (ROOT / f"dbt/models/exports/{name}.{ending}" for name in exports for ending in ("sql", "yml")):
        shutil.copy(path, folder / "models/exports")
    for table in TABLES:
        (folder / f"models/hand/{table}.sql").write_text(f"select * from hand.{table}\n")


def fill(path: Path, tables: dict[str, list[tuple]]) -> None:
    """Writes the intermediate tables, each row a tuple in the order of TABLES, at its end shorter where defaults do.

    Tables that are not given stay empty.
    """
    with duckdb.connect(str(path)) as db:
        db.execute("create schema hand")
        for name, columns in TABLES.items():
            db.execute(f"create table hand.{name} ({columns})")
            if rows := tables.get(name):
                given = [column.split()[0] for column in columns.split(", ")][: len(rows[0])]
                values = ", ".join("?" * len(given))
                db.executemany(f"insert into hand.{name} ({', '.join(given)}) values ({values})", rows)
        db.execute(
            "update hand.int_activity__artifact_days "
            "set event_count = case event_source when 'GITHUB' then amount else 1 end where event_count is null"
        )


def build(folder: Path, run_day: date, vectors: Sequence[dict] = ()) -> None:
    """Builds and tests the models; the printout of dbt is the message of a failure."""
    told = json.dumps({"run_day": str(run_day), "vectors": list(vectors)})
    command = [sys.executable, "-m", "dbt.cli.main", "build"]
    env = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "OPENIMPACT_BUILD": told}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
