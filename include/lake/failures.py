"""The days that could not be landed, remembered until they are good, and the snapshots that were found unchanged.

Both stand beside the data, as properties of the lake's namespace `raw`: failed.<source>.<day> and unchanged.<source>.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.exc import IntegrityError

from include.lake.catalog import CONFLICTS, open_catalog, retry, sentences
from include.settings import Settings

ERROR_LENGTH = 600  # characters
VALUE_LENGTH = 1000  # what the catalog's database holds of a property


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One day of a source that retries gave up on; `at` is UTC."""

    source: str
    day: date
    error: str
    at: datetime
    run_id: str


def record(settings: Settings, source: str, days: Iterable[date], error: str, run_id: str) -> None:
    """Remembers that these days of a source failed, each with the newest error, on one line and cut."""
    properties = {f"failed.{source}.{day}": _value(error, run_id) for day in days}
    if properties:
        _update(open_catalog(settings, "lake"), updates=properties)


def forget(settings: Settings, source: str, days: Iterable[date]) -> None:
    """The days are good: no failure of them is open any more."""
    catalog = open_catalog(settings, "lake")
    if known := {f"failed.{source}.{day}" for day in days} & set(_properties(catalog)):
        _update(catalog, removals=known)


def open_failures(settings: Settings) -> list[Failure]:
    """Every failed day that was not landed since, by source and day."""
    found = []
    for key, value in _properties(open_catalog(settings, "lake")).items():
        kind, _, rest = key.partition(".")
        if kind == "failed":
            source, _, day = rest.rpartition(".")
            fields = json.loads(value) | {"source": source, "day": date.fromisoformat(day)}
            found.append(Failure(**fields | {"at": datetime.fromisoformat(fields["at"])}))
    return sorted(found, key=lambda f: (f.source, f.day))


def confirm(settings: Settings, source: str, day: date) -> None:
    """The source was read on `day` and is as at its last landing, so that nothing was landed."""
    _update(open_catalog(settings, "lake"), updates={f"unchanged.{source}": day.isoformat()})


def confirmed(settings: Settings) -> dict[str, date]:
    """The newest day that each source was found unchanged."""
    properties = _properties(open_catalog(settings, "lake"))
    found = {key.removeprefix("unchanged."): value for key, value in properties.items() if key.startswith("unchanged.")}
    return {source: date.fromisoformat(day) for source, day in found.items()}


def _value(error: str, run_id: str) -> str:
    text = " ".join(error.encode("utf-8", "replace").decode().split())
    text = text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 1] + "…"
    at = datetime.now(UTC).isoformat(timespec="seconds")
    while (
        len(value := json.dumps({"error": text, "at": at, "run_id": run_id[:250]}, ensure_ascii=False)) > VALUE_LENGTH
    ):
        text = text[:-20] + "…"  # quotes and control characters are longer in JSON
    return value


def _properties(catalog) -> dict[str, str]:
    return dict(catalog.load_namespace_properties("raw")) if catalog.namespace_exists("raw") else {}


def _update(catalog, removals: set[str] | None = None, updates: dict[str, str] | None = None) -> None:
    def write() -> None:
        catalog.create_namespace_if_not_exists("raw")
        catalog.update_namespace_properties("raw", removals=removals, updates=updates or {})

    with sentences("the record of failed days is as it was"):
        retry(write, (*CONFLICTS, IntegrityError))  # another process may write the same key
