"""Impact vectors: the weights files of dbt/vectors, checked before a build against the catalogue and the directory."""

import csv
import hashlib
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, to_builtins, yaml

from include.errors import FixNeeded
from include.settings import Settings
from include.transform.plan import DBT_PROJECT

FOLDER = DBT_PROJECT / "vectors"
ALL_TIME = "over_all_time"
Weight = Annotated[float, Meta(ge=0, le=1e6)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]


class Part(Struct, forbid_unknown_fields=True):
    """One metric of a vector."""

    source: str
    metric: str
    weight: Weight


class Variants(Struct, forbid_unknown_fields=True):
    """How much the amount itself counts, how much its growth and what it kept."""

    adoption: Weight = 0.0
    growth: Weight = 0.0
    retention: Weight = 0.0


class Vector(Struct, forbid_unknown_fields=True):
    """A weights file; `entities` is "all" or the name of a collection. Fields: docs/vectors.md."""

    id: Id
    entities: str
    window: str
    transform: Literal["none", "log1p"]
    variants: Variants
    metrics: list[Part]
    # further out powers of doubles run into 0
    p: Annotated[float, Meta(ge=0.1, le=10)] = 2.0
    max_missing: Annotated[float, Meta(ge=0, le=1)] = 0.5


def load_vectors(settings: Settings) -> list[dict]:
    """The vectors as dbt gets them: the fields of each file and `version`, the SHA-256 of the file.

    Raises:
        FixNeeded: says which file has which mistake.
    """
    found: dict[str, dict] = {}
    for path in sorted(FOLDER.glob("*.y*ml")):
        vector = read_vector(path, lambda: _collections(settings))
        if vector["id"] in found:
            raise FixNeeded(f"{path}: the id {vector['id']!r} is that of another file in this folder; choose another.")
        found[vector["id"]] = vector
    return list(found.values())


def read_vector(path: Path, collections: Callable[[], set[str]]) -> dict:
    """One weights file and its `version`; `collections` gives the names that the directory lists.

    Raises:
        FixNeeded: the file is not a vector.
    """
    try:
        body = path.read_bytes()
        vector = yaml.decode(body, type=Vector)
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300] or "it is nested too deep"
        raise FixNeeded(f"{path} is not a weights file: {reason}. Its fields are in docs/vectors.md.") from error
    if wrong := _mistake(vector, collections):
        raise FixNeeded(f"{path}: {wrong}.")
    return to_builtins(vector) | {"version": hashlib.sha256(body).hexdigest()}


def _mistake(vector: Vector, collections: Callable[[], set[str]]) -> str | None:
    """The first mistake that a single field does not show, as a phrase; None if there is none."""
    windows = _windows()
    sources = {source for source, _ in windows}
    for part in vector.metrics:
        if part.source not in sources:
            return f"the source {part.source!r} is unknown; known are {', '.join(sorted(sources))}"
        known = windows.get((part.source, part.metric))
        if known is None:
            return f"{part.source} has no metric {part.metric!r}; seeds/metric_catalogue.csv lists them"
        if vector.window not in known:
            return f"{part.source} {part.metric} has no window {vector.window!r}; it has {', '.join(known)}"
    doubled = [part for part, count in Counter((p.source, p.metric) for p in vector.metrics).items() if count > 1]
    if doubled:
        return f"{' '.join(doubled[0])} is listed twice; join the two lines and their weights"
    variants = vector.variants
    if not math.fsum(p.weight * v for p in vector.metrics for v in to_builtins(variants).values()):
        return "the weights sum up to 0; give at least one metric and one variant a weight above 0"
    if vector.window == ALL_TIME and (variants.growth or variants.retention):
        return f"no window comes before {ALL_TIME}, so growth and retention must have the weight 0"
    if vector.entities != "all" and vector.entities not in collections():
        return (
            f"the newest landed directory lists no collection {vector.entities!r}; correct `entities`, write all, or "
            "land oss_directory if the collection is new"
        )
    return None


def _windows() -> dict[tuple[str, str], list[str]]:
    """Windows by source and metric of the catalogue; a metric of chains is one of each network."""
    windows: dict[str, list[str]] = {}
    for row in _seed("metric_windows"):
        windows.setdefault(row["windows"], []).append(row["window_name"])
    chains = [row["network"].upper() for row in _seed("networks")]
    sources = {"EVM": [*chains, "EVM"], "CHAIN": chains}
    return {
        (source, row["metric"]): windows[row["windows"]]
        for row in _seed("metric_catalogue")
        for source in sources.get(row["metric_source"], [row["metric_source"]])
    }


def _seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _collections(settings: Settings) -> set[str]:
    """Names of the collections in the newest whole landing of the directory."""
    import pyarrow.compute as pc

    from include.lake.catalog import open_catalog

    catalog = open_catalog(settings, "lake")
    if not catalog.table_exists("raw.oss_directory__coverage"):
        return set()
    days = catalog.load_table("raw.oss_directory__coverage").scan(selected_fields=("_day",)).to_arrow()["_day"]
    newest = pc.max(days).as_py()
    if newest is None:
        return set()
    scan = catalog.load_table("raw.oss_directory__collections").scan(f"_day == '{newest}'", selected_fields=("name",))
    return set(scan.to_arrow()["name"].to_pylist())
