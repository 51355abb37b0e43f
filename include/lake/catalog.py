"""The two Iceberg catalogs, `lake` and `consumer`, in one SQL database (SQLite or PostgreSQL)."""

import errno
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, ValidationException
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
            (IntegrityError, OperationalError, ProgrammingError),
        )
    except (IntegrityError, OperationalError, ProgrammingError) as error:
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


@contextmanager
def sentences(what: str) -> Iterator[None]:
    """Turns the failures of a write to the lake into sentences; `what` says what was not done.

    Raises:
        FixNeeded: the warehouse or the catalog database is full, or the warehouse is not writable.
        Unavailable: other writers won every try, or the catalog database or the storage does not answer.
    """
    full = f"The warehouse is full: {what}. Free space, then run this again."
    try:
        yield
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
