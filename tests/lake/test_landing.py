"""The landing of a day: whole, once, whatever goes wrong."""

import errno
import multiprocessing
import resource
import signal
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.exceptions import CommitFailedException

from include.errors import ContractBroken, FixNeeded, SuspectData, Unavailable
from include.lake.catalog import open_catalog
from include.lake.duckdb_views import create_raw_views
from include.lake.exports import write_export
from include.lake.landing import EVERYTHING, copy_into, earliest_day_touched, replace_day, snapshots_of
from include.lake.tables import ensure_table
from include.settings import load_settings
from include.transform.exports import write_exports

SCHEMA = pa.schema([("id", pa.string()), ("_day", pa.date32())])
MONDAY, TUESDAY, LATER = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 9)


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


def test_a_day_that_the_same_run_fetched_anew_is_landed(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a")
    land(table, tmp_path, MONDAY, "a", "b")
    assert ids(catalog) == ["a", "b"]


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

    monkeypatch.setattr("include.lake.landing.shutil.copyfileobj", full)
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
    assert earliest_day_touched(catalog, {"raw.x": None}) == MONDAY, "of a table that had no rows"
    table.refresh()
    table.maintenance.expire_snapshots().by_id(table.history()[0].snapshot_id).commit()
    assert earliest_day_touched(catalog, {"raw.x": None}) is EVERYTHING, "its first landing is no longer known"


def test_a_landing_into_a_grown_table_fills_its_new_column(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a")
    wider = SCHEMA.append(pa.field("n", pa.int64()))
    path = tmp_path / "wider.parquet"
    pq.write_table(pa.table({"id": ["b"], "_day": [TUESDAY], "n": [7]}, schema=wider), path)
    replace_day(ensure_table(catalog, "raw.x", wider, "_day"), TUESDAY, [path], run_id="r2", rows=1, rejected=0)
    rows = catalog.load_table("raw.x").scan().to_arrow().select(["id", "n"]).to_pylist()
    assert sorted(map(str, rows)) == ["{'id': 'a', 'n': None}", "{'id': 'b', 'n': 7}"]


def test_a_table_may_grow_and_never_change_a_type(catalog, table):
    wider = ensure_table(catalog, "raw.x", SCHEMA.append(pa.field("n", pa.int64())), "_day")
    assert [f.name for f in wider.schema().fields] == ["id", "_day", "n"]
    with pytest.raises(ContractBroken, match=r"raw\.x\.id is .*string in the lake and int64"):
        ensure_table(catalog, "raw.x", pa.schema([("id", pa.int64())]), "_day")


def test_rows_without_a_day_are_refused(catalog, table, tmp_path):
    path = tmp_path / "dayless.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "_day": [MONDAY, None]}, schema=SCHEMA), path)
    with pytest.raises(SuspectData, match="other days or of none"):
        replace_day(table, MONDAY, [path], run_id="r1", rows=2, rejected=0)
    assert ids(catalog) == []


def test_a_conflict_that_never_ends_is_a_sentence(catalog, table, tmp_path, monkeypatch):
    def conflict(*_, **__):
        raise CommitFailedException("branch main has changed")

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(table, "transaction", conflict)
    with pytest.raises(Unavailable, match="Other writers came first every time: raw.x for 2026-01-05"):
        land(table, tmp_path, MONDAY, "a")


def test_a_full_disk_leaves_the_former_export(catalog, monkeypatch):
    write_export(catalog, "a_v1", pa.table({"a": [1]}))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("include.lake.landing.shutil.copyfileobj", full)
    with pytest.raises(FixNeeded, match=r"warehouse is full: exports\.a_v1 was not written"):
        write_export(catalog, "a_v1", pa.table({"a": [2]}))
    monkeypatch.undo()
    assert catalog.load_table("exports.a_v1").scan().to_arrow()["a"].to_pylist() == [1]


def _create_in_a_process(home, name):
    ensure_table(open_catalog(load_settings({"OPENIMPACT_HOME": home}), "lake"), name, SCHEMA, "_day")


def test_processes_may_use_a_new_lake_first_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_create_in_a_process, args=(str(tmp_path), f"raw.t{n}")) for n in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0, 0]


def test_a_namespace_that_another_process_just_made_is_used(tmp_path, monkeypatch):
    catalog = open_catalog(load_settings({"OPENIMPACT_HOME": str(tmp_path)}), "lake")
    catalog.create_namespace("raw")
    answers = [False]  # what a process sees that looked just before the other one wrote
    real = type(catalog).namespace_exists
    monkeypatch.setattr(
        type(catalog), "namespace_exists", lambda self, name: answers.pop() if answers else real(self, name)
    )
    assert ensure_table(catalog, "raw.x", SCHEMA, "_day").name() == ("raw", "x")


def test_a_list_is_the_same_whatever_its_items_are_called(catalog):
    def named(item):
        return pa.schema([("families", pa.list_(pa.field(item, pa.string())))])

    ensure_table(catalog, "exports.m", named("l"))
    assert ensure_table(catalog, "exports.m", named("l")).schema().fields[0].name == "families"
    with pytest.raises(ContractBroken, match=r"exports\.m\.families"):
        ensure_table(catalog, "exports.m", pa.schema([("families", pa.list_(pa.int64()))]))


def test_a_build_reads_the_raw_tables_as_of_its_plan(catalog, table, tmp_path):
    land(table, tmp_path, MONDAY, "a")
    planned = {name: str(snapshot) for name, snapshot in snapshots_of(catalog).items()}
    land(table, tmp_path, TUESDAY, "b")
    with duckdb.connect() as db:
        for snapshots, found in ((planned, ["a"]), (None, ["a", "b"]), ({}, [])):
            create_raw_views(db, catalog, snapshots)
            assert [row[0] for row in db.execute("select id from raw.x order by id").fetchall()] == found


def test_duckdb_opens_the_files_of_the_days_asked_for_and_reads_those_of_older_layouts_and_columns(catalog, tmp_path):
    table = ensure_table(catalog, "raw.x", SCHEMA, "_day")
    table.add_files([copy_into(table, staged(tmp_path, MONDAY - timedelta(days=1), "old"))])  # no day in its path
    land(table, tmp_path, MONDAY, "a")
    wide = SCHEMA.append(pa.field("parts", pa.list_(pa.string())))
    table = ensure_table(catalog, "raw.x", wide, "_day")
    for day, rows in ((TUESDAY, [{"id": "b", "_day": TUESDAY, "parts": ["x"]}]), (LATER, [{"id": "c", "_day": LATER}])):
        path = tmp_path / f"{day}-wide.parquet"
        pq.write_table(pa.Table.from_pylist(rows, wide), path)
        replace_day(table, day, [path], run_id=str(day), rows=1, rejected=0)
    with duckdb.connect() as db:
        create_raw_views(db, catalog)
        found = db.execute("select id, _day, parts from raw.x order by _day").fetchall()
        plan = db.execute(f"explain analyze select id from raw.x where _day >= '{LATER}'").fetchall()[0][1]
    assert found == [
        ("old", MONDAY - timedelta(days=1), None),
        ("a", MONDAY, None),
        ("b", TUESDAY, ["x"]),
        ("c", LATER, None),
    ]
    assert "Scanning Files: 1/2" in " ".join(plan.split())


def test_an_export_that_does_not_fit_the_disk_is_told_in_a_sentence(catalog, tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    with duckdb.connect(str(settings.duckdb_path)) as db:
        db.execute("create schema exports; create table exports.a_v1 as select uuid() as a from range(300000)")
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, former[1]))
    try:
        with pytest.raises(FixNeeded, match=r"exports\.a_v1 could not be staged in .* keeps its former rows"):
            write_exports(settings, {"rebuild_from": "all"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)
    assert not catalog.table_exists("exports.a_v1") and not list(settings.staging.iterdir())
