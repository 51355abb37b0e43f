"""A real web server with deploy/airflow/public-view.env: everybody reads DAGs and runs, nobody acts or sees secrets."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.dags.test_scale import settings_of

ROOT = Path(__file__).parents[2]
SECRET = "hush-" + secrets.token_hex(8)
PRIVATE = ("connections", "variables", "config", "eventLogs")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a public web server over a database with a run, a connection and a variable."""
    home, port = tmp_path_factory.mktemp("public"), free_port()
    env = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__API__WORKERS": "1",
        "OPENIMPACT_HOME": str(home / "openimpact"),
        "PYTHONPATH": str(ROOT),
    }
    for words in (
        "db migrate",
        "dags reserialize",
        f"connections add hidden --conn-uri http://me:{SECRET}@example.invalid",
        f"variables set hidden {SECRET}",
        "dags trigger publish --run-id seen",
    ):
        command = [sys.executable, "-m", "airflow", *words.split()]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    assert not [v for v in settings_of("public-view.env").values() if " " in v], "a shell reads this file too"
    public = env | settings_of("public-view.env") | {"AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48)}
    command = [sys.executable, "-m", "airflow", "api-server", "--apps", "core", "--host", "127.0.0.1"]
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=public, stdout=out, stderr=out, cwd=home, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            try:
                requests.get(f"{url}/api/v2/version", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def operations(server) -> list[tuple[str, str]]:
    """Every (method, path) that the server says it has."""
    paths = requests.get(f"{server}/openapi.json", timeout=60).json()["paths"]
    filled = {"{dag_id}": "publish", "{dag_run_id}": "seen", "{event_log_id}": "1"}
    filled |= {"{connection_id}": "hidden", "{variable_key}": "hidden"}
    found = []
    for path, methods in paths.items():
        for name, value in filled.items():
            path = path.replace(name, value)
        found += [(method.upper(), path) for method in methods]
    return found


def test_anybody_reads_dags_runs_and_their_docs(server):
    dags = requests.get(f"{server}/api/v2/dags", timeout=60).json()["dags"]
    assert {"transform", "publish", "ingest_npm"} <= {dag["dag_id"] for dag in dags}
    runs = requests.get(f"{server}/api/v2/dags/publish/dagRuns", timeout=60).json()["dag_runs"]
    assert [run["dag_run_id"] for run in runs] == ["seen"]
    assert "## When it fails" in requests.get(f"{server}/api/v2/dags/publish/details", timeout=60).json()["doc_md"]
    tasks = requests.get(f"{server}/api/v2/dags/publish/dagRuns/seen/taskInstances", timeout=60).json()
    assert {task["task_id"] for task in tasks["task_instances"]} == {"audit", "release", "announce", "docs"}
    page = requests.get(server, timeout=60)
    assert page.status_code == 200 and "<title>" in page.text.lower()


def test_nobody_acts(server, operations):
    acting = [(method, path) for method, path in operations if method not in ("GET", "HEAD", "OPTIONS")]
    assert len(acting) > 30 and ("POST", "/api/v2/dags/publish/dagRuns") in acting
    for method, path in [*acting, ("POST", "/auth/token"), ("POST", "/auth/token/cli"), ("PUT", "/"), ("TRACE", "/")]:
        answer = requests.request(method, server + path, json={}, timeout=60)
        assert answer.status_code == 403, (method, path, answer.status_code)
    assert len(requests.get(f"{server}/api/v2/dags/publish/dagRuns", timeout=60).json()["dag_runs"]) == 1
    assert requests.get(f"{server}/execution/health", timeout=60).headers["content-type"].startswith("text/html")


def test_no_connection_variable_or_configuration_is_readable(server, operations):
    reading = [path for method, path in operations if method == "GET"]
    private = [path for path in reading if path.split("/")[3] in PRIVATE]
    assert len(private) >= 7
    for path in reading:
        answer = requests.get(server + path, timeout=60)
        assert SECRET not in answer.text, path
        if path in private:  # 422: refused for a missing header, before anything is looked up
            assert answer.status_code in (403, 422), (path, answer.status_code)
    menu = requests.get(f"{server}/ui/auth/menus", timeout=60).json()["authorized_menu_items"]
    assert "Dags" in menu and not {"Connections", "Variables", "Config", "Audit Log"} & set(menu)


def test_credentials_change_nothing(server):
    for headers in ({"Authorization": "Bearer forged"}, {"Cookie": "_token=forged"}, {"Authorization": "Basic YTpi"}):
        assert requests.get(f"{server}/api/v2/dags", headers=headers, timeout=60).status_code == 200
        assert requests.get(f"{server}/api/v2/connections", headers=headers, timeout=60).status_code == 403
        assert requests.post(f"{server}/api/v2/pools", json={}, headers=headers, timeout=60).status_code == 403
