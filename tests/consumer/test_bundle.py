"""A bundle is a release, whole and sorted, or nothing."""

import json
import shutil
import sqlite3

import duckdb
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.bundle import Bundle, build_bundle
from consumer.serving import Serving
from include.errors import FixNeeded, SuspectData
from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import publish
from include.settings import load_settings
from tests.consumer.releases import CONTRACTS, publish_rows


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


def projects(*names):
    return {"projects_v1": [{"project_id": name, "project_name": name} for name in names]}


def names(bundle):
    return [row["project_name"] for row in bundle.rows("select project_name from oso.projects_v1")]


def test_a_bundle_has_every_table_of_the_release_sorted_with_its_description(settings):
    series = [
        {"metric_id": metric, "project_id": project, "amount": amount}
        for metric, project, amount in [("m2", "a", 4.0), ("m1", "b", 1.0), ("m1", "a", 3.0)]
    ]
    published = publish_rows(settings, projects("b", "a") | {"key_metrics_by_project_v1": series})
    bundle = Bundle(build_bundle(settings))
    assert bundle.release_id == published.release_id and bundle.published_at == published.published_at
    assert {name: [c.name for c in t.columns] for name, t in bundle.tables.items()} == {
        name: list(contract["columns"]) for name, contract in CONTRACTS.items()
    }
    assert names(bundle) == ["a", "b"]
    found = bundle.rows("select project_id, metric_id, amount from oso.key_metrics_by_project_v1")
    assert [tuple(row.values()) for row in found] == [("a", "m1", 3.0), ("a", "m2", 4.0), ("b", "m1", 1.0)]
    column = next(c for c in bundle.tables["key_metrics_by_project_v1"].columns if c.name == "project_id")
    assert (column.type, column.nullable, column.references) == ("varchar", False, "projects_v1")
    assert column.description.startswith("Id of the project")
    assert bundle.tables["key_metrics_by_project_v1"].key == ("metric_id", "project_id")


def test_a_bundle_cannot_be_written_nor_reach_outside(settings, tmp_path):
    publish_rows(settings, projects("a"))
    bundle = Bundle(build_bundle(settings))
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for sql in (
        "delete from oso.projects_v1",
        f"select * from read_csv('{tmp_path}/secret.csv')",
        f"copy oso.projects_v1 to '{tmp_path}/out.csv'",
        f"attach '{tmp_path}/other.duckdb'",
        "set enable_external_access = true",
        "install httpfs",
        "load httpfs",
    ):
        with pytest.raises(duckdb.Error):
            bundle.rows(sql)
    assert not (tmp_path / "out.csv").exists() and not (tmp_path / "other.duckdb").exists()


def test_a_release_without_a_dictionary_is_refused(settings):
    publish_rows(settings, {})
    publish(settings, ["exports.projects_v1"], run_id="r", code_sha="c", directory_sha="d")
    with pytest.raises(FixNeeded, match="has no columns_v1"):
        build_bundle(settings)


@pytest.mark.parametrize("file", ["consumer.duckdb", "cards"])
def test_a_changed_byte_is_refused_and_the_release_before_stays(settings, file):
    publish_rows(settings, projects("a"))
    serving = Serving(settings)
    publish_rows(settings, projects("a", "b"))
    folder = build_bundle(settings)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(SuspectData, match="its checksum differs"):
        Bundle(folder)
    assert not serving.refresh()
    assert names(serving.bundle) == ["a"] and "checksum differs" in serving.error
    assert serving.refresh() and serving.error is None
    assert names(serving.bundle) == ["a", "b"]


def test_a_bundle_may_be_opened_twice(settings):
    publish_rows(settings, projects("a"))
    folder = build_bundle(settings)
    assert names(Bundle(folder)) == names(Bundle(folder)) == ["a"]
    both = [Bundle(folder), Bundle(folder)]
    assert [bundle.rows("select current_setting('timezone') as zone") for bundle in both] == [[{"zone": "UTC"}]] * 2


def test_a_bundle_without_its_cards_or_of_another_format_is_refused(settings):
    publish_rows(settings, projects("a"))
    folder = build_bundle(settings)
    (folder / "cards").unlink()
    with pytest.raises(SuspectData, match="cards is not the file that was built"):
        Bundle(folder)
    facts = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(facts | {"format": 0}))
    with pytest.raises(SuspectData, match="has format 0 and this is 3"):
        Bundle(folder)
    assert names(Serving(settings).bundle) == ["a"]  # built anew at once, as after an upgrade


def test_a_swap_leaves_who_reads_the_old_one_and_keeps_it_until_the_next(settings):
    first = publish_rows(settings, projects("a")).release_id
    serving = Serving(settings)
    reader = serving.bundle
    second = publish_rows(settings, projects("b")).release_id
    assert serving.refresh() and not serving.refresh()
    assert (names(reader), names(serving.bundle)) == (["a"], ["b"])
    third = publish_rows(settings, projects("c")).release_id
    serving.refresh()
    assert {path.name for path in (settings.home / "bundles").glob("*/")} == {second, third}
    assert names(reader) == ["a"] and first


def test_it_serves_what_it_served_when_everything_else_is_gone(settings):
    publish_rows(settings, projects("a"))
    Serving(settings).close()
    for gone in ("lake", "consumer"):
        shutil.rmtree(settings.home / gone)
    with sqlite3.connect(settings.home / "catalog.db") as db:
        db.execute("drop table iceberg_tables")
        db.execute("drop table iceberg_namespace_properties")
    serving = Serving(settings)
    assert names(serving.bundle) == ["a"] and serving.error


def test_a_release_that_cannot_be_opened_is_told_until_one_can(settings):
    write_export(open_catalog(settings, "lake"), "projects_v1", pa.table({"a": [1]}))
    publish(settings, ["exports.projects_v1"], run_id="r", code_sha="c", directory_sha="d")
    serving = Serving(settings)
    assert serving.bundle is None and "has no columns_v1" in serving.error
    client = TestClient(create_app(serving))
    assert client.get("/healthz").json() == {"release": None, "published_at": None, "following": False}
    refused = client.get("/api/v1/projects")
    assert refused.status_code == 503 and refused.json()["detail"].startswith("No release can be opened now")


def test_the_release_before_stays_through_a_restart_at_the_new_one(settings):
    first = publish_rows(settings, projects("a")).release_id
    Serving(settings)
    second = publish_rows(settings, projects("b")).release_id
    restarted = Serving(settings)
    assert names(restarted.bundle) == ["b"]
    assert restarted.pin(first).release_id == first
    assert {path.name for path in (settings.home / "bundles").glob("*/")} == {first, second}
