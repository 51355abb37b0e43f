"""The demo's upstreams answer as the real ones do, and fail when told to."""

import gzip
import http.client
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import pytest

from demo import connections
from demo.archive import archive
from demo.directory import tarball
from demo.server import DemoServer
from include.sources.base import parse_connection

HOUR = "/archive/2025-05-05-9.json.gz"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    with DemoServer() as one:
        yield one


@pytest.fixture(autouse=True)
def no_faults(server):
    yield
    server.faults.clear()


def get(server, path):
    with urllib.request.urlopen(server.base_url + path, timeout=10) as answer:
        return answer.read()


def status(server, path):
    try:
        get(server, path)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Retry-After")
    return 200, None


def test_files_are_served(server):
    assert get(server, HOUR) == archive().file("archive", date(2025, 5, 5), 9)
    assert get(server, "/archive2/2025-05-07-15.json.gz")
    assert get(server, "/oss-directory.tar.gz") == tarball()


@pytest.mark.parametrize(
    "path",
    ["/archive/2025-05-07-15.json.gz", "/archive/2025-05-05-09.json.gz", "/archive/2025-05-05-24.json.gz",
     "/archive/2025-02-30-1.json.gz", "/archive/2024-05-05-1.json.gz", "/"],
)  # fmt: skip
def test_what_is_not_there_is_404(server, path):
    assert status(server, path) == (404, None)


def test_faults_are_used_up(server):
    server.faults.unavailable(HOUR, times=2)
    server.faults.limited(HOUR, retry_after=3)
    assert [status(server, HOUR) for _ in range(4)] == [(503, None), (503, None), (429, "3"), (200, None)]


def test_a_body_can_be_cut_and_a_connection_dropped(server):
    server.faults.truncated(HOUR)
    with pytest.raises(http.client.IncompleteRead):
        get(server, HOUR)
    server.faults.dropped(HOUR)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        get(server, HOUR)
    assert gzip.decompress(get(server, HOUR))


def test_lines_can_be_garbled(server):
    whole = gzip.decompress(get(server, HOUR)).splitlines()
    server.faults.garbled(HOUR, 0.05, times=1)
    broken = gzip.decompress(get(server, HOUR)).splitlines()
    assert sum(not text.endswith(b"}") for text in broken) == pytest.approx(len(whole) * 0.05, abs=1)
    assert len(broken) == len(whole)


def test_connections_are_read_by_the_sources(server):
    env = connections(server.base_url)
    mirrors = parse_connection(env, "github_archive", ()).urls
    assert mirrors == (f"{server.base_url}/archive", f"{server.base_url}/archive2")
    assert parse_connection(env, "oss_directory", ()).urls == (f"{server.base_url}/oss-directory.tar.gz",)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_and_ends_cleanly(ending):
    command = [sys.executable, "-m", "demo", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            said = [process.stdout.readline() for _ in range(3)]
            process.send_signal(ending)
            assert process.wait(15) == 0
        finally:
            if process.poll() is None:
                process.kill()
    assert "http://127.0.0.1:" in said[0]
    assert said[1].startswith("export AIRFLOW_CONN_OSS_DIRECTORY=http://")
    assert said[2].startswith("export AIRFLOW_CONN_GITHUB_ARCHIVE=http://")


def test_a_taken_port_is_a_sentence(server):
    port = str(server.server_address[1])
    done = subprocess.run(
        [sys.executable, "-m", "demo", "serve", "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1 and "Choose another --port" in done.stderr


def test_write_makes_a_folder_that_the_sources_can_read(tmp_path):
    days = ["--days", "2025-05-07", "2025-05-07"]
    done = subprocess.run(
        [sys.executable, "-m", "demo", "write", str(tmp_path), *days],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "archive").iterdir())) == 24  # hour 15 is missing, hour 0 of the next day is there
    assert len(list((tmp_path / "archive2").iterdir())) == 25
    assert f"file://{tmp_path}/archive,file://{tmp_path}/archive2" in done.stdout
