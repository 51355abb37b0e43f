"""PostgreSQL and SeaweedFS as docker-compose.yml and the Kubernetes manifests start them, as local processes."""

import socket
import urllib.request
from pathlib import Path

import psycopg2
import pytest
import yaml
from pyiceberg.io.pyarrow import PyArrowFileIO

from include.lake.catalog import open_catalog
from include.settings import load_settings
from tests.cluster import servers
from tests.cluster.servers import BUCKET, DEPLOY, HOST, Cluster

FACE = "127.0.0.2"  # stands for the container's address, HOST for its loopback
COMPOSE = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]


def test_each_role_has_its_database_and_no_other(database):
    database.database("airflow", "airflow").close()
    database.database("openimpact", "catalog").close()
    for role, other in (("airflow", "catalog"), ("openimpact", "airflow"), ("reader", "airflow")):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            database.database(role, other)


def test_the_reader_reads_the_catalog_and_changes_nothing(database, tmp_path):
    address = f"postgresql+psycopg2://@/catalog?host={HOST}&port={database.pg_port}&user=openimpact"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", database.keys["openimpact"])
        settings = load_settings({"OPENIMPACT_HOME": str(tmp_path), "OPENIMPACT_CATALOG_URI": address})
        open_catalog(settings, "lake").create_namespace("raw")
    with database.database("reader") as connection, connection.cursor() as cursor:
        cursor.execute("select namespace from iceberg_namespace_properties")
        assert cursor.fetchall() == [("raw",)]
    for statement in (
        "delete from iceberg_tables",
        "insert into iceberg_tables values ('lake', 'raw', 't', 'x', 'x', 'TABLE')",
        "create table mine (x int)",
        "create temporary table mine (x int)",
        "create schema mine",
    ):
        with database.database("reader") as connection, connection.cursor() as cursor:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


@pytest.fixture(scope="module")
def store(tools):
    """SeaweedFS as in compose: everything on the loopback, and its S3 face, another process, to the network."""
    with Cluster(tools) as own:
        own.start_storage()
        (started,) = own.servers
        options = dict(part[1:].split("=", 1) for part in started[0].process.args if part.startswith("-"))
        filer = f"{HOST}:{options['filer.port']}.{options['filer.port.grpc']}"
        said = COMPOSE["s3"]["command"]
        instead = {"-ip.bind": FACE, "-filer": filer, "-config": own.home / "s3" / "s3.json", "-port": own.s3_port}
        command = [f"{name}={instead.get(name, value)}" for name, value in (part.split("=", 1) for part in said)]
        (free,) = servers._free_ports(1)
        face = own._run("s3", [own.tools.weed, "s3", *command, f"-port.grpc={free}"])
        face.wait_ready(lambda: urllib.request.urlopen(health(own)).status == 200, 30)
        own.ports = {name: int(value) for name, value in options.items() if "port" in name}
        yield own


def health(store: Cluster) -> str:
    """The address that the health check of compose asks."""
    path = COMPOSE["s3"]["healthcheck"]["test"][1].split(":8333")[1].rstrip('"')
    return f"http://{FACE}:{store.s3_port}{path}"


def test_what_asks_for_no_password_is_not_on_the_network(store):
    reached = {name for name, port in store.ports.items() if port and connects(FACE, port)}
    assert reached == {"s3.port"}
    assert connects(HOST, store.ports["filer.port"]), "the filer is where it should be"


def connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_the_s3_face_knows_the_keys(store):
    def io(who: str, **other: str) -> PyArrowFileIO:
        return PyArrowFileIO(store.storage_properties(who) | {"s3.endpoint": f"http://{FACE}:{store.s3_port}"} | other)

    with io("owner").new_output(f"s3://{BUCKET}/face").create() as out:
        out.write(b"1")
    assert io("reader").new_input(f"s3://{BUCKET}/face").open().read() == b"1"
    for nobody in (io("reader"), io("owner", **{"s3.secret-access-key": "wrong"})):
        with pytest.raises(OSError, match="(?i)denied|forbidden|signature"):
            with nobody.new_output(f"s3://{BUCKET}/mine").create() as out:
                out.write(b"1")
    assert Path(store.home / "s3" / "s3.json").stat().st_mode & 0o077 == 0
