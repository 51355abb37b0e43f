"""The Iceberg REST catalog by a real client: it reads what was released and can write nothing, not even a file."""

import sqlite3

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, ServiceUnavailableError
from pyiceberg.expressions import EqualTo

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import open_release_table
from include.lake.tables import ensure_table

REFUSED = "Unrecognized filesystem type in URI: read-only|Server does not support endpoint"


@pytest.fixture(scope="module")
def raw(world):
    """A raw table of the lake with one row."""
    lake = open_catalog(world.settings, "lake")
    lake.create_namespace_if_not_exists("raw")
    rows = pa.table({"id": pa.array([7], pa.int64())})
    ensure_table(lake, "raw.things__seen", rows.schema).append(rows)
    return "raw.things__seen"


@pytest.fixture
def catalog(address, raw):
    return load_catalog("there", type="rest", uri=f"{address}/iceberg")


def files(world):
    """Every file of the home's warehouses, with its size and time of change."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in ("lake", "consumer")
        for path in (world.settings.home / folder).rglob("*")
        if path.is_file()
    }


def test_it_lists_the_releases_and_the_raw_tables_and_nothing_else(catalog, world):
    pinned = f"oso_{world.release.release_id}"
    assert sorted(catalog.list_namespaces()) == [("oso",), (pinned,), ("raw",)]
    assert catalog.load_namespace_properties("oso") == {
        "release_id": world.release.release_id,
        "published_at": world.release.published_at.isoformat(),
    }
    assert ("oso", "projects_v1") in catalog.list_tables("oso")
    assert len(catalog.list_tables(pinned)) == len(world.release.tables) + 1
    assert catalog.list_tables("raw") == [("raw", "things__seen")]
    assert catalog.table_exists("oso.projects_v1") and not catalog.table_exists("oso.nothing")


def test_a_scan_is_what_was_released_and_stays_so_when_the_lake_goes_on(catalog, world):
    released = open_release_table(world.settings, world.release.release_id, "projects_v1").scan().to_arrow()
    assert released.num_rows == 3
    lake = open_catalog(world.settings, "lake")
    write_export(lake, "projects_v1", released.slice(0, 1))
    for namespace in ("oso", f"oso_{world.release.release_id}"):
        assert catalog.load_table(f"{namespace}.projects_v1").scan().to_arrow().equals(released)
    names = catalog.load_table("oso.projects_v1").scan(EqualTo("project_id", "p2"), ("project_name",)).to_arrow()
    assert names.to_pylist() == [{"project_name": "beta"}]
    assert catalog.load_table("raw.things__seen").scan().to_arrow().to_pylist() == [{"id": 7}]


@pytest.mark.parametrize("name", ["oso.projects_v1", "raw.things__seen"])
def test_every_write_is_refused_and_no_file_is_new_or_changed(catalog, world, name):
    table = catalog.load_table(name)
    rows = table.scan().to_arrow()
    key = rows.schema.names[0]
    value = rows.column(0)[0].as_py()
    new = rows.slice(0, 1).set_column(0, rows.schema.field(0), pa.array([value * 2], rows.schema.types[0]))
    (data_file,) = table.inspect.files().column("file_path").to_pylist()
    writes = {
        "append": lambda: table.append(rows),
        "overwrite": lambda: table.overwrite(rows),
        "overwrite some": lambda: table.overwrite(rows, overwrite_filter=EqualTo(key, value)),
        "delete": lambda: table.delete(EqualTo(key, value)),
        "upsert": lambda: table.upsert(new, join_cols=[key]),
        "add files": lambda: table.add_files([data_file], check_duplicate_files=False),
        "a column": lambda: table.update_schema().add_column("more", table.schema().fields[0].field_type).commit(),
        "a property": lambda: table.transaction().set_properties(a="b").commit_transaction(),
        "a tag": lambda: table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "t").commit(),
        "drop": lambda: catalog.drop_table(name),
        "purge": lambda: catalog.purge_table(name),
        "rename": lambda: catalog.rename_table(name, "oso.other"),
        "create": lambda: catalog.create_table("oso.new", table.schema()),
        "register": lambda: catalog.register_table("oso.new", table.metadata_location),
        "a namespace": lambda: catalog.create_namespace("new"),
        "drop a namespace": lambda: catalog.drop_namespace("oso"),
    }
    before = files(world)
    for what, write in writes.items():
        with pytest.raises((ValueError, NotImplementedError), match=REFUSED):
            write()
        assert files(world) == before, f"{what} left files"
    assert catalog.load_table(name).scan().to_arrow().equals(rows)


def test_a_table_is_shown_with_its_one_snapshot_and_no_place_to_write(world, raw):
    answer = world.client.get("/iceberg/v1/namespaces/oso/tables/projects_v1").json()
    metadata = answer["metadata"]
    (snapshot,) = metadata["snapshots"]
    assert snapshot["snapshot-id"] == metadata["current-snapshot-id"] == metadata["refs"]["main"]["snapshot-id"]
    assert list(metadata["refs"]) == ["main"]
    assert metadata["location"] == "read-only://openimpact/oso/projects_v1"
    assert answer["config"] == {}
    head = world.client.head("/iceberg/v1/namespaces/oso/tables/projects_v1")
    assert (head.status_code, head.content) == (200, b"")


def test_what_is_not_there_or_not_published_is_named_as_iceberg_names_it(catalog, world):
    with pytest.raises(NoSuchTableError, match=r"no table oso\.nothing"):
        catalog.load_table("oso.nothing")
    for unpublished in ("exports", "staging", "oso_1", "osox"):
        with pytest.raises((NoSuchNamespaceError, NoSuchTableError)):
            catalog.load_table(f"{unpublished}.projects_v1")
        with pytest.raises(NoSuchNamespaceError):
            catalog.load_namespace_properties(unpublished)
    config = world.client.get("/iceberg/v1/config").json()
    assert config["endpoints"] == [
        "GET /v1/{prefix}/namespaces",
        "GET /v1/{prefix}/namespaces/{namespace}",
        "GET /v1/{prefix}/namespaces/{namespace}/tables",
        "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
        "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    ]
    posted = world.client.post("/iceberg/v1/namespaces/oso/tables", json={})
    assert (posted.status_code, posted.json()["error"]["message"]) == (405, "This catalog is read-only.")
    assert world.client.get("/iceberg/v2/config").json()["error"]["type"] == "NotFoundException"


def test_while_the_catalog_is_away_it_says_so_and_the_release_is_still_served(catalog, world, monkeypatch):
    database = world.settings.home / "catalog.db"
    moved = database.rename(database.with_suffix(".away"))
    database.mkdir()  # no database can be opened or made there
    try:
        with pytest.raises(ServiceUnavailableError, match="The catalog does not answer now"):
            catalog.load_table("oso.projects_v1")
        assert world.oso("{ oso_projectsV1 { projectName } }")["data"]
    finally:
        database.rmdir()
        moved.rename(database)
    with sqlite3.connect(database) as db:
        assert db.execute("select count(*) from iceberg_tables").fetchone()[0]
