"""One thread ends all queries whose time is over, and none of those whose time is not."""

import gc
import threading
import time

import duckdb
import pytest

from consumer.bundle import Bundle, build_bundle
from consumer.deadlines import Deadlines
from include.settings import load_settings
from tests.consumer.releases import publish_rows

ENDLESS = "select count(*) from range(100000000000) a where a.range % 7 = 8"


@pytest.fixture
def cursor():
    with duckdb.connect() as db:
        yield db.cursor()


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "deadlines"]


def test_a_thousand_pieces_of_work_are_watched_by_one_thread(cursor):
    before, deadlines = watchers(), Deadlines()
    for _ in range(1000):
        with deadlines.kept(cursor, 60) as work:
            assert cursor.execute("select 1").fetchone() == (1,) and not work.over
    assert len(watchers()) == len(before) + 1


def test_the_shorter_of_two_ends_first_though_it_came_later_and_the_longer_goes_on(cursor):
    deadlines, begin = Deadlines(), time.monotonic()
    with deadlines.kept(cursor, 60) as longer, deadlines.kept(cursor.cursor(), 0.2) as shorter:
        with pytest.raises(duckdb.InterruptException):
            shorter.cursor.execute(ENDLESS)
        assert cursor.execute("select 1").fetchone() == (1,)
        assert shorter.over and not longer.over and 0.2 <= time.monotonic() - begin < 30


def test_a_query_that_begins_after_the_interrupt_is_interrupted_too(cursor):
    with Deadlines().kept(cursor, 0.01) as work:
        while not work.over:
            time.sleep(0.01)
        with pytest.raises(duckdb.InterruptException):
            cursor.execute(ENDLESS)


def test_work_that_ended_in_time_or_by_an_error_is_interrupted_no_more(cursor):
    deadlines = Deadlines()
    with pytest.raises(ZeroDivisionError), deadlines.kept(cursor, 0.2) as work:
        raise ZeroDivisionError
    time.sleep(0.4)
    assert not work.over


def test_the_file_of_a_bundle_is_closed_when_nobody_serves_it_though_its_work_was_watched(tmp_path):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    publish_rows(settings, {"projects_v1": [{"project_id": "a"}]})
    bundle = Bundle(build_bundle(settings))
    file = bundle.path
    with bundle.within(0.01) as rows, pytest.raises(TimeoutError):
        rows(ENDLESS)
    with pytest.raises(duckdb.Error, match="different configuration"):
        duckdb.connect(file)
    del bundle, rows
    gc.collect()
    duckdb.connect(file).close()
