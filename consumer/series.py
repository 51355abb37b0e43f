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
    "project": "select artifact_id from oso.artifacts_by_project_v1 where project_id = $entity",
    "collection": "select artifact_id from oso.artifacts_by_collection_v1 where collection_id = $entity",
    "artifact": "select $entity",
}
Days = list[tuple[date, date, bool]]


def series(bundle: Bundle, kind: str, entity_id: str, asked: dict[str, date | None]) -> dict[str, list[Point]]:
    """The points of the metrics `asked`, by id, of a project, collection or artifact, oldest first.

    Each is asked from a day on, or from its first row.

    A window between, without a row, is 0 where it was seen and the metric counts, unknown where it was not seen, and
    left out where the metric is of cases (a ratio, a time) and there was none.
    """
    rows = bundle.rows(
        f"""
        select metric_id, sample_date, amount, quality
        from oso.timeseries_metrics_by_{kind}_v1
        where {kind}_id = $entity and list_contains($metrics, metric_id)
            and sample_date >= $firsts[list_position($metrics, metric_id)]""",
        {"entity": entity_id, "metrics": [*asked], "firsts": [first or date.min for first in asked.values()]},
    )
    found: dict[str, dict[date, Point]] = defaultdict(dict)
    for row in rows:
        found[row["metric_id"]][row["sample_date"]] = Point(row["sample_date"], row["amount"], row["quality"])
    seen = _seen(bundle, kind, entity_id)
    metrics = known(bundle).metrics
    return {key: _whole(metrics[key], found[key], seen, first) for key, first in asked.items()}


def _whole(
    metric: dict, found: dict[date, Point], seen: dict[tuple[str, str], Days], first: date | None
) -> list[Point]:
    families = [
        days
        for (source, family), days in seen.items()
        if family in metric["families"] and metric["metric_source"] in (source, "EVM")
    ]
    last_seen = min((max(to for _, to, _ in days) for days in families), default=date.min)
    days = sorted(found)
    if not days and (not first or not families):
        return []
    counts = metric["row_class"] in ("N", "S")
    points = []
    for start, opening, end in _windows(metric["window"], first or days[0], max([last_seen, *days[-1:]])):
        if start in found:
            points.append(found[start])
        elif not (covered := [_covered(family, opening, min(end, last_seen)) for family in families]) or not any(
            covered
        ):
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


def _seen(bundle: Bundle, kind: str, entity_id: str) -> dict[tuple[str, str], Days]:
    """The runs of days on which a family of facts was seen, of a whole source or of an artifact of the entity."""
    sql = f"""
        select distinct source, family, from_day, to_day, artifact_id is null and status = 'full' as is_whole
        from oso.coverage_v1
        where status <> 'none' and (artifact_id is null or artifact_id in ({MEMBERS[kind]}))
        order by from_day"""
    seen: dict[tuple[str, str], Days] = defaultdict(list)
    for row in bundle.rows(sql, {"entity": entity_id}):
        seen[row["source"], row["family"]].append((row["from_day"], row["to_day"], row["is_whole"]))
    return seen
