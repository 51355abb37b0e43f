"""The two Iceberg catalogs, `lake` and `consumer`, in one SQL database (SQLite or PostgreSQL)."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.exc import OperationalError, ProgrammingError

from include.errors import FixNeeded, Unavailable
from include.settings import Settings

CATALOGS = ("lake", "consumer")
BUSY_TIMEOUT_S = 60  # SQLite waits so long for another writer
T = TypeVar("T")


def open_catalog(settings: Settings, name: str) -> SqlCatalog:
    """Opens catalog 'lake' or 'consumer'; creates its database tables and folder on first use.

    Raises:
        FixNeeded: an unknown catalog name.
        Unavailable: the database does not answer.
    """
    if name not in CATALOGS:
        raise FixNeeded(f"There is no catalog {name!r}; open one of {', '.join(CATALOGS)}.")
    uri = settings.catalog_uri
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        uri += f"?timeout={BUSY_TIMEOUT_S}"
    properties = dict(settings.storage)
    if properties:
        properties |= {"s3.path-style-access": "true", "s3.force-virtual-addressing": "false"}
    try:
        # two processes may create the database's tables at the same moment: the second try finds them
        return retry(
            lambda: SqlCatalog(name, uri=uri, warehouse=settings.warehouse_of(name), **properties),
            (OperationalError, ProgrammingError),
        )
    except (OperationalError, ProgrammingError) as error:
        raise Unavailable(
            f"The catalog database does not answer ({type(error.orig).__name__}). Start it, or correct "
            "OPENIMPACT_CATALOG_URI (see .env.example); nothing was changed."
        ) from None


def retry(call: Callable[[], T], errors: tuple[type[Exception], ...], tries: int = 8) -> T:
    """Calls until it answers; on one of `errors` waits 0.05 s, doubled each time, with jitter, and tries again.

    Raises:
        The error of the last try.
    """
    for attempt in range(tries):
        try:
            return call()
        except errors:
            if attempt == tries - 1:
                raise
            time.sleep(0.05 * 2**attempt * (0.5 + random.random()))
    raise AssertionError("unreachable")
