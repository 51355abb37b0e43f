"""Releases while readers query: a pinned namespace shows the tables of one release, whatever is published meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import publish, show_release

READERS = 4
TABLES = ["exports.left_v1", "exports.right_v1"]


@pytest.fixture
def lake(on_cluster):
    catalog = open_catalog(on_cluster, "lake")
    yield catalog
    for name in TABLES:
        catalog.drop_table(name)


@pytest.mark.parametrize("releases", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_readers_of_pinned_namespaces_never_see_two_releases(on_cluster, lake, cluster, releases):
    published: list[tuple[str, int]] = []
    over, first = threading.Event(), threading.Event()

    def release(number: int) -> None:
        for name in TABLES:
            write_export(lake, name.removeprefix("exports."), pa.table({"n": [number]}))
        made = publish(on_cluster, TABLES, run_id=f"r{number}", code_sha="c", directory_sha="d")
        published.append((made.release_id, number))

    def read() -> list[tuple]:
        """(the release's number, the numbers of its two tables) of every query until the last release."""
        seen = []
        with cluster.connect("consumer") as connection:
            first.wait()
            while not over.is_set():
                for release_id, number in {published[0], published[len(published) // 2], published[-1]}:
                    pinned = f"consumer.oso_{release_id}"
                    both = f"select l.n, r.n from {pinned}.left_v1 l cross join {pinned}.right_v1 r"
                    seen.append((number, *connection.cursor().execute(both).fetchall()))
        return seen

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(releases):
                release(number)
                first.set()
        finally:
            first.set()
            over.set()
        answers = [answer for reader in readers for answer in reader.result()]  # a failed query raises
    assert [answer for answer in answers if answer[1:] != ([answer[0], answer[0]],)] == []
    # they read while releases were made: several of them, and each reader
    assert len({number for number, _ in answers}) > releases / 2 and len(answers) > READERS * releases / 2
    assert show_release(on_cluster).release_id == published[-1][0]
