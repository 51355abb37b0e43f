"""The pages through Airflow's own API server: in its navigation, open to read, and nothing else is."""

import http.client
import subprocess
import sys
from datetime import date
from urllib.parse import urlsplit

import pytest
import requests

from demo import run
from demo.server import DemoServer
from include.lake.failures import record
from include.settings import load_settings
from tests.demo.processes import MARK, left_of

HOSTILE = "npm said </td><script>alert(1)</script>"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """A running Airflow over a lake with one landing and one failed day."""
    home = tmp_path_factory.mktemp("pages")
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | {MARK: str(home)}
        subprocess.run([sys.executable, "-m", "include", "land", "oss_directory"], env=env, check=True)
        record(load_settings({"OPENIMPACT_HOME": str(home)}), "npm", [date(2025, 10, 20)], HOSTILE, "run-1")
        with run.airflow(home, env) as api:
            yield api
    assert left_of(str(home)) == [], "Airflow left processes behind"


def test_every_page_is_in_the_navigation_and_each_dag_has_its_runbook(airflow):
    assert airflow.call("GET", "/api/v2/plugins/importErrors")["import_errors"] == []
    (plugin,) = [p for p in airflow.call("GET", "/api/v2/plugins")["plugins"] if p["name"] == "openimpact"]
    views = {view["name"]: (view["destination"], view["href"]) for view in plugin["external_views"]}
    assert views == {
        "Status": ("nav", "/openimpact/status"),
        "Lineage": ("nav", "/openimpact/lineage"),
        "Data docs": ("nav", "/openimpact/data-docs"),
        "Runbooks": ("nav", "/openimpact/runbooks"),
        "Runbook": ("dag", "/openimpact/runbooks/{DAG_ID}"),
    }
    for _, href in views.values():
        answer = requests.get(airflow.url + href.format(DAG_ID="ingest_npm"), timeout=60)
        assert answer.status_code == 200 and "default-src 'none'" in answer.headers["content-security-policy"], href
    assert "When it fails" in requests.get(f"{airflow.url}/openimpact/runbooks/ingest_npm", timeout=60).text


def test_anybody_may_read_what_is_wrong_and_hostile_text_stays_text(airflow):
    text = requests.get(f"{airflow.url}/openimpact/status", timeout=60).text
    assert "npm said &lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in text and "<script" not in text
    assert ">oss_directory</a>" in text and ">failing</span>" in text


def test_the_data_docs_show_the_landing(airflow):
    assert "/openimpact/data-docs/oss_directory" in requests.get(f"{airflow.url}/openimpact/data-docs", timeout=60).text
    found = requests.get(f"{airflow.url}/openimpact/data-docs/oss_directory", timeout=60).text
    assert "values must never be null." in found and ">met<" in found


def test_nothing_else_is_open(airflow):
    assert requests.get(f"{airflow.url}/api/v2/dags", timeout=60).status_code == 401
    for page in ("status", "lineage", "data-docs", "runbooks", "runbooks/npm"):
        assert requests.post(f"{airflow.url}/openimpact/{page}", timeout=60).status_code == 405
    for path in (
        "/openimpact/runbooks/../../README.md",
        "/openimpact/runbooks/..%2f..%2fREADME.md",
        "/openimpact/data-docs/..%2f..%2fcatalog",
        "/openimpact/data-docs/%2e%2e%2fquality%2foss_directory",
        "/openimpact//etc/passwd",
        "/openimpact/openapi.json",
        "/openimpact/docs",
    ):
        connection = http.client.HTTPConnection(urlsplit(airflow.url).netloc, timeout=60)  # sends the path as it is
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        assert answer.status == 404, (path, answer.status, body[:200])
