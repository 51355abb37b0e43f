"""Airflow at scale: what parsing costs, how many tasks a day has, and that Airflow reads deploy/airflow."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from include.airflow_kit.windows import batches, window_of
from include.sources import get_source

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "airflow"
# but pyarrow, in which the sources' schemas are written
HEAVY = {"dbt", "pyiceberg", "great_expectations", "duckdb", "trino", "pandas", "google.cloud"}


def settings_of(name: str) -> dict[str, str]:
    """The variables of an environment file."""
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_parsing_every_dag_is_cheap_and_loads_nothing_heavy(airflow_database):
    code = f"""
import json, sys, time
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk
airflow.sdk.DAG, airflow.sdk.task  # Airflow's own cost, paid once by the process that parses
loaded, started = set(sys.modules), time.process_time()
bag = DagBag({str(ROOT / "dags")!r})
seconds = time.process_time() - started
assert not bag.import_errors and len(bag.dags) > 10
print(json.dumps([seconds, sorted(set(sys.modules) - loaded)]))
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, loaded = json.loads(done.stdout.splitlines()[-1])
    assert not [name for name in loaded if any(name == one or name.startswith(f"{one}.") for one in HEAVY)]
    assert seconds < 2


def test_a_day_of_every_source_is_less_than_sixty_tasks(airflow_database):
    from airflow.dag_processing.dagbag import DagBag

    day, tasks = (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)), 0
    for dag in DagBag(str(ROOT / "dags")).dags.values():
        if not {"kind/ingest", "kind/transform", "kind/publish"} & dag.tags:
            continue
        mapped = [task for task in dag.tasks if task.is_mapped]
        tasks += len(dag.tasks) - len(mapped)
        if mapped:
            window = window_of(get_source(dag.dag_id.removeprefix("ingest_")), {}, day, run_type="scheduled")
            tasks += len(mapped) * len(batches(window))
    assert 40 < tasks < 60


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.glob("*.env")))
def test_airflow_reads_every_setting_of_a_file(name, tmp_path):
    said = settings_of(name)
    asked = [key.removeprefix("AIRFLOW__").lower().split("__") for key in said]
    address = f"sqlite:///{tmp_path}/airflow.db"  # what the database's command, whose file is not there, would read
    given = {key: f"printf {address}" if key.startswith("AIRFLOW__DATABASE") else value for key, value in said.items()}
    code = f"""
import json
from airflow.configuration import conf
print(json.dumps([conf.get(section, option) for section, option in {asked!r}]))
print(conf.get("database", "sql_alchemy_conn"))
"""
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)} | given
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
    *_, found, database = done.stdout.splitlines()
    assert json.loads(found) == list(given.values())
    assert database == address or "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD" not in said


@pytest.mark.parametrize(
    ("name", "executor"), [("celery.env", "CeleryExecutor"), ("kubernetes.env", "KubernetesExecutor")]
)
def test_the_command_line_tells_the_executor(name, executor, tmp_path):
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path)} | settings_of(name)
    env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"] = f"echo sqlite:///{tmp_path}/airflow.db"
    command = [sys.executable, "-m", "airflow", "config", "get-value", "core", "executor"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [executor], done.stderr


def test_the_pod_of_a_task_is_one_that_the_executor_takes():
    pod = yaml.safe_load((DEPLOY / "pod.yaml").read_text())
    assert settings_of("kubernetes.env")["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"].endswith("airflow/pod.yaml")
    (container,) = pod["spec"]["containers"]
    assert pod["kind"] == "Pod" and container["name"] == "base" and pod["spec"]["restartPolicy"] == "Never"
    home = {e["name"]: e.get("value") for e in container["env"]}["OPENIMPACT_HOME"]
    assert home in [mount["mountPath"] for mount in container["volumeMounts"]]


def test_no_file_holds_a_password():
    for name in DEPLOY.glob("*.env"):
        assert not [key for key, value in settings_of(name.name).items() if "@" in value or "SECRET" in key.upper()]
