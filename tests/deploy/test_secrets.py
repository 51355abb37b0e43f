"""Every secret of the cluster is made by one command, once, and reaches only the service that needs it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from tests.conftest import ROOT


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def variables(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))


def test_a_second_run_changes_nothing_and_says_nothing(secrets):
    before = contents(secrets)
    done = subprocess.run([ROOT / "deploy" / "secrets.sh", secrets], capture_output=True, text=True, check=True)
    assert contents(secrets) == before
    assert done.stdout == done.stderr == ""


def test_nobody_else_on_the_machine_can_read_them_but_every_container_can(secrets):
    assert secrets.stat().st_mode & 0o777 == 0o700
    services = [path for path in secrets.iterdir() if path.name != "readers"]
    assert all(path.stat().st_mode & 0o777 == 0o644 for folder in services for path in folder.iterdir())


def test_a_changed_secret_reaches_every_file_that_holds_it(secrets, tmp_path):
    shutil.copytree(secrets, tmp_path / "secrets")
    make = [ROOT / "deploy" / "secrets.sh", tmp_path / "secrets"]
    old = (tmp_path / "secrets/postgres/openimpact").read_text()
    (tmp_path / "secrets/airflow/connections.env").write_text('AIRFLOW_CONN_NPM={"password": "mine"}\n')
    (tmp_path / "secrets/postgres/openimpact").unlink()
    subprocess.run(make, check=True, capture_output=True)
    after = contents(tmp_path / "secrets")
    assert not [name for name, text in after.items() if old in text]
    assert after["airflow/connections.env"] == 'AIRFLOW_CONN_NPM={"password": "mine"}\n'


def test_each_side_of_a_secret_knows_the_same(secrets):
    said = {path.name: path.read_text() for path in (secrets / "postgres").iterdir()}
    assert len(set(said.values())) == 4 and min(map(len, said.values())) == 48
    airflow, pipeline, consumer, api, storage = (
        variables(secrets / name / "env")
        for name in ("airflow", "trino-pipeline", "trino-consumer", "consumer-api", "seaweedfs")
    )
    assert make_url(airflow["OPENIMPACT_CATALOG_URI"]).password == pipeline["CATALOG_PASSWORD"] == said["openimpact"]
    assert (consumer["CATALOG_USER"], consumer["CATALOG_PASSWORD"]) == ("reader", said["reader"])
    assert make_url((secrets / "airflow/airflow-database").read_text()).password == said["airflow"]
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert [airflow[k] for k in keys] == [pipeline[k] for k in keys] == [storage[k] for k in keys]
    assert [consumer[k] for k in keys] == [api[k] for k in keys] == [storage[f"CONSUMER_{k}"] for k in keys]
    reader = make_url(api["OPENIMPACT_CATALOG_URI"])
    assert (reader.username, reader.password) == ("reader", said["reader"])
    word = (secrets / "valkey/password").read_text()
    assert make_url((secrets / "airflow/celery-broker").read_text()).password == word
    assert (secrets / "valkey/valkey.conf").read_text() == f"requirepass {word}\n"


def test_airflows_keys_are_of_the_form_that_airflow_takes(secrets):
    key = Fernet((secrets / "airflow/fernet-key").read_bytes())
    assert key.decrypt(key.encrypt(b"x")) == b"x"
    assert len((secrets / "airflow/jwt-secret").read_text()) >= 64
    passwords = json.loads((secrets / "airflow/passwords.json").read_text())
    assert passwords == {"admin": (secrets / "airflow/admin-password").read_text()}


@pytest.mark.parametrize("service", ["trino-consumer", "consumer-api"])
def test_what_readers_reach_holds_nothing_that_writes_and_the_cluster_nothing_that_signs(secrets, service):
    held = "".join(path.read_text() for path in (secrets / service).iterdir())
    writing = [(secrets / "postgres" / name).read_text() for name in ("admin", "airflow", "openimpact")]
    writing += [(secrets / "seaweedfs" / name).read_text() for name in ("pipeline-key", "pipeline-secret")]
    assert not [secret for secret in writing if secret in held]
    assert (secrets / service / "jwt.key").exists() == (service == "consumer-api")


def with_secrets(folder: Path, *command: str) -> str:
    env = os.environ | {"SECRETS": str(folder)}
    wrapper = ROOT / "deploy" / "with-secrets.sh"
    return subprocess.run([wrapper, *command], env=env, capture_output=True, text=True, check=True).stdout


def test_variables_of_secret_files_are_taken_literally(tmp_path):
    (tmp_path / "env").write_text('# a comment\n\nA_KEY=x y$(id)`id`$HOME\nAIRFLOW_CONN_X={"password": "a\'b"}\n')
    (tmp_path / "connections.env").write_text("LAST=no newline=at the end")
    (tmp_path / "jwt-secret").write_text("NOT=a variable")
    told = with_secrets(tmp_path, "printenv", "A_KEY", "AIRFLOW_CONN_X", "LAST")
    assert told == 'x y$(id)`id`$HOME\n{"password": "a\'b"}\nno newline=at the end\n'
    assert "NOT=" not in with_secrets(tmp_path, "printenv")
