"""The tables as a read-only Iceberg REST catalog at /iceberg: the releases, and the raw tables of the lake.

A client reads the data files itself, by its own credentials. It gets the snapshot of now alone, and a location at which
nothing can be written: Iceberg clients write data files before they ask the catalog, so a refusal would come too late.
"""

import json
import logging
import re
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import Table
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from include.errors import FixNeeded, OpenImpactError
from include.lake.catalog import CATALOG_AWAY, open_catalog
from include.lake.releases import CURRENT, show_release
from include.settings import Settings

log = logging.getLogger(__name__)

AT_ONCE = 4
RAW = "raw"
NAMESPACE = re.compile(rf"{CURRENT}(_\w+)?|{RAW}")
NO_PLACE = "read-only://openimpact"
STORE = ("s3.endpoint", "s3.region")  # where the storage is, never who may enter
TABLE = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"
ENDPOINTS = [
    "GET /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    f"GET {TABLE}",
    f"HEAD {TABLE}",
]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


class _Missing(Exception):
    """What was asked for is not there; `kind` is Iceberg's name of the error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def routes(settings: Settings) -> list[Route]:
    """The routes of the catalog over the consumer catalog and the lake of `settings`."""
    limiter = CapacityLimiter(AT_ONCE)

    def serve(path: str, answer: Callable[..., dict]) -> Route:
        async def iceberg(request: Request) -> Response:
            return await _serve(request, limiter, lambda: answer(settings, **request.path_params))

        return Route(f"/iceberg/v1/{path}", iceberg)

    async def refuse(request: Request) -> Response:
        if request.method in WRITES:
            return _error(405, "UnsupportedOperationException", "This catalog is read-only.")
        return _error(404, "NotFoundException", "There is nothing here; GET /iceberg/v1/config lists what there is.")

    return [
        serve("config", _config),
        serve("namespaces", _namespaces),
        serve("namespaces/{namespace}", _namespace),
        serve("namespaces/{namespace}/tables", _tables),
        serve("namespaces/{namespace}/tables/{table}", _table),
        Route("/iceberg/{rest:path}", refuse, methods=["GET", *WRITES]),
    ]


async def _serve(request: Request, limiter: CapacityLimiter, answer: Callable[[], dict]) -> Response:
    try:
        request.state.caller.check("read")
        return JSONResponse(await to_thread.run_sync(answer, limiter=limiter), headers={"Cache-Control": "no-store"})
    except HTTPException as error:
        return _error(error.status_code, "NotAuthorizedException", error.detail, error.headers)
    except _Missing as error:
        return _error(404, error.kind, str(error))
    except (OpenImpactError, SQLAlchemyError, OSError, *CATALOG_AWAY) as error:
        log.warning("The Iceberg catalog does not answer: %s", error)
        message = "The catalog does not answer now: try again later. The API beside this serves the release meanwhile."
        return _error(503, "ServiceUnavailableException", message, {"Retry-After": "30"})


def _error(status: int, kind: str, message: str, headers: dict | None = None) -> Response:
    body = {"error": {"message": message, "type": kind, "code": status}}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})})


def _config(settings: Settings) -> dict:
    store = {key: settings.storage[key] for key in STORE if key in settings.storage}
    return {"defaults": store, "overrides": {}, "endpoints": ENDPOINTS}


def _namespaces(settings: Settings) -> dict:
    found = [
        namespace
        for catalog, pattern in (("consumer", f"{CURRENT}(_\\w+)?"), ("lake", RAW))
        for namespace in open_catalog(settings, catalog).list_namespaces()
        if re.fullmatch(pattern, ".".join(namespace))
    ]
    return {"namespaces": sorted(found)}


def _namespace(settings: Settings, namespace: str) -> dict:
    if namespace not in [".".join(one) for one in _namespaces(settings)["namespaces"]]:
        raise _no_namespace(namespace)
    if namespace == RAW:
        return {"namespace": [namespace], "properties": {}}
    try:
        release = show_release(settings, namespace.removeprefix(CURRENT).removeprefix("_") or "current")
    except FixNeeded:
        raise _no_namespace(namespace) from None
    facts = {"release_id": release.release_id, "published_at": release.published_at.isoformat()}
    return {"namespace": [namespace], "properties": facts}


def _tables(settings: Settings, namespace: str) -> dict:
    try:
        found = _catalog(settings, namespace).list_tables(namespace)
    except NoSuchNamespaceError:
        raise _no_namespace(namespace) from None
    return {"identifiers": [{"namespace": [namespace], "name": name} for _, name in sorted(found)]}


def _table(settings: Settings, namespace: str, table: str) -> dict:
    try:
        found = _catalog(settings, namespace).load_table((namespace, table))
    except (NoSuchNamespaceError, NoSuchTableError):
        raise _Missing("NoSuchTableException", f"There is no table {namespace}.{table} here.") from None
    return {"metadata-location": found.metadata_location, "metadata": _shown(found, namespace), "config": {}}


def _catalog(settings: Settings, namespace: str):
    if not NAMESPACE.fullmatch(namespace):
        raise _no_namespace(namespace)
    return open_catalog(settings, "lake" if namespace == RAW else "consumer")


def _no_namespace(namespace: str) -> _Missing:
    return _Missing("NoSuchNamespaceException", f"There is no namespace {namespace} here.")


def _shown(table: Table, namespace: str) -> dict:
    """The table's metadata with its current snapshot alone and no place to write."""
    metadata = json.loads(table.metadata.model_dump_json())
    current = metadata.get("current-snapshot-id")
    metadata |= {
        "location": f"{NO_PLACE}/{namespace}/{table.name()[-1]}",
        "properties": {key: value for key, value in table.properties.items() if not key.startswith("write.")},
        "snapshots": [one for one in metadata.get("snapshots", []) if one["snapshot-id"] == current],
        "snapshot-log": [],
        "metadata-log": [],
        "statistics": [],
        "partition-statistics": [],
        "refs": {"main": {"snapshot-id": current, "type": "branch"}} if current else {},
    }
    return metadata
