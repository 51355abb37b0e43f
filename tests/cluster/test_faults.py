"""Servers that are killed or away while the pipeline's cluster builds and releases, as real processes.

The pipeline here is a coordinator and two workers with a lake of their own, whose storage is behind a proxy: an upload
that it holds is a query that certainly runs at that moment.
"""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import psutil
import pytest
import requests
import trino

from include import ingest
from include.errors import Unavailable
from include.lake.catalog import open_catalog
from include.lake.releases import content_hash, list_releases, publish, show_release
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from include.transform import runner
from include.transform.plan import plan
from tests.cluster.proxy import Proxy
from tests.cluster.servers import ADMIN, HEAP, HOST, OWNER, Cluster, _free_ports
from tests.e2e.world import World

pytestmark = pytest.mark.slow
WORKERS = ("worker-1", "worker-2")
PROJECTS = {f"p{n}": [f"https://github.com/one/r{n}"] for n in range(40)}
TABLES = ["exports.collections_v1", "exports.event_types_v1", "exports.projects_v1"]
MODELS = [f"+{name.removeprefix('exports.')}" for name in TABLES]
AWAY_S = 30


class Pipeline:
    """A coordinator that does not work and two workers; `settings` are those of their lake."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.proxy, self.servers = cluster, Proxy(cluster.s3_port), {}
        self.ports = dict(zip(("coordinator", *WORKERS), _free_ports(3), strict=True))
        database = cluster.database(ADMIN, "postgres")
        database.autocommit = True
        database.cursor().execute(f"create database faults owner {OWNER}")
        database.close()
        env = cluster.settings_env()
        self.env = env | {
            "OPENIMPACT_CATALOG_URI": env["OPENIMPACT_CATALOG_URI"].rpartition("/")[0] + "/faults",
            "OPENIMPACT_WAREHOUSE": env["OPENIMPACT_WAREHOUSE"] + "-faults",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.proxy.server_port}",
            "TRINO_PORT": str(self.ports["coordinator"]),
        }
        self.settings = None

    def start(self, name: str) -> None:
        """Starts a process, which is not ready yet."""
        self.servers[name] = self.cluster.start_pipeline(
            self.ports[name],
            name,
            TRINO_COORDINATOR=str(name == "coordinator").lower(),
            TRINO_INCLUDE_COORDINATOR="false",
            TRINO_DISCOVERY_URI=f"http://{HOST}:{self.ports['coordinator']}",
            OPENIMPACT_WAREHOUSE=self.env["OPENIMPACT_WAREHOUSE"],
            AWS_ENDPOINT_URL=self.env["AWS_ENDPOINT_URL"],
            CATALOG_JDBC_URL=f"jdbc:postgresql://{HOST}:{self.cluster.pg_port}/faults",
            # a worker that does not answer counts as lost after a minute by default
            JDK_JAVA_OPTIONS=f"{HEAP} -Dquery.remote-task.max-error-duration=15s",
        )

    def kill(self, name: str) -> None:
        """Ends a process as a power cut would."""
        self.cluster.end(self.servers.pop(name), signal.SIGKILL)

    def whole(self) -> None:
        """Starts what was killed and returns when coordinator and workers are in service."""
        for name in self.ports:
            if name not in self.servers:
                self.start(name)
        # the coordinator knows a killed worker for some seconds yet
        for name, server in self.servers.items():
            url = f"http://{HOST}:{self.ports[name]}/v1/info"
            server.wait_ready(lambda url=url: not requests.get(url, timeout=5).json()["starting"], 240)
        active = "select count(*) from system.runtime.nodes where state = 'active'"
        self.servers["coordinator"].wait_ready(lambda: self.query(active) == [[3]], 240)

    def ports_in_use(self, name: str) -> set[int]:
        """The local ports of a process's connections."""
        process = psutil.Process(self.servers[name].process.pid)
        family = [process, *process.children(recursive=True)]
        return {connection.laddr.port for one in family for connection in one.net_connections("tcp")}

    def query(self, sql: str) -> list[list]:
        """All rows of one statement."""
        with trino.dbapi.connect(host=HOST, port=self.ports["coordinator"], user="tests") as connection:
            return connection.cursor().execute(sql).fetchall()

    def build(self, run_id: str) -> dict[str, int]:
        """Plans and builds a few models with their tests, as a run of the DAG transform does."""
        return runner.build_layer(self.settings, "few", plan(self.settings, run_id), run_id)

    def release(self, run_id: str):
        """Publishes what was built."""
        return publish(self.settings, TABLES, run_id=run_id, code_sha="c", directory_sha="d")

    def projects(self) -> int:
        """Rows that a consumer sees of projects_v1."""
        return open_catalog(self.settings, "consumer").load_table("oso.projects_v1").scan().to_arrow().num_rows


@pytest.fixture(scope="module")
def landed(cluster, tmp_path_factory):
    """The pipeline, with a registry of PROJECTS in its lake, built and released once."""
    pipeline, folder = Pipeline(cluster), tmp_path_factory.mktemp("faults")
    world = World(folder, datetime.now(UTC).date(), datetime.now(UTC).date())
    env = pipeline.env | world.write(PROJECTS, {"c": list(PROJECTS)}) | {"OPENIMPACT_HOME": str(folder / "home")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**env, "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}.items():
            patch.setenv(name, value)
        patch.setitem(runner.LAYERS, "few", MODELS)
        pipeline.settings = load_settings()
        for name in pipeline.ports:
            pipeline.start(name)
        try:
            ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), pipeline.settings)
            pipeline.whole()
            pipeline.build("first")
            pipeline.release("first")
            yield pipeline
        finally:
            for name in list(pipeline.servers):
                pipeline.kill(name)
            pipeline.proxy.shutdown()


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def pipeline(landed, thread):
    """All of it in service, and a proxy that passes."""
    landed.whole()
    landed.proxy.down, landed.proxy.holds = False, None
    landed.proxy.held.clear()
    landed.proxy.let_go.clear()
    yield landed
    landed.proxy.let_go.set()


def held_build(pipeline: Pipeline, thread: ThreadPoolExecutor, run_id: str):
    """A build that is held while it uploads rows of projects_v1: (its future, the worker that uploads)."""
    pipeline.proxy.holds = "/projects_v1-.*/data/"
    future = thread.submit(pipeline.build, run_id)
    while not pipeline.proxy.held.wait(0.5):
        assert not future.done(), future.result()
    (worker,) = (name for name in WORKERS if pipeline.proxy.held_port in pipeline.ports_in_use(name))
    return future, worker


def heals(pipeline: Pipeline, run_id: str) -> None:
    """The next run builds and releases everything."""
    assert pipeline.build(run_id).keys() <= {"success", "pass"}
    release = pipeline.release(run_id)
    assert {t.name: t.rows for t in release.tables}["projects_v1"] == pipeline.projects() == len(PROJECTS)


def test_a_worker_killed_mid_build_fails_the_build_and_the_retry_heals(pipeline, thread):
    before, release = content_hash(pipeline.settings), show_release(pipeline.settings)
    future, worker = held_build(pipeline, thread, "lost")
    pipeline.kill(worker)
    pipeline.proxy.let_go.set()
    with pytest.raises(Unavailable, match=r"projects_v1 \(error\).*Trino or what it needs was away"):
        future.result()
    # the export is half written, and consumers have nothing of it
    assert open_catalog(pipeline.settings, "lake").load_table("exports.projects_v1").scan().to_arrow().num_rows == 0
    assert show_release(pipeline.settings) == release and content_hash(pipeline.settings) == before
    pipeline.start(worker)
    heals(pipeline, "after a worker")


@pytest.mark.parametrize("policy", ["QUERY", "TASK"])
def test_with_fault_tolerant_execution_the_build_outlives_its_worker(pipeline, thread, monkeypatch, policy):
    monkeypatch.setenv("TRINO_RETRY_POLICY", policy)
    future, worker = held_build(pipeline, thread, f"outlives {policy}")
    pipeline.kill(worker)
    pipeline.proxy.let_go.set()
    pipeline.start(worker)
    assert future.result().keys() <= {"success", "pass"}
    assert open_catalog(pipeline.settings, "lake").load_table("exports.projects_v1").scan().to_arrow().num_rows == len(
        PROJECTS
    )


def test_a_coordinator_killed_mid_build_leaves_consumers_the_old_release(pipeline, thread):
    before, release = content_hash(pipeline.settings), show_release(pipeline.settings)
    future, _ = held_build(pipeline, thread, "headless")
    pipeline.kill("coordinator")
    pipeline.proxy.let_go.set()
    with pytest.raises(Unavailable, match=r"projects_v1 \(error\).*Trino or what it needs was away"):
        future.result()
    assert show_release(pipeline.settings) == release and content_hash(pipeline.settings) == before
    pipeline.whole()
    heals(pipeline, "after a coordinator")


def test_storage_that_answers_503_for_half_a_minute_is_waited_for(pipeline, thread):
    future, _ = held_build(pipeline, thread, "no storage")
    pipeline.proxy.down = True
    pipeline.proxy.let_go.set()
    before, back = show_release(pipeline.settings), time.monotonic() + AWAY_S
    with pytest.raises(Unavailable, match="The storage does not answer .*: nothing was released"):
        pipeline.release("no storage")
    time.sleep(back - time.monotonic())
    assert show_release(pipeline.settings) == before
    assert pipeline.proxy.refused > 0
    pipeline.proxy.down = False
    assert future.result().keys() <= {"success", "pass"}
    assert pipeline.release("storage is back").tables and pipeline.projects() == len(PROJECTS)


def test_postgresql_restarted_mid_build_is_healed_by_the_retry(pipeline, thread, cluster):
    before = content_hash(pipeline.settings)
    future, _ = held_build(pipeline, thread, "no catalog")
    cluster.restart_database(away_s=3)
    pipeline.proxy.let_go.set()
    with suppress(Unavailable):  # as the commit came before or after
        future.result()
    assert content_hash(pipeline.settings) == before
    heals(pipeline, "after a restart")
    assert cluster.query("consumer", "select 1 from consumer.information_schema.tables limit 1") == [[1]]


def test_a_coordinator_killed_mid_release_does_not_keep_the_release(pipeline, thread):
    """A release is PyIceberg's and PostgreSQL's alone."""
    before, known = show_release(pipeline.settings), len(list_releases(pipeline.settings))
    pipeline.proxy.holds = "-faults/consumer/"
    future = thread.submit(pipeline.release, "headless")
    assert pipeline.proxy.held.wait(60)
    pipeline.kill("coordinator")
    assert show_release(pipeline.settings) == before and len(list_releases(pipeline.settings)) == known
    pipeline.proxy.let_go.set()
    made = future.result()
    assert show_release(pipeline.settings) == made != before
    assert pipeline.projects() == len(PROJECTS)
