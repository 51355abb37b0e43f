"""The settings: defaults are the embedded profile, mistakes are sentences, nothing secret shows."""

import re
from pathlib import Path

import pytest

from include.errors import FixNeeded
from include.settings import load_settings

ROOT = Path(__file__).parents[2]


def test_the_defaults_are_the_embedded_profile(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    assert settings.engine == "duckdb"
    assert settings.catalog_uri == f"sqlite:///{tmp_path}/catalog.db"
    assert settings.warehouse_of("lake") == f"file://{tmp_path}/lake"


def test_an_unknown_engine_is_told_with_the_known_ones():
    with pytest.raises(FixNeeded, match=r"'spark'; set it to one of duckdb, trino"):
        load_settings({"OPENIMPACT_ENGINE": "spark"})


def test_a_warehouse_must_be_a_uri():
    with pytest.raises(FixNeeded, match="write a URI"):
        load_settings({"OPENIMPACT_WAREHOUSE": "/data"})


@pytest.mark.parametrize(
    "env, told",
    [
        ({"OPENIMPACT_CATALOG_URI": "https://catalog.example"}, "one transaction of a database.*OPENIMPACT_LAKE_URI"),
        ({"OPENIMPACT_LAKE_URI": "sqlite:///lake.db"}, r"is not http\(s\)"),
        ({"OPENIMPACT_LAKE_URI": "https://catalog.example", "OPENIMPACT_ENGINE": "trino"}, "build from another lake"),
    ],
)
def test_a_rest_catalog_where_it_cannot_work_is_refused(env, told):
    with pytest.raises(FixNeeded, match=told):
        load_settings(env)


def test_storage_is_any_s3_by_the_standard_names():
    keys = {"AWS_ENDPOINT_URL": "https://s3.example", "AWS_ACCESS_KEY_ID": "a", "AWS_SESSION_TOKEN": "t"}
    given = {"s3.endpoint": "https://s3.example", "s3.access-key-id": "a", "s3.session-token": "t"}
    assert load_settings({"OPENIMPACT_WAREHOUSE": "s3://b/wh", **keys}).storage == given
    assert load_settings({"OPENIMPACT_LAKE_URI": "https://catalog.example", **keys}).storage == given
    assert load_settings(keys).storage == {}


def test_secrets_do_not_show_in_the_repr():
    settings = load_settings(
        {
            "OPENIMPACT_CATALOG_URI": "postgresql+psycopg2://me:hunter2@db/catalog",
            "OPENIMPACT_WAREHOUSE": "s3://lake/wh",
            "AWS_SECRET_ACCESS_KEY": "topsecret",
        }
    )
    assert "hunter2" not in repr(settings) and "topsecret" not in repr(settings)
    assert settings.storage["s3.secret-access-key"] == "topsecret"


def test_every_setting_the_code_reads_is_in_the_example():
    read = set()
    for folder in ("include", "dbt", "dags"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yml"):
                read |= set(re.findall(r"""["'](OPENIMPACT_[A-Z_]+|TRINO_[A-Z]+)["']""", path.read_text()))
    known = (ROOT / ".env.example").read_text()
    # the fault tests' switch; the commit of the image; what dbt is told of the plan and, for its docs, of the metrics
    internal = {"OPENIMPACT_FAILPOINT", "OPENIMPACT_CODE_SHA", "OPENIMPACT_BUILD", "OPENIMPACT_METRICS"}
    assert sorted(name for name in read - internal if name not in known) == []


def test_the_consumers_trino_is_an_address_with_the_key_that_signs(tmp_path):
    address = {"OPENIMPACT_CONSUMER_TRINO": "https://trino.example:8443"}
    with pytest.raises(FixNeeded, match="_KEY_FILE is not: name the file of jwt.key"):
        load_settings(address)
    with pytest.raises(FixNeeded, match="there is no such file"):
        load_settings(address | {"OPENIMPACT_CONSUMER_TRINO_KEY_FILE": str(tmp_path / "jwt.key")})
    with pytest.raises(FixNeeded, match=r"is not http\(s\)"):
        load_settings({"OPENIMPACT_CONSUMER_TRINO": "trino.example:8443"})
    (tmp_path / "jwt.key").write_text("x")
    settings = load_settings(address | {"OPENIMPACT_CONSUMER_TRINO_KEY_FILE": str(tmp_path / "jwt.key")})
    assert settings.consumer_trino_key == tmp_path / "jwt.key" and load_settings({}).consumer_trino is None
