"""The two Iceberg catalogs, `lake` and `consumer`, in one SQL database (SQLite or PostgreSQL).

The lake may be in an Iceberg REST catalog instead. The consumer's may not: a release is one database transaction.
"""

import errno
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    RESTError,
    ServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
    ValidationException,
)
from requests import RequestException
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from include.errors import FixNeeded, Unavailable
from include.settings import Settings

CATALOGS = ("lake", "consumer")
BUSY_TIMEOUT_S = 60  # SQLite waits so long for another writer
CONFLICTS = (CommitFailedException, CommitStateUnknownException, ValidationException, OperationalError)
# S3 that may be back, as pyarrow tells it: an OSError without a number
STORE_AWAY = re.compile(
    r"AWS Error (NETWORK_CONNECTION|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|REQUEST_TIMEOUT"
    r"|UNKNOWN \(HTTP status 5..)"
)
# a REST catalog that may be back
CATALOG_AWAY = (RequestException, ServerError, ServiceUnavailableError, TooManyRequestsError)
T = TypeVar("T")


def open_catalog(settings: Settings, name: str) -> Catalog:
    """Opens catalog 'lake' or 'consumer'; creates its database tables and folder on first use.

    All but a lake at `settings.lake_uri` are SqlCatalog.

    Raises:
        FixNeeded: an unknown catalog name, or a REST catalog that refuses us.
        Unavailable: the database or the REST catalog does not answer.
    """
    if name not in CATALOGS:
        raise FixNeeded(f"There is no catalog {name!r}; open one of {', '.join(CATALOGS)}.")
    if name == "lake" and settings.lake_uri:
        return _open_rest(settings)
    uri = settings.catalog_uri
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        uri += f"?timeout={BUSY_TIMEOUT_S}"
    properties = _storage(settings)
    try:
        # two processes may create the database's tables at the same moment: the second try finds them
        return retry(
            lambda: SqlCatalog(name, uri=uri, warehouse=settings.warehouse_of(name), **properties),
            (IntegrityError, OperationalError, ProgrammingError),
        )
    except (IntegrityError, OperationalError, ProgrammingError) as error:
        raise Unavailable(
            f"The catalog database does not answer ({type(error.orig).__name__}). Start it, or correct "
            "OPENIMPACT_CATALOG_URI (see .env.example); nothing was changed."
        ) from None


def _storage(settings: Settings) -> dict[str, str]:
    addressing = {"s3.path-style-access": "true", "s3.force-virtual-addressing": "false"}
    return {**settings.storage, **addressing} if settings.storage else {}


def _open_rest(settings: Settings) -> Catalog:
    """The lake at its REST catalog; PyIceberg's own PYICEBERG_CATALOG__LAKE__* say warehouse, credential and the like.

    Raises:
        FixNeeded: it refuses us or our configuration.
        Unavailable: it does not answer.
    """
    try:
        return load_catalog("lake", type="rest", uri=settings.lake_uri, **_storage(settings))
    except CATALOG_AWAY as error:
        raise Unavailable(
            f"The lake's REST catalog does not answer ({type(error).__name__}). Start it, or correct "
            "OPENIMPACT_LAKE_URI (see .env.example); nothing was changed."
        ) from None
    except (RESTError, ValueError) as error:
        raise FixNeeded(
            f"The lake's REST catalog refused us ({type(error).__name__}). Correct PYICEBERG_CATALOG__LAKE__WAREHOUSE "
            "and its credential (see .env.example); nothing was changed."
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


@contextmanager
def sentences(what: str) -> Iterator[None]:
    """Turns the failures of a write to the lake into sentences; `what` says what was not done.

    Raises:
        FixNeeded: the warehouse or the catalog database is full, or the warehouse is not writable.
        Unavailable: other writers won every try, or the catalog or the storage does not answer.
    """
    full = f"The warehouse is full: {what}. Free space, then run this again."
    try:
        yield
    except CATALOG_AWAY as error:
        kind = type(error).__name__
        raise Unavailable(f"The lake's REST catalog does not answer ({kind}): {what}. Try again later.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FixNeeded(full) from error
        if away := STORE_AWAY.search(str(error)):
            raise Unavailable(f"The storage does not answer ({away[1]}): {what}. Try again later.") from error
        why = error.strerror or error
        raise FixNeeded(
            f"The warehouse cannot be written ({why}): {what}. Mend the storage, then run this again."
        ) from error
    except OperationalError as error:
        if "disk is full" in str(error.orig):
            raise FixNeeded(full) from error
        kind = type(error.orig).__name__
        raise Unavailable(f"The catalog database does not answer ({kind}): {what}. Try again later.") from error
    except CONFLICTS as error:
        raise Unavailable(f"Other writers came first every time: {what}. Try again later.") from error
