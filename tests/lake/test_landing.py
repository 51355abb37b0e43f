"""The landing of a day: whole, once, whatever goes wrong."""

import errno
import multiprocessing
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import ContractBroken, FixNeeded, SuspectData
from include.lake.catalog import open_catalog
from include.lake.landing import EVERYTHING, earliest_day_touched, replace_day, snapshots_of
from include.lake.tables import ensure_table
from include.settings import load_settings

SCHEMA = pa.schema([("id", pa.string()), ("_day", pa.date32())])
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def catalog(tmp_path):
    return open_catalog(load_settings({"OPENIMPACT_HOME": str(tmp_path)}), "lake")


@pytest.fixture
def table(catalog):
    return ensure_table(catalog, "raw.x", SCHEMA, "_day")


def staged(tmp_path, day, *ids):
    path = tmp_path / f"{day}-{len(ids)}.parquet"
    pq.write_table(pa.table({"id": list(ids), "_day": [day] * len(ids)}, schema=SCHEMA), path)
    return path


def land(table, tmp_path, day, *ids, run="r1"):
    return replace_day(table, day, [staged(tmp_path, day, *ids)], run_id=run, rows=len(ids), rejected=0)


def ids(catalog):
    return sorted(catalog.load_table("raw.x").scan().to_arrow()["id"].to_pylist())


def test_a_day_landed_again_is_replaced_and_its_neighbour_stays(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a", "b")
    land(table, tmp_path, TUESDAY, "c")
    land(table, tmp_path, MONDAY, "d", run="r2")
    assert ids(catalog) == ["c", "d"]


def test_an_empty_day_after_a_full_one_clears_it(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a")
    replace_day(table, MONDAY, [], run_id="r2", rows=0, rejected=0)
    assert ids(catalog) == []


def test_a_commit_whose_answer_was_lost_is_not_repeated(catalog, table, tmp_path):
    first = land(table, tmp_path, MONDAY, "a")
    assert land(table, tmp_path, MONDAY, "a") == first


def test_a_commit_says_what_it_is(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a", "b")
    summary = catalog.load_table("raw.x").current_snapshot().summary
    assert {key: summary[f"openimpact.{key}"] for key in ("run-id", "window-start", "window-end", "rows")} == {
        "run-id": "r1",
        "window-start": "2026-01-05",
        "window-end": "2026-01-06",
        "rows": "2",
    }


def test_rows_of_another_day_are_refused(catalog, table, tmp_path):
    with pytest.raises(SuspectData, match="holds rows of other days"):
        replace_day(table, TUESDAY, [staged(tmp_path, MONDAY, "a")], run_id="r", rows=1, rejected=0)
    assert ids(catalog) == []


def test_a_full_disk_leaves_the_former_rows(catalog, table, tmp_path, monkeypatch):
    land(table, tmp_path, MONDAY, "a")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pyiceberg.io.pyarrow.write_file", full)
    with pytest.raises(FixNeeded, match=r"warehouse is full: raw\.x for 2026-01-05 was not landed"):
        land(table, tmp_path, MONDAY, "b", run="r2")
    monkeypatch.undo()
    assert ids(catalog) == ["a"]


def _land_in_a_process(home, path, run):
    table = open_catalog(load_settings({"OPENIMPACT_HOME": home}), "lake").load_table("raw.x")
    replace_day(table, MONDAY, [path], run_id=run, rows=2, rejected=0)


def test_two_runs_of_one_day_at_once_leave_one_copy(catalog, table, tmp_path):
    path = staged(tmp_path, MONDAY, "a", "b")
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_land_in_a_process, args=(str(tmp_path), path, f"r{n}")) for n in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert ids(catalog) == ["a", "b"]


def test_the_earliest_day_touched_since_a_snapshot(catalog, table, tmp_path):
    land(table, tmp_path, TUESDAY, "a")
    since = snapshots_of(catalog)
    assert earliest_day_touched(catalog, since) is None
    land(table, tmp_path, TUESDAY, "b", run="r2")
    land(table, tmp_path, MONDAY, "c", run="r2")
    assert earliest_day_touched(catalog, since) == MONDAY
    assert earliest_day_touched(catalog, {"raw.x": 1}) is EVERYTHING


def test_a_table_may_grow_and_never_change_a_type(catalog, table):
    wider = ensure_table(catalog, "raw.x", SCHEMA.append(pa.field("n", pa.int64())), "_day")
    assert [f.name for f in wider.schema().fields] == ["id", "_day", "n"]
    with pytest.raises(ContractBroken, match=r"raw\.x\.id is .*string in the lake and int64"):
        ensure_table(catalog, "raw.x", pa.schema([("id", pa.int64())]), "_day")
