"""The endpoints as routes: a request in, an answer out in the form that was asked for."""

from collections.abc import Iterator
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.limits import Meter
from consumer.problems import Problem
from consumer.rest.endpoint import Answer, Ask, Endpoint
from consumer.rest.endpoints import ENDPOINTS, NUMBER
from consumer.rest.entities import known
from consumer.rest.formats import FORMS, as_csv, as_json, as_parquet, form_of
from consumer.rest.openapi import document
from consumer.serving import Serving

BASE = "/api/v1"
ANSWER_S = 10  # for the query of an answer in JSON; CSV and Parquet are read as they are sent


def routes(serving: Serving, meter: Meter) -> list[Route]:
    """The routes under /api/v1; a path may end in .json, .csv or .parquet."""
    found = [
        Route(BASE, _index),
        Route(f"{BASE}/openapi.json", _openapi),
        Route(f"{BASE}/limits", lambda request: _limits(request, meter)),
    ]
    for endpoint in ENDPOINTS:
        path = BASE + endpoint.path.replace("{artifact}", "{artifact:path}")
        ends = [""] if path.endswith("}") else ["", *(f".{form}" for form in FORMS)]
        found += [Route(path + end, _handler(endpoint, serving, end), name=endpoint.path) for end in ends]
    return found


def _handler(endpoint: Endpoint, serving: Serving, end: str):
    last = endpoint.path.rpartition("/")[2].strip("{}") if endpoint.path.endswith("}") else None

    async def handle(request: Request) -> Response:
        caller, bundle = request.state.caller, request.state.bundle
        path = dict(request.path_params)
        stem, form = form_of(path[last] if last else f"rows{end}", request.headers)
        if last:
            path[last] = stem
        ask = endpoint.ask(bundle, serving, path, request.query_params.multi_items(), form)
        if endpoint.paged and ask["after"] is not None and "release" not in request.query_params:
            raise Problem(
                400, "`after` is a place in one release; give `release` too, as `next` does.", parameter="after"
            )
        caller.check("read")
        if (card := _card(endpoint, ask)) is not None:
            body, rows = card
            caller.spend(rows=rows)
            return Response(body, media_type=FORMS[form], headers={"Vary": "Accept"})
        return await run_in_threadpool(answered, request, ask)

    def answered(request: Request, ask: Ask) -> Response:
        caller, form = request.state.caller, ask.form
        answer = endpoint.answer(ask)
        headers = {"Vary": "Accept"} | ({} if answer.kept else {"Cache-Control": "no-cache"})
        media = FORMS[form]
        if form == "json":
            body, rows = _document(request, ask, answer)
            caller.spend(rows=rows)
            return Response(body, media_type=media, headers=headers)
        name = endpoint.path.strip("/").partition("/")[0] if not endpoint.extra else ask["table"]
        headers["Content-Disposition"] = f'inline; filename="{name}.{form}"'
        if request.method == "HEAD":
            told = Response(media_type=media, headers=headers)
            del told.headers["Content-Length"]  # it is not known before the rows are read
            return told
        return StreamingResponse(_blocks(ask, answer, caller), media_type=media, headers=headers)

    return handle


def _card(endpoint: Endpoint, ask: Ask) -> tuple[bytes, int] | None:
    """The answer that the bundle has ready, and its rows; None where a query must find it."""
    if endpoint.card is None or ask.form != "json" or any(ask[parameter.name] for parameter in NUMBER):
        return None
    ids = known(ask.bundle).ids.get((endpoint.card, ask[endpoint.card].lower()), ())
    if len(ids) != 1:
        return None
    told, rows = ask.bundle.cards.told(endpoint.card, *ids)
    return as_json(_release(ask.bundle))[:-1] + b"," + told + b"}", rows


def _release(bundle: Bundle) -> dict:
    return {
        "release": bundle.release_id,
        "published_at": bundle.published_at,
        "as_of": bundle.as_of,
        "source_lag_hours": bundle.source_lag_hours,
    }


def _document(request: Request, ask: Ask, answer: Answer) -> tuple[bytes, int]:
    bundle = ask.bundle
    document = _release(bundle) | answer.about
    if answer.data is not None:
        return as_json(document | {"data": answer.data}), 1
    limit = answer.limit
    with bundle.within(ANSWER_S) as query:
        try:
            rows = query(answer.sql + (f" limit {limit + 1}" if limit else ""), answer.parameters)
        except TimeoutError:
            detail = f"This takes more than {ANSWER_S} s, and was ended. Ask for less, or for the table as Parquet."
            raise Problem(503, detail, headers={"Retry-After": "60"}) from None
    if limit:
        following = None
        if len(rows) > limit:
            rows.pop()
            query = {**request.query_params, "release": bundle.release_id, "after": rows[-1]["_row"]}
            following = str(request.url.replace(scheme="", netloc="").include_query_params(**query))
        for row in rows:
            del row["_row"]
        document["next"] = following
    return as_json(document | {"data": rows[0] if answer.one else rows}), len(rows)


def _blocks(ask: Ask, answer: Answer, caller) -> Iterator[bytes]:
    """The answer as CSV or Parquet, block by block; what was sent is spent even where the reader leaves."""
    if answer.data is not None:
        import pyarrow as pa

        table = pa.Table.from_pylist(answer.data if isinstance(answer.data, list) else [answer.data])
        schema, batches = table.schema, iter(table.to_batches())
    else:
        sql = answer.sql.replace("select rowid as _row, *", "select *", 1)
        reader = ask.bundle.batches(sql + (f" limit {answer.limit}" if answer.limit else ""), answer.parameters)
        schema, batches = reader.schema, iter(reader)
    sent = 0

    def counted():
        nonlocal sent
        for batch in batches:
            sent += len(batch)
            yield batch

    try:
        if ask.form == "csv":
            yield from as_csv(counted(), schema)
        else:
            yield from as_parquet(counted(), schema, ask.bundle)
    finally:
        caller.spend(rows=sent)


def _index(request: Request) -> Response:
    """What can be asked."""
    bundle = request.state.bundle
    paths = {BASE + endpoint.path: endpoint.summary for endpoint in ENDPOINTS}
    paths |= {
        f"{BASE}/limits": "What you may use and have used today.",
        f"{BASE}/openapi.json": "All of this, OpenAPI 3.1.",
    }
    body = {"release": bundle.release_id, "published_at": bundle.published_at, "as_of": bundle.as_of, "paths": paths}
    return Response(as_json(body), media_type="application/json")


def _openapi(request: Request) -> Response:
    """The OpenAPI document of the release that is served."""
    return Response(as_json(document(request.state.bundle)), media_type="application/json")


def _limits(request: Request, meter: Meter) -> Response:
    """The limits of every tier, the caller's own tier and what it spent today."""
    caller = request.state.caller
    rows, seconds = caller.spent
    body = {
        "tier": caller.tier,
        "spent_today": {"rows": rows, "sql_seconds": seconds},
        "tiers": {name: asdict(tier) for name, tier in meter.tiers.items()},
    }
    return Response(as_json(body), media_type="application/json", headers={"Cache-Control": "no-store"})
