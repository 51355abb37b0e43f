"""A release against the oracles: per metric how many rows were compared, and what differs."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from math import isclose
from typing import Any

LEVELS = ("artifact", "project", "collection")
TABLES = {  # what of a row is compared, after its key
    "timeseries_metrics": ("sample_date", ("amount", "quality", "coverage")),
    "key_metrics": (None, ("sample_date", "amount", "previous_amount", "quality", "coverage")),
}
Key = tuple  # table, level, entity id, source, metric, window word and, in timeseries, sample date
SHOWN = 3


@dataclass
class Published:
    """Rows of the metric tables by key, keys that came twice, and the (source, metric) of the catalogue."""

    rows: dict[Key, tuple] = field(default_factory=dict)
    twice: list[Key] = field(default_factory=list)
    metrics: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Compared:
    """One metric of a source; no row means that nothing was compared."""

    source: str
    metric: str
    rows: int = 0
    differences: list[str] = field(default_factory=list)


def read(catalog, namespace: str = "oso") -> Published:
    """The metric tables of a namespace of an Iceberg catalog; `oso` of the consumer's is the current release."""
    found = Published()
    for row in _rows(catalog, f"{namespace}.metrics_v1", ("metric_source", "metric")):
        found.metrics.add((row["metric_source"], row["metric"]))
    for kind, (last, values) in TABLES.items():
        for level in LEVELS:
            names = (f"{level}_id", "metric_source", "metric", "window", *((last,) if last else ()))
            for row in _rows(catalog, f"{namespace}.{kind}_by_{level}_v1", tuple(dict.fromkeys((*names, *values)))):
                key = (kind, level, *(row[name] for name in names))
                if key in found.rows:
                    found.twice.append(key)
                found.rows[key] = tuple(row[name] for name in values)
    return found


def _rows(catalog, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    yield from catalog.load_table(table).scan(selected_fields=columns).to_arrow().to_pylist()


def expected(oracles: Iterable) -> dict[Key, tuple]:
    """The true rows as `Published` has them; an oracle of one source, GitHub's, leaves the source out of its keys."""
    found: dict[Key, tuple] = {}
    for oracle in oracles:
        for key, (amount, quality, coverage) in oracle.timeseries().items():
            level, entity, *source, metric, word, day = key
            key = ("timeseries_metrics", level, entity, *(source or ["GITHUB"]), metric, word, day)
            found[key] = (_number(amount), quality, coverage)
        for key, row in oracle.key_metrics().items():
            level, entity, *source, metric, word = key
            key = ("key_metrics", level, entity, *(source or ["GITHUB"]), metric, word)
            amounts = _number(row.amount), _number(row.previous_amount)
            found[key] = (row.sample_date, *amounts, row.quality, row.coverage)
    return found


def _number(amount) -> float | None:
    return None if amount is None else float(amount)


def compare(published: Published, oracles: Iterable, sources: Collection[str] | None = None) -> list[Compared]:
    """Every metric of the catalogue and of the rows on either side, of these sources or of all, by source and name.

    Where no day has data the truth has no date, and a published one is that of the build.
    """
    true = expected(oracles)
    found = {name: Compared(*name) for name in published.metrics}

    def of(key: Key) -> Compared:
        return found.setdefault(key[3:5], Compared(*key[3:5]))

    for key in published.twice:
        of(key).differences.append(f"{_named(key)} was published twice")
    for key in true.keys() | published.rows.keys():
        one, here, there = of(key), published.rows.get(key), true.get(key)
        one.rows += 1
        if here is None:
            one.differences.append(f"{_named(key)} is missing; true is {_shown(key, there)}")
        elif there is None:
            one.differences.append(f"{_named(key)} should not be there; published is {_shown(key, here)}")
        elif not all(map(_same, here, there)) and not (there[0] is None and here[1:] == there[1:]):
            one.differences.append(f"{_named(key)} is {_shown(key, here)}; true is {_shown(key, there)}")
    return [found[name] for name in sorted(found) if sources is None or name[0] in sources]


def _same(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return isclose(a, b, rel_tol=1e-9, abs_tol=1e-21)
    return a == b


def _named(key: Key) -> str:
    kind, level, entity, source, metric, *rest = key
    return f"{kind}_by_{level}_v1 {source} {metric} {' '.join(map(str, rest))} of {entity}"


def _shown(key: Key, values: tuple) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(TABLES[key[0]][1], values, strict=True))


def table(compared: Iterable[Compared]) -> str:
    """Source, metric, rows compared and differences of each metric, and the totals."""
    compared = list(compared)
    lines = [f"{'source':<16}{'metric':<34}{'rows compared':>14}{'differences':>13}"]
    lines += [f"{one.source:<16}{one.metric:<34}{one.rows:>14,}{len(one.differences):>13,}" for one in compared]
    rows, differences = sum(one.rows for one in compared), sum(len(one.differences) for one in compared)
    return "\n".join(
        [*lines, f"\n{len(compared)} metrics, {rows:,} rows compared with the truth, {differences:,} differences"]
    )


def complaint(compared: Iterable[Compared]) -> str | None:
    """A sentence that names the first differences and the metrics that were not compared; None if all is true."""
    compared = list(compared)
    wrong = [difference for one in compared for difference in sorted(one.differences)[:1]]
    unseen = [f"{one.source} {one.metric}" for one in compared if not one.rows]
    said = []
    if wrong:
        count = sum(len(one.differences) for one in compared)
        said.append(f"{count:,} rows in {len(wrong)} metrics differ from the truth: {'; '.join(wrong[:SHOWN])}")
    if unseen:
        said.append(f"{len(unseen)} metrics of the catalogue were not compared: {', '.join(unseen[:SHOWN])}")
    return ". ".join(said) or None
