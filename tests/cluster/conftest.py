"""One cluster for all tests of this folder; a missing program is a named skip, or a failure with REQUIRE_ALL=1."""

import signal
from pathlib import Path

import pytest

from tests.cluster.tools import MissingTool, find_tools
from tests.conftest import missing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Marks every test of this folder; the first may fetch Trino, so that minutes pass before it starts."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def cluster():
    """PostgreSQL, SeaweedFS, the pipeline's and the consumer's Trino, all running."""
    try:
        tools = find_tools()
    except MissingTool as lacking:
        missing(str(lacking))
    from tests.cluster.servers import Cluster

    # a terminated test run ends like an interrupted one: it stops what it started
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    running = Cluster(tools)
    try:
        yield running.start()
    finally:
        running.stop()
        signal.signal(signal.SIGTERM, former)


@pytest.fixture
def on_cluster(cluster, monkeypatch, tmp_path):
    """Settings of a pipeline on the cluster, also in the environment, with a home of their own."""
    from include.settings import load_settings

    monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path / "home"))
    for name, value in cluster.settings_env().items():
        monkeypatch.setenv(name, value)
    return load_settings()
