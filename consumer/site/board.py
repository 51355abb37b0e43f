"""Leaderboards: projects or collections in columns of numbers, sorted by any metric; the address is the state."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.cards import KEY_METRIC
from consumer.charts import sparkline
from consumer.problems import Problem
from consumer.series import series
from consumer.site import numbers
from consumer.site.finding import address, entity, moved
from consumer.site.pages import page
from consumer.site.project import drawn

A_PAGE = 50
SORTED_BY = "GITHUB_active_developers_over_30_day_period"
COLUMNS = {name: metrics[-1] for name, metrics in numbers.STRIP}
MEMBERS = "select project_id from oso.projects_by_collection_v1 where collection_id = $collection"


def routes() -> list[Route]:
    """The routes of the lists of all projects and collections, and of one collection."""
    return [
        Route("/projects", lambda request: _all(request, "project", "All projects")),
        Route("/collections", lambda request: _all(request, "collection", "All collections")),
        Route("/collections/{name:path}", _collection),
    ]


def _all(request: Request, kind: str, title: str) -> Response:
    said = "Every project" if kind == "project" else "Every collection, a set of projects that belong together"
    return page(
        request,
        "list.html",
        about=f"{said}, sorted by any metric.",
        title=title,
        lead=f"{said}. Each column sorts; what is not known stands last.",
        **_board(request, kind, None),
    )


def _collection(request: Request) -> Response:
    bundle: Bundle = request.state.bundle
    collection = entity(bundle, "collection", request.path_params["name"])
    here = address(bundle, "collection", collection)
    if redirect := moved(request, here):
        return redirect
    key = collection["collection_id"]
    newest = numbers.newest(bundle, "collection", key)
    sections, sparks = drawn(bundle, "collection", key, newest)
    return page(
        request,
        "collection.html",
        about=collection["description"] or f"The projects of {collection['display_name']}, sorted by any metric.",
        entity=collection,
        name=collection["collection_name"],
        here=here,
        card=f"collection/{quote(collection['collection_name'], safe='')}",
        feed=f"{here}/feed.atom",
        strip=[(name, row, sparks.get(row["metric_id"]) if row else None) for name, row in numbers.strip(newest)],
        sections=sections,
        windows=numbers.WINDOWS,
        **_board(request, "project", key),
    )


def _board(request: Request, kind: str, collection_id: str | None) -> dict:
    """The rows of a leaderboard and its state.

    Raises:
        Problem: 400, the address asks for a metric, an order or a page that there is not.
    """
    bundle: Bundle = request.state.bundle
    asked = request.query_params
    metrics = {name: metric for name, metric in numbers.metric_by_name(bundle).items() if numbers.is_key(metric, kind)}
    sort, order = asked.get("sort") or SORTED_BY, asked.get("order") or "desc"
    if sort != "name" and sort not in metrics and "sort" in asked:
        alike = [name for name in metrics if sort.lower() in name.lower()] or list(metrics)
        raise Problem(400, f"There is no metric {sort[:100]!r} to sort {kind}s by.", parameter="sort", allowed=alike)
    if order not in ("asc", "desc"):
        raise Problem(400, f"order={order[:20]} is not asc or desc.", parameter="order", allowed=["asc", "desc"])
    text = asked.get("q", "").strip()[:300]
    number = asked.get("page") or "1"
    if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= 100_000):
        raise Problem(400, f"page={number[:20]} is not a whole number from 1.", parameter="page")
    columns = {name: metrics[metric] for name, metric in COLUMNS.items() if metric in metrics}
    by = metrics.get(sort)
    if by and by["metric_name"] not in COLUMNS.values():
        columns = {by["display_name"]: by} | columns
    rows, count = _rows(bundle, kind, collection_id, by, order, text, int(number))
    ids = [row["id"] for row in rows]
    cells = _cells(bundle, kind, ids, [metric["metric_id"] for metric in columns.values()])
    sparks = _sparks(bundle, kind, ids, by, cells)
    for row in rows:
        row["address"] = address(bundle, kind, row)
        row["cells"] = [cells.get((row["id"], metric["metric_id"])) for metric in columns.values()]
        row["spark"] = sparks.get(row["id"])
    days = sorted({cell["sample_date"] for cell in cells.values()})
    return {
        "kind": kind,
        "rows": rows,
        "count": count,
        "columns": list(columns.items()),
        "sort": by["metric_name"] if by else "name",
        "by": by,
        "order": order,
        "text": text,
        "number": int(number),
        "last_page": max(1, -(-count // A_PAGE)),
        "choices": [metric for metric in metrics.values() if metric["window"] in ("over_30_day_period", "daily")],
        "days": days,
    }


def _rows(
    bundle: Bundle, kind: str, collection_id: str | None, by: dict | None, order: str, text: str, number: int
) -> tuple[list[dict], int]:
    """The entities of a page in their order, and how many there are in all."""
    where = f"(display_name ilike $like escape '!' or {kind}_name ilike $like escape '!')"
    given: dict = {"like": f"%{text.translate({ord(sign): f'!{sign}' for sign in '%_!'})}%"}
    if collection_id:
        where += f" and {kind}_id in ({MEMBERS})"
        given["collection"] = collection_id
    (counted,) = bundle.rows(f"select count(*) as n from oso.{kind}s_v1 where {where}", given)
    amount, joined = "null::double", ""
    if by:
        amount, given["metric"] = "case when not isnan(numbers.amount) then numbers.amount end", by["metric_id"]
        joined = f"""
            left join (select * from oso.key_metrics_by_{kind}_v1 where metric_id = $metric) as numbers
                using ({kind}_id)"""
    names = f"lower(display_name) {order if not by else 'asc'}, {kind}_id"
    sql = f"""
        select
            entities.*, {kind}_id as id,
            case when {amount} is not null then rank() over (order by {amount} {order} nulls last) end as rank
        from oso.{kind}s_v1 as entities {joined}
        where {where}
        order by {amount} {order} nulls last, {names}
        limit {A_PAGE} offset {(number - 1) * A_PAGE}"""
    return bundle.rows(sql, given), counted["n"]


def _cells(bundle: Bundle, kind: str, ids: list[str], metric_ids: list[str]) -> dict[tuple[str, str], dict]:
    sql = f"""
        select {kind}_id as id, {KEY_METRIC}
        from oso.key_metrics_by_{kind}_v1
        where {kind}_id in (select unnest($ids)) and metric_id in (select unnest($metrics))"""
    return {(row["id"], row["metric_id"]): row for row in bundle.rows(sql, {"ids": ids, "metrics": metric_ids})}


def _sparks(bundle: Bundle, kind: str, ids: list[str], by: dict | None, cells: dict) -> dict[str, str]:
    """The sparkline of the metric that sorts, by entity; none where the release has no series of it."""
    days = [cell["sample_date"] for (_, metric_id), cell in cells.items() if by and metric_id == by["metric_id"]]
    if not days or by["window"] == "over_all_time":
        return {}
    asked = {by["metric_id"]: numbers.back(max(days), numbers.SPARK_DAYS)}
    found = series(bundle, kind, ids, asked)
    return {
        entity_id: sparkline(points[by["metric_id"]], by["unit"])
        for entity_id, points in found.items()
        if points[by["metric_id"]]
    }
