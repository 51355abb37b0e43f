"""The API on the cluster: a reader of the catalog and of the bucket, who can write neither."""

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.bundle import Bundle, build_bundle
from consumer.serving import Serving
from include.lake.catalog import open_catalog
from include.settings import load_settings
from tests.cluster.servers import DATABASE, HOST, READER, Cluster
from tests.consumer.releases import publish_rows


@pytest.fixture(scope="module")
def stores(tools):
    """A PostgreSQL and an S3 of their own, whose releases no other test changes."""
    with Cluster(tools) as running:
        running.start_database()
        running.start_storage()
        yield running


@pytest.fixture
def reader(stores, tmp_path):
    """What the service `consumer-api` is told."""
    uri = f"postgresql+psycopg2://{READER}:{stores.keys[READER]}@{HOST}:{stores.pg_port}/{DATABASE}"
    return load_settings(
        {"OPENIMPACT_HOME": str(tmp_path / "api"), "OPENIMPACT_CATALOG_URI": uri, **stores.storage_env("reader")}
    )


def test_a_reader_of_the_catalog_and_of_the_bucket_serves_its_releases(stores, reader, tmp_path):
    owner = load_settings(stores.settings_env("duckdb") | {"OPENIMPACT_HOME": str(tmp_path / "pipeline")})
    serving = Serving(reader)
    assert serving.bundle is None
    rows = [{"project_id": name, "project_name": name, "display_name": name} for name in ("a", "b")]
    published = publish_rows(owner, {"projects_v1": rows})
    assert serving.refresh()
    client = TestClient(create_app(serving))
    assert client.get("/healthz").json()["release"] == published.release_id
    assert [row["project_name"] for row in client.get("/api/v1/projects").json()["data"]] == ["a", "b"]
    listed = client.get("/iceberg/v1/namespaces/oso/tables").json()["identifiers"]
    assert {"namespace": ["oso"], "name": "projects_v1"} in listed
    assert Bundle(build_bundle(reader, published.release_id)).tables.keys() == serving.bundle.tables.keys()


def test_it_can_write_neither(stores, reader):
    catalog = open_catalog(reader, "consumer")
    with pytest.raises(Exception, match="permission denied"):
        catalog.create_namespace("mine")
    target = f"{reader.warehouse_of('consumer')}/mine"
    with pytest.raises(OSError, match="(?i)denied"):
        with catalog._load_file_io(location=target).new_output(target).create() as out:
            out.write(b"x")
