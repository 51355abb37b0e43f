"""The upkeep of the lake: smaller afterwards, and every row and every retained release as before."""

import math
import multiprocessing
import os
import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.transforms import MonthTransform

from include.errors import FixNeeded
from include.failpoints import EXIT_CODE
from include.lake import maintenance
from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.landing import earliest_day_touched, replace_day, snapshots_of
from include.lake.maintenance import MOST_FILES, Upkeep, compact, describe, expire_snapshots, maintain, remove_orphans
from include.lake.releases import content_hash, expire, list_releases, publish
from include.lake.tables import ensure_table
from include.settings import load_settings

ROOT = Path(__file__).parents[2]
SCHEMA = pa.schema([("id", pa.string()), ("_day", pa.date32())])
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
LATER = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
def settings(tmp_path):
    return load_settings({"OPENIMPACT_HOME": str(tmp_path / "home")})


@pytest.fixture
def lake(settings):
    return open_catalog(settings, "lake")


def land(settings, day, *ids, run="r"):
    table = ensure_table(open_catalog(settings, "lake"), "raw.x", SCHEMA, "_day")
    path = settings.home / f"{run}.parquet"
    pq.write_table(pa.table({"id": list(ids), "_day": [day] * len(ids)}, schema=SCHEMA), path)
    return replace_day(table, day, [path] if ids else [], run_id=run, rows=len(ids), rejected=0)


def scatter(table, day, count):
    """As many files of one row each."""
    for number in range(count):
        table.append(pa.table({"id": [f"{day}-{number}"], "_day": [day]}, schema=SCHEMA))


def ids(lake, name="raw.x"):
    return sorted(lake.load_table(name).scan().to_arrow()["id"].to_pylist())


def files(lake, name="raw.x"):
    return [task.file.file_path for task in lake.load_table(name).scan().plan_files()]


def release(settings, *values, names=("a_v1", "b_v1")):
    """Rewrites the exports and publishes them."""
    lake = open_catalog(settings, "lake")
    for name in names:
        write_export(lake, name, pa.table({"name": [name] * len(values), "n": list(values)}))
    tables = [f"exports.{name}" for name in names]
    return publish(settings, tables, run_id="r", code_sha="c", directory_sha="d").release_id


def on_disk(settings):
    """Size of every file of both warehouses."""
    roots = (settings.home / "lake", settings.home / "consumer")
    return {p: p.stat().st_size for root in roots for p in root.rglob("*") if p.is_file()}


def age(settings, days=10):
    """Makes every file of the warehouses old."""
    moment = time.time() - days * 86_400
    for path in on_disk(settings):
        os.utime(path, (moment, moment))


def hashes(settings):
    return {r.release_id: content_hash(settings, r.release_id) for r in list_releases(settings)}


def read_every_snapshot(lake):
    """Fails if a file of a snapshot that is kept is gone."""
    for name in [*lake.list_tables("raw"), *lake.list_tables("exports")]:
        table = lake.load_table(name)
        for snapshot in table.snapshots():
            table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()


def test_the_many_small_files_of_a_day_become_one_with_the_same_rows(settings, lake):
    table = ensure_table(lake, "raw.x", SCHEMA, "_day")
    scatter(table, MONDAY, MOST_FILES + 1)
    scatter(table, TUESDAY, MOST_FILES)
    before, recorded = ids(lake), snapshots_of(lake)
    assert compact(settings) == [Upkeep(table="raw.x", merged=MOST_FILES + 1, into=1)]
    assert ids(lake) == before and len(files(lake)) == 1 + MOST_FILES
    assert earliest_day_touched(lake, recorded) is None
    assert compact(settings) == []


def test_a_day_landed_after_a_compaction_is_what_the_next_build_finds(settings, lake):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), MONDAY, MOST_FILES + 1)
    recorded = snapshots_of(lake)
    land(settings, TUESDAY, "new")
    compact(settings)
    assert earliest_day_touched(lake, recorded) == TUESDAY


def test_the_files_of_a_month_are_merged_whatever_a_value_is(settings, lake):
    schema = pa.schema([("id", pa.string()), ("day", pa.date32()), ("n", pa.float64()), ("l", pa.list_(pa.string()))])
    table = ensure_table(lake, "exports.long_v1", schema, "day", MonthTransform())
    rows = [(math.nan, ["x", None]), (None, None), (0.5, [])]
    for number in range(MOST_FILES + 1):
        n, tags = rows[number % 3]
        row = {"id": [str(number)], "day": [date(2026, 1, 1 + number)], "n": [n], "l": [tags]}
        table.append(pa.table(row, schema=schema))
    before = table.scan().to_arrow().sort_by("id").to_pylist()
    assert compact(settings) == [Upkeep(table="exports.long_v1", merged=MOST_FILES + 1, into=1)]
    assert str(lake.load_table("exports.long_v1").scan().to_arrow().sort_by("id").to_pylist()) == str(before)


def test_a_merged_file_that_reads_other_rows_is_dropped(settings, lake, monkeypatch):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), MONDAY, MOST_FILES + 1)
    real = pq.write_table
    monkeypatch.setattr(maintenance.pq, "write_table", lambda rows, *a, **k: real(rows.slice(1), *a, **k))
    before = ids(lake)
    with pytest.raises(maintenance.SuspectData, match=r"merged file of raw\.x reads other rows than its 9 parts"):
        compact(settings)
    assert ids(lake) == before


def land_before_commit(settings, monkeypatch, *days):
    """Lets these days be landed when the merged file is there and not yet committed."""
    real = maintenance.copy_into

    def land_first(*arguments):
        for day, found in days:
            land(settings, day, *found)
        return real(*arguments)

    monkeypatch.setattr(maintenance, "copy_into", land_first)


def test_a_table_that_is_landed_into_meanwhile_keeps_its_small_files_and_the_landing(settings, lake, monkeypatch):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), MONDAY, MOST_FILES + 1)
    land_before_commit(settings, monkeypatch, (MONDAY, []), (TUESDAY, ["new"]))
    (done,) = compact(settings)
    assert done.merged == 0 and "Other writers came first" in done.note
    assert ids(lake) == ["new"]


def test_what_a_landing_of_another_day_came_before_is_merged_the_next_time(settings, lake, monkeypatch):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), MONDAY, MOST_FILES + 1)
    before = ids(lake)
    with monkeypatch.context() as patch:
        land_before_commit(settings, patch, (TUESDAY, ["new"]))
        assert [done.merged for done in compact(settings)] == [0]
    assert compact(settings) == [Upkeep(table="raw.x", merged=MOST_FILES + 1, into=1)]
    assert ids(lake) == [*before, "new"] and len(files(lake)) == 2


def test_old_snapshots_expire_but_for_what_a_build_read_and_all_after_it(settings, lake):
    made = [land(settings, MONDAY, str(n), run=f"r{n}") for n in range(6)]
    lake.update_namespace_properties("raw", updates={"built.duckdb.raw.x": str(made[2])})
    assert expire_snapshots(settings) == []  # all of them are of today
    (done,) = expire_snapshots(settings, now=LATER)
    left = {s.snapshot_id for s in lake.load_table("raw.x").snapshots()}
    assert {s for s in made if s in left} == set(made[2:]) and done.snapshots > 0
    assert earliest_day_touched(lake, {"raw.x": made[2]}) == MONDAY
    age(settings)
    maintain(settings, now=LATER)
    assert lake.load_table("raw.x").scan(snapshot_id=made[2]).to_arrow()["id"].to_pylist() == ["2"]
    assert ids(lake) == ["5"]


def test_what_was_current_when_the_days_kept_began_stays(settings, lake, monkeypatch):
    first, second = land(settings, MONDAY, "a"), land(settings, MONDAY, "b", run="r2")
    monkeypatch.setattr(maintenance, "KEEP_SNAPSHOTS", timedelta())
    table = lake.load_table("raw.x")
    replaced = table.snapshot_by_id(table.snapshot_by_id(second).parent_snapshot_id)  # the delete half of the landing
    moment = datetime.fromtimestamp(replaced.timestamp_ms / 1000, UTC)
    expire_snapshots(settings, now=moment)  # a build may have pinned the first
    assert first in {s.snapshot_id for s in lake.load_table("raw.x").snapshots()}
    expire_snapshots(settings, now=moment + timedelta(seconds=1))
    assert first not in {s.snapshot_id for s in lake.load_table("raw.x").snapshots()}


def test_what_nothing_refers_to_is_removed_once_it_is_old_and_the_numbers_are_true(settings, lake):
    land(settings, MONDAY, "a")
    first = release(settings, 1)
    for folder in ("lake/raw/x/data", "lake/raw/gone/metadata", f"consumer/{first}/a_v1/metadata", "lake/notes"):
        (settings.home / folder).mkdir(parents=True, exist_ok=True)
        (settings.home / folder / "stray.parquet").write_bytes(b"x" * 1000)
    assert remove_orphans(settings) == []  # too young to judge
    before = on_disk(settings)
    promised = maintain(settings, dry_run=True, now=LATER)
    assert on_disk(settings) == before
    done = maintain(settings, now=LATER)
    gone = {path: size for path, size in before.items() if path not in on_disk(settings)}
    assert {p.relative_to(settings.home).parent.as_posix() for p in gone if p.name == "stray.parquet"} == {
        "lake/raw/x/data",
        "lake/raw/gone/metadata",
        f"consumer/{first}/a_v1/metadata",
    }
    assert sum(u.files for u in done) == len(gone) and sum(u.bytes for u in done) == sum(gone.values())
    assert {(u.table, u.files, u.bytes) for u in promised} == {(u.table, u.files, u.bytes) for u in done}
    assert "raw.x" in describe(done) and describe(done).splitlines()[-1].startswith("total")
    assert ids(lake) == ["a"]


def test_a_release_outlives_the_table_it_points_at(settings, lake):
    release(settings, 1, 2, 3)
    before = hashes(settings)
    lake.drop_table("exports.b_v1")
    maintain(settings, now=LATER)
    assert hashes(settings) == before


def test_an_expired_release_frees_its_rows(settings):
    release(settings, *range(50_000))
    release(settings, 1)
    before = on_disk(settings)
    maintain(settings, now=LATER)
    assert set(before) <= set(on_disk(settings)) | {p for p in before if p.suffix != ".parquet"}  # still retained
    expire(settings, keep=1)
    maintain(settings, now=LATER)
    assert sum(on_disk(settings).values()) < sum(before.values()) / 2


def test_a_warehouse_that_was_moved_is_not_touched(settings, tmp_path):
    release(settings, 1)
    settings.home.rename(tmp_path / "elsewhere")
    moved = load_settings({"OPENIMPACT_HOME": str(tmp_path / "elsewhere")})
    before = on_disk(moved)
    with pytest.raises(FixNeeded, match="not in the warehouse .*elsewhere.*Nothing was removed"):
        remove_orphans(moved, now=LATER)
    assert on_disk(moved) == before


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_every_retained_release_reads_the_same(settings, lake, seed):
    dice, known, rows = random.Random(seed), {}, {}
    for step in range(25):
        action = dice.choice(["land", "release", "release", "expire", "scatter", "maintain", "build"])
        day = MONDAY + timedelta(days=dice.randrange(3))
        if action == "land":
            rows[day] = [f"{step}-{n}" for n in range(dice.randrange(3))]
            land(settings, day, *rows[day], run=f"r{step}")
        elif action == "scatter":
            scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), day, dice.choice([1, MOST_FILES + 1]))
            rows[day] = sorted(i for i in ids(lake) if i.startswith(str(day)) or i in rows.get(day, ()))
        elif action == "release":
            made = release(settings, *[dice.random() for _ in range(dice.randrange(1, 5))])
            known[made] = content_hash(settings, made)
        elif action == "expire" and known:
            for gone in expire(settings, keep=dice.randrange(1, 4)):
                del known[gone]
        elif action == "build":
            built = {f"built.duckdb.{name}": str(snapshot) for name, snapshot in snapshots_of(lake).items()}
            if built:
                lake.update_namespace_properties("raw", updates=built)
        elif action == "maintain":
            maintain(settings, now=LATER)
        assert hashes(settings) == known, (step, action)
        if rows:
            assert ids(lake) == sorted(i for found in rows.values() for i in found), (step, action)
    maintain(settings, now=LATER)
    assert hashes(settings) == known
    read_every_snapshot(lake)
    assert maintain(settings, now=LATER) == []


def _land_days(home, days, done):
    settings = load_settings({"OPENIMPACT_HOME": home})
    for number in range(days):
        land(settings, MONDAY + timedelta(days=number), f"d{number}", run=f"r{number}")
    done.set()


def test_a_landing_at_the_same_time_is_not_harmed(settings, lake, monkeypatch):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), date(2025, 1, 1), MOST_FILES + 1)
    made = release(settings, 1)
    release(settings, 2)
    age(settings)
    monkeypatch.setattr(maintenance, "KEEP_SNAPSHOTS", timedelta())
    before, spawn = content_hash(settings, made), multiprocessing.get_context("spawn")
    done = spawn.Event()
    landing = spawn.Process(target=_land_days, args=(str(settings.home), 30, done))
    landing.start()
    upkeep = []
    while not done.is_set() and landing.exitcode is None:
        upkeep += maintain(settings)
    landing.join(60)
    assert landing.exitcode == 0
    upkeep += maintain(settings)
    assert {i for i in ids(lake) if i.startswith("d")} == {f"d{n}" for n in range(30)}
    assert len(ids(lake)) == 30 + MOST_FILES + 1
    assert content_hash(settings, made) == before
    assert sum(u.files for u in upkeep) > 0 and sum(u.snapshots for u in upkeep) > 0


@pytest.mark.parametrize("place", ["compaction_copied", "orphan_removed"])
def test_a_kill_in_the_middle_leaves_the_lake_readable_and_the_next_run_finishes(settings, lake, place):
    scatter(ensure_table(lake, "raw.x", SCHEMA, "_day"), MONDAY, MOST_FILES + 1)
    for n in range(3):
        release(settings, n)
    for n in range(3):
        (settings.home / "lake" / "raw" / "x" / "data" / f"stray{n}.parquet").write_bytes(b"x")
    age(settings)
    before, rows = hashes(settings), ids(lake)
    command = [sys.executable, "-m", "include", "maintain"]
    env = os.environ | {"OPENIMPACT_HOME": str(settings.home), "OPENIMPACT_FAILPOINT": place}
    assert subprocess.run(command, env=env, cwd=ROOT).returncode == EXIT_CODE
    assert hashes(settings) == before and ids(lake) == rows
    del env["OPENIMPACT_FAILPOINT"]
    shown = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0 and "total" in shown.stdout, shown.stderr
    assert hashes(settings) == before and ids(lake) == rows
    assert not list(settings.home.rglob("stray*"))
