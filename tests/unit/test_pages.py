"""The pages: hostile text stays text, no route leads to a file, nothing acts."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from include import ingest
from include.errors import Unavailable
from include.lake.failures import record
from include.pages import build_app
from include.quality.kept import keep, kept
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from include.status import read_status
from tests.sources.standins import DAY, acme_archive, acme_directory

ROOT = Path(__file__).parents[2]
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
PAGES = ("/status", "/lineage", "/data-docs", "/runbooks", "/runbooks/ingest_npm", "/nowhere")


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


@pytest.fixture
def client(settings):
    return TestClient(build_app(settings), root_path="/openimpact")


def test_every_page_of_a_new_lake_is_there_and_may_run_nothing(client):
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == (404 if path == "/nowhere" else 200), path
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'") and "frame-ancestors 'self'" in policy
        assert "script-src" not in policy and answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script|<style|style=|\son\w+=|https?://[^\"<]*\.(css|js)", answer.text), path
        assert set(re.findall(r'(?:href|src)="(/[^"]*)"', answer.text)) >= {"/openimpact/style.css"}, path


def test_text_from_outside_is_shown_as_text(client, settings):
    record(settings, "npm", [DAY], f"npm said {SCRIPT}", f"run {SCRIPT}")
    checks = [{"table": SCRIPT, "says": SCRIPT, "found": SCRIPT, "success": False}]
    keep(settings, "npm", checks, run_id=SCRIPT, day="2025-09-01")
    for path in ("/status", "/data-docs", "/data-docs/npm", "/data-docs/%3Cscript%3E", "/runbooks/%3Cscript%3E"):
        text = client.get(path).text
        assert "<script" not in text and "<img" not in text, path
    assert "npm said &lt;script&gt;alert(1)&lt;/script&gt;" in client.get("/status").text
    assert client.get("/data-docs/npm").text.count("&lt;script&gt;") >= 4


@pytest.mark.parametrize("folder", ["runbooks", "data-docs"])
@pytest.mark.parametrize(
    "name", ["../../README.md", "..%2f..%2fREADME.md", "%2e%2e/%2e%2e/README", "..%5c..%5cREADME", "/etc/passwd", ".."]
)
def test_no_path_leads_out(client, settings, folder, name):
    (settings.home / "secret.json").write_text(json.dumps({"name": "hidden"}))
    for asked in (name, name.replace("README", "secret").removesuffix(".md")):
        answer = client.get(f"/{folder}/{asked}")
        # the client itself may shorten the path to one of our pages
        assert answer.status_code == 404 or "<h1>Data docs</h1>" in answer.text or "<h1>Runbooks</h1>" in answer.text
        assert "self-hosted" not in answer.text and "hidden" not in answer.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_acts(client, method):
    for path in PAGES[:-1]:
        assert getattr(client, method)(path).status_code == 405


def test_the_lineage_runs_in_an_origin_of_its_own(client, settings):
    assert "python -m include docs" in client.get("/lineage").text
    target = settings.dbt_target / "docs"
    target.mkdir(parents=True)
    (target / "static_index.html").write_text("<html>dbt</html>")
    answer = client.get("/lineage")
    assert answer.text == "<html>dbt</html>"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';") and "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_a_lake_that_does_not_answer_is_told_in_a_sentence(client, monkeypatch):
    def gone(*_):
        raise Unavailable("The catalog database does not answer.")

    monkeypatch.setattr("include.status.read_status", gone)
    answer = client.get("/status")
    assert answer.status_code == 503 and "The catalog database does not answer." in answer.text


def test_the_status_is_read_once_for_many_readers(client, monkeypatch):
    calls = []
    read = read_status
    monkeypatch.setattr("include.status.read_status", lambda settings: calls.append(1) or read(settings))
    assert [client.get("/status").status_code for _ in range(5)] == [200] * 5
    assert len(calls) == 1


def test_the_data_docs_say_what_the_newest_landing_met(client, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OSS_DIRECTORY", f"file://{acme_directory(tmp_path / 'directory')}")
    monkeypatch.setenv("AIRFLOW_CONN_GITHUB_ARCHIVE", f"file://{acme_archive(tmp_path / 'archive')}")
    registry, archive = get_source("oss_directory"), get_source("github_archive")
    ingest.land(registry, Window.of(datetime.now(UTC).date()), settings)
    ingest.land(archive, Window.of(DAY), settings)
    found = kept(settings)["github_archive"]
    assert found["day"] == str(DAY)
    row_count = next(c for c in found["checks"] if "rows" in c["says"])
    assert row_count == {
        "table": "coverage",
        "says": "Must have exactly 25 rows.",
        "found": "25",
        "success": True,
    }
    page = client.get("/data-docs/github_archive").text
    assert "Must have exactly 25 rows." in page and ">met<" in page and ">failed<" not in page
    assert "github_archive" in client.get("/data-docs").text


def test_of_what_was_found_no_value_is_kept_but_what_the_sentence_needs(tmp_path):
    import great_expectations.expectations as gxe
    import pyarrow as pa
    import pyarrow.parquet as pq

    from include.quality.kept import read_checks
    from include.quality.staged import failures

    pq.write_table(pa.table({"email": ["ann@example.org", "b" * 40]}), tmp_path / "people.parquet")
    suite = {"people": (("email",), [gxe.ExpectColumnValuesToMatchRegex(column="email", regex="^b+$")])}
    (phrase,) = failures(tmp_path, suite)
    assert "1 rows" in phrase and "ann" not in phrase
    (check,) = read_checks(tmp_path)
    assert check == {
        "table": "people",
        "says": "email values must match this regular expression: ^b+$.",
        "found": "50% unexpected",
        "success": False,
    }


def test_every_process_of_airflow_loads_the_plugin_and_nothing_heavy_with_it(tmp_path):
    code = (
        "import runpy, sys; runpy.run_path('plugins/openimpact_pages.py');"
        "print(sorted({'pyarrow', 'pyiceberg', 'dbt', 'great_expectations', 'duckdb', 'include'} & set(sys.modules)))"
    )
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
