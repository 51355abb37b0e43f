"""A metric of one entity over time as points to draw, in which what was seen to be nothing is 0 and a hole is a hole.

A release has no row for a window without activity, nor for one that nobody saw; its coverage says which of the two.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from weakref import WeakKeyDictionary

from consumer.bundle import Bundle
from consumer.charts import Point
from consumer.rest.entities import known

MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
MEMBERS = {
    "project": "artifacts_by_project_v1",
    "collection": "artifacts_by_collection_v1",
    "artifact": "artifacts_v1",
}
Days = list[tuple[date, date]]  # first and last, apart from each other, in order
Runs = dict[str, list[tuple[str, date, date]]]  # by family of facts: source, first and last day
_WHOLE: WeakKeyDictionary[Bundle, tuple[Runs, Runs]] = WeakKeyDictionary()
_CHANGES: WeakKeyDictionary[Bundle, list[dict]] = WeakKeyDictionary()


def series(
    bundle: Bundle, kind: str, entity_ids: list[str], asked: dict[str, date | None]
) -> dict[str, dict[str, list[Point]]]:
    """The points of the metrics `asked` of some projects, collections or artifacts, by entity id and metric id.

    Oldest first; each metric from the day that `asked` has for it, or from its first row.

    A window between, without a row, is 0 where it was seen and the metric counts, unknown where it was not seen, and
    left out where the metric is of cases (a ratio, a time) and there was none.
    """
    rows = asked and bundle.rows(
        f"""
        select {kind}_id as entity_id, metric_id, sample_date, amount, quality
        from oso.timeseries_metrics_by_{kind}_v1
        where {kind}_id between list_min($entities) and list_max($entities)  -- which is all that skips blocks of rows
            and {kind}_id in $entities and metric_id in $metrics
            and sample_date >= $firsts[list_position($metrics, metric_id)]""",
        {"entities": entity_ids, "metrics": [*asked], "firsts": [first or date.min for first in asked.values()]},
    )
    found: dict[tuple[str, str], dict[date, Point]] = defaultdict(dict)
    for row in rows:
        day = row["sample_date"]
        found[row["entity_id"], row["metric_id"]][day] = Point(day, row["amount"], row["quality"])
    seen = found and _seen(bundle, kind, [*{entity_id for entity_id, _ in found}])
    sources, metrics = _whole_sources(bundle), known(bundle).metrics
    return {
        entity_id: {
            key: _whole(metrics[key], found[entity_id, key], *sources, seen.get(entity_id, {}), first)
            for key, first in asked.items()
        }
        for entity_id in entity_ids
    }


def changes(bundle: Bundle, metric: dict) -> dict[date, str]:
    """The days since which a source tells nothing more of what a metric counts, each with the reason in the release.

    From such a day on the metric has it of another source, or not at all.
    """
    if bundle not in _CHANGES:
        _CHANGES[bundle] = bundle.rows("""
            select source, family, from_day, replace(reason, ' since ' || from_day, '') as reason
            from oso.coverage_v1
            where artifact_id is null and status = 'none' and ends_with(reason, ' since ' || from_day)""")
    return {
        row["from_day"]: row["reason"]
        for row in _CHANGES[bundle]
        if row["source"] == metric["metric_source"]
        and row["family"] in known(bundle).metrics[metric["metric_id"]]["families"]
    }


def _whole(
    metric: dict, found: dict[date, Point], all_seen: Runs, any_seen: Runs, of_artifacts: Runs, first: date | None
) -> list[Point]:
    days = sorted(found)
    if not days:
        return []

    def of(runs: Runs, family: str) -> Iterator[tuple[date, date]]:
        return (run for source, *run in runs.get(family, ()) if metric["metric_source"] in (source, "EVM"))

    families = []  # the days of which all was seen, and those of which anything was
    for family in metric["families"]:
        if touched := _united([*of(any_seen, family), *of(of_artifacts, family)]):
            families.append((_united(of(all_seen, family)), touched))
    last_seen = min((touched[-1][1] for _, touched in families), default=date.min)
    earliest = min([days[0], *(touched[0][0] for _, touched in families)])
    counts = metric["row_class"] in ("N", "S")
    points = []
    for start, opening, end in _windows(
        metric["window"], max(first, earliest) if first else days[0], max(last_seen, days[-1])
    ):
        if start in found:
            points.append(found[start])
        elif first and start < first:
            continue
        elif not any(covered := [_covered(*of, opening, min(end, last_seen)) for of in families]):
            points.append(Point(start, None, "unknown"))
        elif counts:
            points.append(Point(start, 0.0, "ok" if all(one == "full" for one in covered) else "partial"))
    beginning = next((place for place, point in enumerate(points) if point.known), len(points))
    return points[beginning:]


def _windows(window: str, first: date, last: date) -> Iterator[tuple[date, date, date]]:
    """Sample date, first and last day of each window from that of `first` to that of `last`."""
    if months := MONTHS.get(window):
        start = date(first.year, first.month - (first.month - 1) % months, 1)
        while start <= last:
            following = date(start.year + (start.month + months > 12), (start.month + months - 1) % 12 + 1, 1)
            yield start, start, following - timedelta(1)
            start = following
        return
    start = first - timedelta(first.weekday()) if window == "weekly" else first
    length = int(window.split("_")[1]) if window.startswith("over_") else 1
    while start <= last:
        if window == "weekly":
            yield start, start, start + timedelta(6)
            start += timedelta(7)
        else:
            yield start, start - timedelta(length - 1), start
            start += timedelta(1)


def _united(runs: Iterable[tuple[date, date]]) -> Days:
    """The days of runs that may overlap or follow each other."""
    united: Days = []
    for first, last in sorted(runs):
        if united and first <= united[-1][1] + timedelta(1):
            united[-1] = united[-1][0], max(united[-1][1], last)
        else:
            united.append((first, last))
    return united


def _covered(full: Days, touched: Days, first: date, last: date) -> str:
    """Whether the days from `first` to `last` were seen: full, part, or empty where none was."""
    if _ends(touched, last) < first:
        return ""
    return "full" if _ends(full, first) >= last else "part"


def _ends(days: Days, day: date) -> date:
    """The last day of the last run that begins on `day` or before."""
    place = bisect_right(days, (day, date.max))
    return days[place - 1][1] if place else date.min


def _whole_sources(bundle: Bundle) -> tuple[Runs, Runs]:
    """The runs of days on which all of a source was seen, and on which anything was, read once a release."""
    if bundle not in _WHOLE:
        rows = bundle.rows("""
            select family, source, from_day, to_day, status
            from oso.coverage_v1
            where artifact_id is null and status <> 'none'""")
        _WHOLE[bundle] = _by_family(row for row in rows if row["status"] == "full"), _by_family(rows)
    return _WHOLE[bundle]


def _seen(bundle: Bundle, kind: str, entity_ids: list[str]) -> dict[str, Runs]:
    """The runs of days on which anything was seen of some artifact of an entity, by entity."""
    rows: dict[str, list[dict]] = defaultdict(list)
    for row in bundle.rows(
        f"""
        select distinct members.{kind}_id as entity_id, family, coverage.source, from_day, to_day
        from oso.coverage_v1 as coverage
        inner join oso.{MEMBERS[kind]} as members using (artifact_id)
        where members.{kind}_id in $entities and coverage.status <> 'none'""",
        {"entities": entity_ids},
    ):
        rows[row["entity_id"]].append(row)
    return {entity_id: _by_family(rows[entity_id]) for entity_id in entity_ids}


def _by_family(rows: Iterable[dict]) -> Runs:
    runs: Runs = defaultdict(list)
    for row in rows:
        runs[row["family"]].append((row["source"], row["from_day"], row["to_day"]))
    return runs
