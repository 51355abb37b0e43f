"""Releases: all tables at once, immutable, and never broken by what comes after."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.errors import FixNeeded, Unavailable
from include.lake import releases
from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import content_hash, expire, list_releases, open_release_table, publish, roll_back
from include.settings import load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path)})


def export(settings, *values):
    write_export(open_catalog(settings, "lake"), "a_v1", pa.table({"a": pa.array(values, pa.int64())}))
    write_export(open_catalog(settings, "lake"), "b_v1", pa.table({"b": pa.array(values, pa.int64())}))


def release(settings):
    return publish(settings, ["exports.a_v1", "exports.b_v1"], run_id="r", code_sha="c", directory_sha="d").release_id


def killed_publish(settings):
    code = (
        "from include.lake.releases import publish; from include.settings import load_settings;"
        "publish(load_settings(), ['exports.a_v1', 'exports.b_v1'], run_id='r', code_sha='c', directory_sha='d')"
    )
    env = os.environ | {"OPENIMPACT_HOME": str(settings.home), "OPENIMPACT_FAILPOINT": "before_release"}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env).returncode == 70


def tags(settings):
    refs = open_catalog(settings, "lake").load_table("exports.a_v1").refs()
    return sorted(ref for ref in refs if ref.startswith("release-"))


def values(settings, namespace="oso"):
    consumer = open_catalog(settings, "consumer")
    return [sorted(consumer.load_table(f"{namespace}.{t}_v1").scan().to_arrow()[t].to_pylist()) for t in "ab"]


def test_readers_see_a_release_and_not_what_is_being_built(settings):
    export(settings, 1)
    first = release(settings)
    export(settings, 1, 2)
    assert values(settings) == [[1], [1]]
    release(settings)
    assert values(settings) == [[1, 2], [1, 2]]
    assert values(settings, f"oso_{first}") == [[1], [1]]


def test_a_kill_before_the_switch_leaves_the_former_release(settings):
    export(settings, 1)
    first = release(settings)
    export(settings, 1, 2)
    killed_publish(settings)
    assert [r.release_id for r in list_releases(settings)] == [first]
    assert values(settings) == [[1], [1]]


def test_rolling_back_switches_every_table(settings):
    export(settings, 1)
    first = release(settings)
    export(settings, 2)
    release(settings)
    assert roll_back(settings, first).current
    assert values(settings) == [[1], [1]]


def test_a_retained_release_survives_overwrites_and_expired_snapshots(settings):
    export(settings, 1)
    first = release(settings)
    before = content_hash(settings, first)
    for n in range(3):
        export(settings, n)
    lake = open_catalog(settings, "lake")
    for name in ("a_v1", "b_v1"):
        table = lake.load_table(f"exports.{name}")
        table.maintenance.expire_snapshots().older_than(datetime.now(UTC) + timedelta(days=1)).commit()
    assert content_hash(settings, first) == before
    assert values(settings, f"oso_{first}") == [[1], [1]]


def test_expiry_keeps_the_newest_and_the_current_one(settings):
    made = []
    for n in range(4):
        export(settings, n)
        made.append(release(settings))
    roll_back(settings, made[0])
    assert expire(settings, keep=1) == [made[2], made[1]]
    assert [r.release_id for r in list_releases(settings)] == [made[3], made[0]]
    assert values(settings) == [[0], [0]] and values(settings, f"oso_{made[3]}") == [[3], [3]]


def test_the_hash_leaves_out_when_and_by_which_run(settings):
    lake, hashes = open_catalog(settings, "lake"), []
    for run in ("r1", "r2"):
        write_export(lake, "a_v1", pa.table({"a": [1, 2], "run_id": [run, run]}))
        publish(settings, ["exports.a_v1"], run_id=run, code_sha="c", directory_sha="d")
        hashes.append(content_hash(settings))
    write_export(lake, "a_v1", pa.table({"a": [1, 3], "run_id": ["r3", "r3"]}))
    publish(settings, ["exports.a_v1"], run_id="r3", code_sha="c", directory_sha="d")
    assert hashes[0] == hashes[1] != content_hash(settings)


def test_a_release_lists_itself_and_its_tables(settings):
    export(settings, 1, 2)
    made = release(settings)
    (row,) = open_release_table(settings, made, "releases_v1").scan().to_arrow().to_pylist()
    assert row["release_id"] == made
    assert [(t["name"], t["rows"]) for t in row["tables"]] == [("a_v1", 2), ("b_v1", 2)]


def test_an_unknown_release_is_told_with_the_known_ones(settings):
    export(settings, 1)
    made = release(settings)
    with pytest.raises(FixNeeded, match=f"no release 'x'. Retained releases: {made}"):
        roll_back(settings, "x")


def test_an_export_rewritten_during_a_publish_is_not_released(settings, monkeypatch):
    export(settings, 1)
    first = release(settings)
    real = releases.write_export

    def rewrite_first(*args):
        export(settings, 1, 2, 3)
        return real(*args)

    monkeypatch.setattr(releases, "write_export", rewrite_first)
    with pytest.raises(Unavailable, match=r"exports\.a_v1 was rewritten while it was being released"):
        release(settings)
    assert [r.release_id for r in list_releases(settings)] == [first]
    assert values(settings) == [[1], [1]]


def test_a_release_made_current_during_expiry_stays(settings, monkeypatch):
    made = []
    for n in range(3):
        export(settings, n)
        made.append(release(settings))
    seen = list_releases(settings)
    roll_back(settings, made[0])
    monkeypatch.setattr(releases, "list_releases", lambda _: seen)
    assert expire(settings, keep=1) == [made[1]]
    assert values(settings) == [[0], [0]]


def test_expiry_removes_the_tags_of_a_killed_publish_once_they_are_old(settings, monkeypatch):
    export(settings, 1)
    first = release(settings)
    killed_publish(settings)
    assert len(tags(settings)) == 2
    expire(settings, keep=1)
    assert len(tags(settings)) == 2  # it may still be running
    monkeypatch.setattr(releases, "ORPHAN_AFTER", timedelta())
    expire(settings, keep=1)
    assert tags(settings) == [f"release-{first}"]
    assert values(settings) == [[1], [1]]


def test_a_release_expires_though_an_export_of_it_is_gone(settings):
    made = []
    for n in range(2):
        export(settings, n)
        made.append(release(settings))
    open_catalog(settings, "lake").drop_table("exports.b_v1")
    assert expire(settings, keep=1) == [made[0]]
    assert [r.release_id for r in list_releases(settings)] == [made[1]]
