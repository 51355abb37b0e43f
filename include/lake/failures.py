"""Days that no try could land, remembered beside the data until they are good: properties of the namespace `raw`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.exc import IntegrityError

from include.lake.catalog import CONFLICTS, open_catalog, retry, sentences
from include.settings import Settings

PREFIX = "failed."
LONGEST = 600  # characters of an error
ROOM = 1000  # characters of a property in the catalog's database


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One day of a source that retries gave up on; `error` is the sentence, `at` is aware UTC."""

    source: str
    day: date
    error: str
    at: datetime
    run_id: str


def record(settings: Settings, source: str, days: Iterable[date], error: str, run_id: str) -> None:
    """Remembers that these days of the source failed; a later failure of a day replaces the former.

    Raises:
        Unavailable: the catalog database does not answer.
    """
    value = _value(error, datetime.now(UTC), run_id)
    _update(settings, f"the failure of {source} was not recorded", updates={_key(source, day): value for day in days})


def forget(settings: Settings, source: str, days: Iterable[date]) -> None:
    """Forgets the failures of these days, if there are any.

    Raises:
        Unavailable: the catalog database does not answer.
    """
    if known := {_key(source, day) for day in days} & set(_properties(settings)):
        _update(settings, f"the former failure of {source} is still recorded", removals=known)


def open_failures(settings: Settings) -> list[Failure]:
    """Every recorded failure by source and day."""
    found = []
    for key, value in _properties(settings).items():
        if key.startswith(PREFIX):
            source, _, day = key.removeprefix(PREFIX).rpartition(".")
            fields = json.loads(value)
            fields["at"] = datetime.fromisoformat(fields["at"])
            found.append(Failure(source=source, day=date.fromisoformat(day), **fields))
    return sorted(found, key=lambda failure: (failure.source, failure.day))


def _key(source: str, day: date) -> str:
    return f"{PREFIX}{source}.{day.isoformat()}"


def _value(error: str, at: datetime, run_id: str) -> str:
    """The JSON of a failure, whose error is cut so that it fits."""
    error = error[:LONGEST]
    while True:
        value = json.dumps({"error": error, "at": at.isoformat(), "run_id": run_id[:250]}, ensure_ascii=False)
        if len(value) <= ROOM or not error:
            return value
        error = error[: len(error) - (len(value) - ROOM)]


def _properties(settings: Settings) -> dict[str, str]:
    catalog = open_catalog(settings, "lake")
    return catalog.load_namespace_properties("raw") if ("raw",) in catalog.list_namespaces() else {}


def _update(settings: Settings, not_done: str, **changes) -> None:
    catalog = open_catalog(settings, "lake")

    def update() -> None:
        catalog.create_namespace_if_not_exists("raw")
        catalog.update_namespace_properties("raw", **changes)

    with sentences(not_done):
        retry(update, (*CONFLICTS, IntegrityError))
