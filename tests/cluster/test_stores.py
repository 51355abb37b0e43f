"""The lake on other stores than the default: any S3 by settings alone, and an Iceberg REST catalog.

One behaviour for every store, from landing to release. SeaweedFS is the S3 and, on a port of its own, the REST catalog.
"""

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from pyiceberg.utils.config import Config

from include import ingest, transform
from include.errors import FixNeeded, Unavailable
from include.lake import failures
from include.lake.catalog import open_catalog
from include.lake.duckdb_raw import Plugin
from include.lake.exports import write_export
from include.lake.landing import earliest_day_touched, replace_day, snapshots_of
from include.lake.maintenance import MOST_FILES, maintain
from include.lake.releases import content_hash, expire, list_releases, open_release_table, publish, roll_back
from include.lake.tables import ensure_table
from include.settings import load_settings
from include.sources import get_source
from include.sources.base import Window
from include.transform.runner import run_dbt
from tests.cluster.servers import HOST, Cluster, _free_ports
from tests.e2e.world import World

SCHEMA = pa.schema([("id", pa.string()), ("_day", pa.date32())])
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
TABLE_BUCKET = "tables"
REPO, PROJECTS = (1, "one/r1"), {"x": ["https://github.com/one/r1"]}


@pytest.fixture(scope="module")
def storage(tools):
    """The environment of a pipeline on S3, and what puts its lake into the REST catalog besides."""
    (port,) = _free_ports(1)
    with Cluster(tools) as running:
        server = running.start_storage(f"-s3.port.iceberg={port}", f"-tableBucket={TABLE_BUCKET}")
        env = {name: value for name, value in running.settings_env("duckdb").items() if name.startswith("AWS_")}
        rest = {
            "OPENIMPACT_LAKE_URI": f"http://{HOST}:{port}",
            "PYICEBERG_CATALOG__LAKE__OAUTH2_SERVER_URI": f"http://{HOST}:{port}/v1/oauth/tokens",
            "PYICEBERG_CATALOG__LAKE__WAREHOUSE": f"s3://{TABLE_BUCKET}",
            "PYICEBERG_CATALOG__LAKE__CREDENTIAL": f"{env['AWS_ACCESS_KEY_ID']}:{env['AWS_SECRET_ACCESS_KEY']}",
        }
        # the table bucket is made a while after the others
        token = {"grant_type": "client_credentials", "scope": "catalog"}
        token |= {"client_id": env["AWS_ACCESS_KEY_ID"], "client_secret": env["AWS_SECRET_ACCESS_KEY"]}

        def has_table_bucket() -> bool:
            answer = requests.post(rest["PYICEBERG_CATALOG__LAKE__OAUTH2_SERVER_URI"], data=token, timeout=5)
            bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            return requests.get(f"http://{HOST}:{port}/v1/{TABLE_BUCKET}/namespaces", headers=bearer, timeout=5).ok

        server.wait_ready(has_table_bucket, 60)
        yield env, rest


@pytest.fixture(params=["database", "rest"])
def settings(request, storage, tmp_path, monkeypatch):
    """Of an empty lake on S3, in the environment too: all in a database, or the lake in the REST catalog.

    Beside the REST catalog the releases' metadata is in a local folder, and their data on S3.
    """
    s3, rest = storage
    database = {"OPENIMPACT_WAREHOUSE": f"s3://lake/{request.node.originalname.replace('_', '-')}"}
    configure(monkeypatch, {"OPENIMPACT_HOME": str(tmp_path), **s3, **(rest if request.param == "rest" else database)})
    found = load_settings()
    yield found
    lake = open_catalog(found, "lake")
    for space in lake.list_namespaces():
        for table in lake.list_tables(space):
            lake.drop_table(table)
        lake.drop_namespace(space)


def configure(monkeypatch, env: dict[str, str]) -> None:
    """The environment, which PyIceberg reads once, when it is imported."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())


def land(settings, day: date, *ids: str, run_id: str = "r") -> int:
    table = ensure_table(open_catalog(settings, "lake"), "raw.x", SCHEMA, "_day")
    path = settings.home / "staged.parquet"
    pq.write_table(pa.table({"id": list(ids), "_day": [day] * len(ids)}, schema=SCHEMA), path)
    return replace_day(table, day, [path], run_id=run_id, rows=len(ids), rejected=0)


def test_days_land_and_duckdb_reads_them(settings):
    first = land(settings, MONDAY, "a", "b")
    land(settings, TUESDAY, "c")
    lake = open_catalog(settings, "lake")
    assert earliest_day_touched(lake, {"raw.x": first}) == TUESDAY
    # a day again; the answer of its commit lost, and tried once more
    again = land(settings, MONDAY, "b", "d", run_id="again")
    assert land(settings, MONDAY, "b", "d", run_id="again") == again == snapshots_of(lake)["raw.x"]
    with duckdb.connect() as db:
        Plugin("raw", {"module": ""}, None).configure_connection(db)
        assert db.execute("select id from raw.x order by id").fetchall() == [("b",), ("c",), ("d",)]


def test_what_is_kept_beside_the_data_is_found_again(settings):
    failures.record(settings, "npm", [MONDAY, TUESDAY], "npm's counts were late", "r")
    failures.forget(settings, "npm", [MONDAY])
    assert [(f.source, f.day, f.error) for f in failures.open_failures(settings)] == [
        ("npm", TUESDAY, "npm's counts were late")
    ]


def test_releases_switch_roll_back_and_expire(settings):
    lake, hashes = open_catalog(settings, "lake"), []
    for rows in ([1, 2], [4, 5, 6]):
        for name in ("one_v1", "two_v1"):
            write_export(lake, name, pa.table({"n": rows}))
        release = publish(settings, ["exports.one_v1", "exports.two_v1"], run_id="r", code_sha="c", directory_sha="d")
        hashes.append(content_hash(settings))
    oldest = list_releases(settings)[-1]
    assert len(set(hashes)) == 2 and content_hash(settings, oldest.release_id) == hashes[0]
    assert roll_back(settings, oldest.release_id).current and content_hash(settings) == hashes[0]
    roll_back(settings, release.release_id)
    assert expire(settings, keep=1) == [oldest.release_id]
    assert [tag for tag in lake.load_table("exports.one_v1").refs() if tag != "main"] == [
        f"release-{release.release_id}"
    ]
    assert open_release_table(settings, release.release_id, "two_v1").scan().to_arrow()["n"].to_pylist() == [4, 5, 6]


def test_upkeep_merges_and_expires(settings):
    land(settings, MONDAY, "a")
    lake = open_catalog(settings, "lake")
    for number in range(MOST_FILES + 1):
        row = pa.table({"id": [str(number)], "_day": [TUESDAY]}, schema=SCHEMA)
        lake.load_table("raw.x").append(row)
    done = {u.table: u for u in maintain(settings, now=datetime.now(UTC) + timedelta(days=30))}
    assert done["raw.x"].merged == MOST_FILES + 1 and done["raw.x"].snapshots > 0
    assert lake.load_table("raw.x").scan().to_arrow().num_rows == MOST_FILES + 2
    # whose files they are is known to the catalog's owner alone
    if settings.lake_uri:
        assert done["raw.x"].files == 0 and "REST catalog" in done["lake"].note
    else:
        assert done["raw.x"].files > MOST_FILES


def test_a_rest_catalog_that_refuses_or_is_away_is_told_in_a_sentence(storage, tmp_path, monkeypatch):
    s3, rest = storage
    env = {"OPENIMPACT_HOME": str(tmp_path), **s3, **rest}
    configure(monkeypatch, env | {"PYICEBERG_CATALOG__LAKE__CREDENTIAL": "owner-key:guessed"})
    with pytest.raises(FixNeeded, match="refused us") as refused:
        open_catalog(load_settings(), "lake")
    assert "guessed" not in str(refused.value)
    (nobody,) = _free_ports(1)
    configure(monkeypatch, env)
    lake = open_catalog(load_settings(), "lake")
    monkeypatch.setattr(lake, "uri", f"http://{HOST}:{nobody}")
    with pytest.raises(Unavailable, match=r"exports.x_v1 was not written and keeps its former rows. Try again"):
        write_export(lake, "x_v1", pa.table({"n": [1]}))
    configure(monkeypatch, env | {"OPENIMPACT_LAKE_URI": f"http://{HOST}:{nobody}"})
    with pytest.raises(Unavailable, match="does not answer"):
        open_catalog(load_settings(), "lake")


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["rest"], indirect=True)
def test_dbt_builds_what_a_source_landed_in_a_rest_catalog(settings, tmp_path, monkeypatch):
    world = World(tmp_path / "world", MONDAY, TUESDAY)
    world.push(f"{MONDAY} 01:00:00", REPO, [("a", "A"), ("b", "B")])
    for name, value in world.write(PROJECTS, {"k": ["x"]}).items():
        monkeypatch.setenv(name, value)
    ingest.ensure_raw_tables(settings)
    ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
    ingest.land(get_source("github_archive"), Window.of(MONDAY), settings)
    told = transform.plan(settings, "r") | {"run_id": "r", "run_day": str(TUESDAY), "sources_off": [], "vectors": []}
    arguments = ["run", "--select", "stg_github_archive__push_commits"]
    status, tail = run_dbt(settings, arguments, settings.dbt_target / "all", env={"OPENIMPACT_BUILD": json.dumps(told)})
    assert status == 0, tail
    with duckdb.connect(str(settings.duckdb_path)) as db:
        Plugin("raw", {"module": ""}, None).configure_connection(db)
        assert db.execute("select count(*) from staging.stg_github_archive__push_commits").fetchall() == [(2,)]
