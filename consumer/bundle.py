"""A release as one read-only DuckDB file, the bundle: all that a server needs to answer.

bundles/<release id>/ holds consumer.duckdb, whose schema `oso` has the published tables sorted by their keys, the
cards of projects and collections, and bundle.json with the checksums of both, the release and what its tables are.
"""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from consumer.cards import Cards, write_cards
from consumer.deadlines import Deadlines
from consumer.fences import FENCES
from include.errors import FixNeeded, SuspectData
from include.lake.catalog import open_catalog
from include.lake.duckdb_views import register_store, select_sql
from include.lake.releases import open_release_table, show_release
from include.settings import Settings

FORMAT = 3
_DEADLINES = Deadlines()
_AS_OF = """
    select source, case when count(*) = count(as_of) then min(as_of) end as as_of
    from (
        select source, family, max(as_of) as as_of from oso.sources_v1 where enabled group by source, family
    ) as families
    group by source
    order by source"""


@dataclass(frozen=True)
class Column:
    """A published column; `type` is Trino's name, `references` the table whose key the column holds, if any."""

    name: str
    type: str
    nullable: bool
    references: str | None
    description: str


@dataclass(frozen=True)
class Table:
    """A published table; `key` is empty where rows have none."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: int

    @property
    def order(self) -> tuple[str, ...]:
        """The key in the order in which the bundle has the rows sorted: nulls last, so that a sort by it is quick."""
        return tuple(_order(self.key))


class Bundle:
    """A bundle that was opened: `release_id`, `published_at` (UTC), `tables` by name, and queries.

    `as_of` has the last day of every source that is on: the earliest over its families of facts, None where a family
    has none; `source_lag_hours` the hours from the end of that day to the publication; `headers` name all of it in
    every answer. `cards` has what is told of each project and collection.
    """

    def __init__(self, folder: Path) -> None:
        """Opens and checks it.

        Raises:
            SuspectData: the file is not what was built, or another version of OpenImpact built it.
        """
        self.path = folder / "consumer.duckdb"
        facts = _facts(folder)
        for name, built in facts["sha256"].items():
            if not (folder / name).exists() or _sha256(folder / name) != built:
                raise SuspectData(
                    f"{folder / name} is not the file that was built: its checksum differs. Delete {folder}."
                )
        self.release_id: str = facts["release_id"]
        self.published_at = datetime.fromisoformat(facts["published_at"])
        self.tables = {
            name: Table(name, t["description"], tuple(t["key"]), tuple(Column(*c) for c in t["columns"]), t["rows"])
            for name, t in facts["tables"].items()
        }
        self.cards = Cards(folder / "cards", facts["cards"])
        self._db = duckdb.connect(str(self.path), config=FENCES)
        if not self._db.execute("select current_setting('lock_configuration')").fetchone()[0]:  # not open already
            self._db.execute("set global timezone = 'UTC'; set lock_configuration = true")
        self._own = threading.local()
        self.as_of: dict[str, date | None] = {row["source"]: row["as_of"] for row in self.rows(_AS_OF)}
        self.source_lag_hours = {
            source: None if day is None else _hours_from_end(day, self.published_at)
            for source, day in self.as_of.items()
        }
        self.headers = {
            "OpenImpact-Release": self.release_id,
            "OpenImpact-Published-At": self.published_at.isoformat(),
            "OpenImpact-As-Of": ", ".join(f"{source}={day}" for source, day in self.as_of.items() if day),
        }

    def rows(self, sql: str, parameters: list | dict | None = None) -> list[dict]:
        """The rows of a query of ours, dicts by column; tables are named oso."<table>". Safe in any thread."""
        if not hasattr(self._own, "cursor"):
            self._own.cursor = self._db.cursor()
        return _rows(self._own.cursor, sql, parameters)

    @contextmanager
    def within(self, seconds: float) -> Iterator[Callable]:
        """Gives a function like `rows` for one piece of work, whose queries end together when `seconds` are over.

        Raises, from that function:
            TimeoutError: they are over.
        """
        cursor = self._db.cursor()

        def rows(sql: str, parameters: list | dict | None = None) -> list[dict]:
            try:
                if not work.over:
                    return _rows(cursor, sql, parameters)
            except duckdb.InterruptException:
                pass
            raise TimeoutError(f"The queries took more than {seconds} s and were stopped.")

        with _DEADLINES.kept(cursor, seconds) as work:
            yield rows

    def batches(self, sql: str, parameters: list | dict | None = None, rows: int = 65_536):
        """The rows of a query of ours as an Arrow RecordBatchReader, at most `rows` a batch, read as it is asked."""
        return self._db.cursor().execute(sql, parameters or []).to_arrow_reader(rows)


def build_bundle(settings: Settings, release_id: str = "current", progress: Callable = lambda *_: None) -> Path:
    """Builds the bundle of a release beside what is served, unless it is there; returns its folder.

    One of another version's format is built anew. `progress(done, all, table)` is called before each table. A kill
    leaves no half bundle.

    Raises:
        FixNeeded: there is no such release, or it has no dictionary (columns_v1), as those of older versions.
        SuspectData: a table has other rows than the release's manifest says.
    """
    release = show_release(settings, release_id)
    folder = settings.home / "bundles" / release.release_id
    with suppress(SuspectData):
        _facts(folder)
        return folder
    listed = {table.name: table.rows for table in release.tables}
    if "columns_v1" not in listed:
        raise FixNeeded(f"Release {release.release_id} has no columns_v1: publish a new one with this version.")
    building = folder.with_name(f".{release.release_id}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    file = building / "consumer.duckdb"
    catalog = open_catalog(settings, "consumer")
    with duckdb.connect(str(file)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema oso")
        register_store(db, catalog)
        names = ["columns_v1", *sorted({*listed, "releases_v1"} - {"columns_v1"})]
        tables: dict[str, dict] = {}
        for done, name in enumerate(names):
            progress(done, len(names), name)
            table = open_release_table(settings, release.release_id, name)
            key = tables[name]["key"] if tables else ["table_name", "position"]
            order = ", ".join(f'"{column}"' for column in _order(key))
            db.execute(f'create table oso."{name}" as {select_sql(table)} {f"order by {order}" if key else ""}')
            tables = tables or _described(db)
            (tables[name]["rows"],) = db.execute(f'select count(*) from oso."{name}"').fetchone()
            if tables[name]["rows"] != listed.get(name, tables[name]["rows"]):
                raise SuspectData(
                    f"{name} of release {release.release_id} has {tables[name]['rows']} rows, and its manifest says "
                    f"{listed[name]}. The release before stays; publish again."
                )
        progress(len(names), len(names), "cards")
        cards = write_cards(db, building / "cards")
    facts = {
        "format": FORMAT,
        "release_id": release.release_id,
        "published_at": release.published_at.isoformat(),
        "sha256": {name: _sha256(building / name) for name in (file.name, "cards")},
        "tables": {name: tables[name] for name in sorted(names)},
        "cards": cards,
    }
    (building / "bundle.json").write_text(json.dumps(facts))
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    return folder


def _facts(folder: Path) -> dict:
    try:
        facts = json.loads((folder / "bundle.json").read_text())
    except (OSError, ValueError) as error:
        raise SuspectData(f"{folder} holds no whole bundle ({error}). Delete it; it is built again.") from None
    if facts["format"] != FORMAT:
        raise SuspectData(f"{folder} has format {facts['format']} and this is {FORMAT}. Delete it; it comes again.")
    return facts


def _order(key: Iterable[str]) -> list[str]:
    # a series is looked up by what it is of, then by its metric, and read by day
    by = {"metric_id": 1, "sample_date": 2}
    return sorted(key, key=lambda column: by.get(column, 0))


def _rows(cursor, sql: str, parameters: list | dict | None) -> list[dict]:
    found = cursor.execute(sql, parameters or [])
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _described(db) -> dict[str, dict]:
    tables: dict[str, dict] = {}
    columns = (
        "table_name, table_description, column_name, data_type, is_nullable, is_key, references_table, description"
    )
    for name, about, column, kind, nullable, is_key, references, description in db.execute(
        f"select {columns} from oso.columns_v1 order by table_name, position"
    ).fetchall():
        table = tables.setdefault(name, {"description": about, "key": [], "columns": []})
        table["columns"].append([column, kind, nullable, references, description])
        table["key"] += [column] * is_key
    return tables


def _hours_from_end(day: date, moment: datetime) -> float:
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), moment.tzinfo)
    return max(0.0, round((moment - end).total_seconds() / 3600, 1))


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
