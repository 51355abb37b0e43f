"""A metric of one entity over time as points to draw, in which what was seen to be nothing is 0 and a hole is a hole.

A release has no row for a window without activity, nor for one that nobody saw; its coverage says which of the two.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from consumer.bundle import Bundle
from consumer.charts import Point
from consumer.rest.entities import known

MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
MEMBERS = {
    "project": "select project_id as entity_id, artifact_id from oso.artifacts_by_project_v1",
    "collection": "select collection_id as entity_id, artifact_id from oso.artifacts_by_collection_v1",
    "artifact": "select artifact_id as entity_id, artifact_id from oso.artifacts_v1",
}
Days = list[tuple[date, date, bool]]  # first, last, whether all of it was seen of the whole source
Run = tuple[str, str, date, date, bool]


def series(
    bundle: Bundle, kind: str, entity_ids: list[str], asked: dict[str, date | None]
) -> dict[str, dict[str, list[Point]]]:
    """The points of the metrics `asked` of some projects, collections or artifacts, by entity id and metric id.

    Oldest first; each metric from the day that `asked` has for it, or from its first row.

    A window between, without a row, is 0 where it was seen and the metric counts, unknown where it was not seen, and
    left out where the metric is of cases (a ratio, a time) and there was none.
    """
    rows = bundle.rows(
        f"""
        select {kind}_id as entity_id, metric_id, sample_date, amount, quality
        from oso.timeseries_metrics_by_{kind}_v1
        where {kind}_id in (select unnest($entities)) and metric_id in (select unnest($metrics))
            and sample_date >= $firsts[list_position($metrics, metric_id)]""",
        {"entities": entity_ids, "metrics": [*asked], "firsts": [first or date.min for first in asked.values()]},
    )
    found: dict[tuple[str, str], dict[date, Point]] = defaultdict(dict)
    for row in rows:
        day = row["sample_date"]
        found[row["entity_id"], row["metric_id"]][day] = Point(day, row["amount"], row["quality"])
    seen = _seen(bundle, kind, entity_ids)
    metrics = known(bundle).metrics
    return {
        entity_id: {
            key: _whole(metrics[key], found[entity_id, key], [*seen[None], *seen[entity_id]], first)
            for key, first in asked.items()
        }
        for entity_id in entity_ids
    }


def _whole(metric: dict, found: dict[date, Point], seen: list[Run], first: date | None) -> list[Point]:
    by_family: dict[str, Days] = defaultdict(list)
    for source, family, start, end, whole in seen:
        if family in metric["families"] and metric["metric_source"] in (source, "EVM"):
            by_family[family].append((start, end, whole))
    families = list(by_family.values())
    last_seen = min((max(to for _, to, _ in days) for days in families), default=date.min)
    days = sorted(found)
    if not days:
        return []
    earliest = min([days[0], *(start for days_of in families for start, _, _ in days_of)])
    counts = metric["row_class"] in ("N", "S")
    points = []
    for start, opening, end in _windows(
        metric["window"], max(first, earliest) if first else days[0], max(last_seen, days[-1])
    ):
        if start in found:
            points.append(found[start])
        elif first and start < first:
            continue
        elif not any(covered := [_covered(family, opening, min(end, last_seen)) for family in families]):
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


def _covered(days: Days, first: date, last: date) -> str:
    """Whether the days from `first` to `last` were seen: full, part, or empty where none was."""
    touched, following = False, first
    for start, end, whole in days:
        if start <= last and end >= first:
            touched = True
            if whole and start <= following:
                following = max(following, end + timedelta(1))
    return "" if not touched else "full" if following > last else "part"


def _seen(bundle: Bundle, kind: str, entity_ids: list[str]) -> dict[str | None, list[Run]]:
    """The runs of days on which a family of facts was seen, by entity; of whole sources under None."""
    rows = bundle.rows(
        f"""
        select distinct members.entity_id, source, family, from_day, to_day,
            members.entity_id is null and status = 'full' as is_whole
        from oso.coverage_v1 as coverage
        left join ({MEMBERS[kind]} where {kind}_id in (select unnest($entities))) as members using (artifact_id)
        where status <> 'none' and (coverage.artifact_id is null or members.entity_id is not null)
        order by from_day""",
        {"entities": entity_ids},
    )
    seen: dict[str | None, list[Run]] = defaultdict(list)
    for row in rows:
        _, *run = row.values()
        seen[row["entity_id"]].append(tuple(run))
    return seen
