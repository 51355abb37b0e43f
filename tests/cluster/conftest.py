"""One cluster for all tests of this folder; a missing program is a named skip, or a failure with REQUIRE_ALL=1."""

import signal
from pathlib import Path

import pytest

from tests.cluster.tools import MissingTool, find_tools
from tests.conftest import missing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Marks every test of this folder; the first may fetch Trino, so that minutes pass before it starts.

    The file that takes longest comes first, so that all others run beside it where two do at a time.
    """
    items.sort(key=lambda item: item.path.name != "test_engines.py")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def tools():
    """The programs of the servers. A terminated test run ends like an interrupted one: it stops what it started."""
    try:
        found = find_tools()
    except MissingTool as lacking:
        missing(str(lacking))
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield found
    signal.signal(signal.SIGTERM, former)


@pytest.fixture(scope="session")
def cluster(tools):
    """PostgreSQL, SeaweedFS, the pipeline's and the consumer's Trino, all running."""
    from tests.cluster.servers import Cluster

    with Cluster(tools) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def database(tools):
    """A PostgreSQL of its own, as it ships; that of the cluster serves the other tests."""
    from tests.cluster.servers import Cluster

    with Cluster(tools) as own:
        own.start_database()
        yield own


@pytest.fixture
def on_cluster(cluster, monkeypatch, tmp_path):
    """Settings of a pipeline on the cluster, also in the environment, with a home of their own."""
    from include.settings import load_settings

    monkeypatch.setenv("OPENIMPACT_HOME", str(tmp_path / "home"))
    for name, value in cluster.settings_env().items():
        monkeypatch.setenv(name, value)
    return load_settings()
