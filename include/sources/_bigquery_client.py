"""Google's BigQuery client as the source `bigquery` uses it: patient, capped, and with our errors.

Facts that shape this file (google-cloud-bigquery 3.47.0):
- Its own retries wait up to 10 and 40 minutes and do not know Retry-After; so it gets none, and the session below
  tries again instead. A job has an id made before it is sent: sent twice, it is one job.
- A dry run is free and says the columns and the most bytes that the query can read.
- Results come as Arrow from REST pages; the Storage API would need another host, package and right.
"""

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from include.errors import BadCredentials, ContractBroken, FixNeeded, RateLimited, Unavailable
from include.http import LONGEST_WAIT_S, TIMEOUT_S, parse_retry_after, safe_url
from include.sources._bigquery_queries import Query, price_usd
from include.sources.base import Connection

ATTEMPTS = 4
JOB_TIMEOUT_S = 600.0
PAGE_ROWS = 20_000  # a page also ends at 10 MB
EMPTY_PAGES = 20  # in a row; more is a paging that does not move
LOCATION = "US"  # of every public dataset that is read
PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
SCOPES = ("https://www.googleapis.com/auth/bigquery",)
LIMITS = {"rateLimitExceeded", "quotaExceeded"}
PASSING = {"backendError", "internalError", "badGateway", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
ABSENT, DENIED, DEAR, BROKEN = "absent", "denied", "dear", "broken"


class Refused(Exception):
    """One query that cannot be answered; `kind` is absent, denied, dear or broken."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Warehouse:
    """Runs queries, each only after its dry run was below its limit."""

    def __init__(
        self, connection: Connection, day: date, cost: Counter[str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        from google.api_core.client_options import ClientOptions
        from google.auth.transport.requests import AuthorizedSession
        from google.cloud import bigquery

        endpoint = connection.urls[0]
        credentials, self.project = credentials_of(connection)
        self.day, self.cost = day, cost
        self.client = bigquery.Client(
            project=self.project,
            credentials=credentials,
            client_options=ClientOptions(api_endpoint=endpoint),
            _http=_PatientSession(AuthorizedSession(credentials), sleep, cost),
        )

    def rows(self, query: Query, log: logging.Logger, **parameters) -> Iterator[dict]:
        """The answer, row by row; all rows that BigQuery counted, or an error.

        Parameters are datetimes, or lists: of integers where the name ends in _ids, else of text.

        Raises:
            Refused: the table is absent or not ours to read, the dry run is above the limit, or columns changed.
            Unavailable: BigQuery is down, the job expired, or the pages do not add up.
            RateLimited: a quota is spent.
            BadCredentials: nothing may be run at all.
        """
        from google.cloud import bigquery

        text = query.text(self.day, self.project)
        config = {
            "query_parameters": [_parameter(name, value) for name, value in parameters.items()],
            "labels": {"app": "openimpact", "query": query.name},
        }
        size = self._dry_run(query, text, config)
        log.info("bigquery %s: dry run says %.3f GB, at most $%.4f", query.name, size / 1e9, price_usd(size))
        capped = bigquery.QueryJobConfig(
            **config, maximum_bytes_billed=query.limit_bytes, job_timeout_ms=int(JOB_TIMEOUT_S * 1000)
        )
        with _our_errors(query.name, running=True):
            job = self._start(text, capped)
            pages = job.result(page_size=PAGE_ROWS, retry=None, job_retry=None, timeout=JOB_TIMEOUT_S)
            _check_columns(query, pages.schema)
        try:
            with _our_errors(query.name, running=True):
                yield from _whole(query.name, pages)
        except Refused as refused:  # rows went out already
            raise Unavailable(f"bigquery: {refused}. Nothing was landed; the task reads the day again.") from None
        billed = job.total_bytes_billed or 0
        self.cost["bytes_billed"] += billed
        log.info("bigquery %s: billed %.3f GB", query.name, billed / 1e9)

    def _dry_run(self, query: Query, text: str, config: dict) -> int:
        """The most bytes that the query can read.

        Raises:
            Refused: they are above its limit, or it would answer with other columns.
        """
        from google.cloud import bigquery

        with _our_errors(query.name, running=False):
            job = self._start(text, bigquery.QueryJobConfig(**config, dry_run=True, use_query_cache=False))
            size = job.total_bytes_processed
            schema = job.schema
        if size is None:
            raise Refused(BROKEN, f"{query.name}: the dry run names no bytes, so the query was not run")
        if size > query.limit_bytes:
            raise Refused(
                DEAR,
                f"{query.name}: the dry run says {size / 1e9:,.1f} GB, above its limit of {query.limit_gb:g} GB; the "
                "query was not run. Raise limit_gb in include/sources/_bigquery_queries.py if the price is right",
            )
        if schema:
            _check_columns(query, schema)
        return size

    def _start(self, text: str, config):
        return self.client.query(
            text, job_config=config, location=LOCATION, retry=None, job_retry=None, timeout=TIMEOUT_S[1]
        )


def credentials_of(connection: Connection) -> tuple[object, str]:
    """Credentials and the project that pays: login = project, password = a service account's key as JSON.

    Without a password the machine's own (Application Default Credentials); a http:// address gets none at all.

    Raises:
        BadCredentials: there are none, or the key is no key.
        FixNeeded: no project is named.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    project = connection.login
    if urlsplit(connection.urls[0]).scheme == "http":
        credentials = AnonymousCredentials()
    elif connection.password:
        try:
            key = json.loads(connection.password)
            credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
        except (ValueError, AttributeError, TypeError, GoogleAuthError):
            raise BadCredentials(
                "bigquery: the password of AIRFLOW_CONN_GOOGLE_CLOUD is no service account key. Put the key's whole "
                "JSON text there, or leave it out and use Application Default Credentials."
            ) from None
        project = project or credentials.project_id
    else:
        try:
            credentials, own = google.auth.default(scopes=SCOPES)
        except GoogleAuthError:
            raise BadCredentials(
                "bigquery: AIRFLOW_CONN_GOOGLE_CLOUD has no key and this machine no credentials of its own. Set "
                "GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or put a service "
                "account's key there as the password."
            ) from None
        project = project or own
    if not project or not PROJECT.fullmatch(project):
        raise FixNeeded(
            "bigquery: AIRFLOW_CONN_GOOGLE_CLOUD names no Google Cloud project; write it as the login, as in "
            "https://my-project@bigquery.googleapis.com (see docs/runbooks/bigquery.md)."
        )
    return credentials, project


class _PatientSession:
    """What Google's client sends through: tries again what may pass, and waits as it is told."""

    def __init__(self, session, sleep: Callable[[float], None], cost: Counter[str]) -> None:
        self.session, self.sleep, self.cost = session, sleep, cost

    def request(self, method: str, url: str, **more):
        """The answer, whose body is whole and JSON.

        Raises:
            Unavailable, RateLimited: not after all attempts, or not before a wait that is longer than we sit out.
            BadCredentials: the key or its rights were refused.
        """
        for attempt in range(1, ATTEMPTS + 1):
            wait_s = 0.5 * 2 ** (attempt - 1)
            response, failure = self._once(method, url, **more)
            if failure is None:
                return response
            asked_s = None if response is None else parse_retry_after(response.headers, datetime.now(UTC))
            if asked_s is not None:
                wait_s = asked_s
                if asked_s > LONGEST_WAIT_S:
                    raise failure
            if attempt < ATTEMPTS:
                self.sleep(wait_s)
        raise failure

    def _once(self, method: str, url: str, **more):
        """The response, and what is wrong with it if that may pass."""
        import requests
        from google.auth.exceptions import GoogleAuthError, TransportError

        place = _place(url)
        self.cost["requests"] += 1
        try:
            response = self.session.request(method, url, **more)
            self.cost["bytes"] += len(response.content)  # reads the body, which may be cut
        except (requests.RequestException, GoogleAuthError) as error:
            if isinstance(error, GoogleAuthError) and not (error.retryable or isinstance(error, TransportError)):
                raise BadCredentials(
                    "bigquery: Google refuses the credentials of AIRFLOW_CONN_GOOGLE_CLOUD. Is the key deleted or "
                    "expired? Make a new one, or log in again."
                ) from None
            return None, Unavailable(f"{place}: no whole answer ({type(error).__name__}) in {ATTEMPTS} attempts.")
        reason = _reason(response)
        if response.status_code == 429 or reason == "rateLimitExceeded":
            asked_s = parse_retry_after(response.headers, datetime.now(UTC))
            opens = None if asked_s is None else datetime.now(UTC) + timedelta(seconds=asked_s)
            return response, RateLimited(f"{place}: too many requests. Nothing was landed; the task retries.", opens)
        if response.status_code >= 500 or reason in PASSING:
            return response, Unavailable(
                f"{place}: {response.status_code} in {ATTEMPTS} attempts; BigQuery is down. Nothing was landed."
            )
        if reason is None:
            return response, Unavailable(f"{place}: an answer that is no JSON, {ATTEMPTS} times. Nothing was landed.")
        return response, None

    def close(self) -> None:
        """Closes the connections."""
        self.session.close()


def _place(url: str) -> str:
    """The address for a message, without query, project and job."""
    return re.sub(r"/(projects|queries|jobs)/[^/]+", r"/\1/…", safe_url(url))


def _reason(response) -> str | None:
    """The reason of an error answer, '' if it is none or has none; None if it is no JSON object."""
    try:
        value = response.json()
        if not isinstance(value, dict):
            return None
        errors = value.get("error", {}).get("errors") or [{}]
        return str(errors[0].get("reason") or "")
    except (ValueError, AttributeError, IndexError, TypeError, RecursionError):
        return None


@contextmanager
def _our_errors(name: str, *, running: bool):
    """Google's errors as ours; `running`: the dry run found the tables, so what is absent now is the job."""
    from concurrent.futures import TimeoutError as JobTimeout

    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except JobTimeout:
        raise Unavailable(f"bigquery {name}: no result in {JOB_TIMEOUT_S:.0f} s. The task retries.") from None
    except GoogleAPICallError as error:
        raise _translated(name, error, running) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:  # from within Google's client
        raise ContractBroken(
            f"bigquery {name}: an answer that Google's client cannot read ({type(error).__name__}). Nothing was "
            "landed. Compare google-cloud-bigquery's version with constraints.txt."
        ) from error


def _translated(name: str, error, running: bool) -> Exception:
    errors = [e for e in error.errors or () if isinstance(e, dict)]
    reasons = {str(e.get("reason")) for e in errors}
    said = " ".join(str(errors[0].get("message") if errors else error.message).split())[:200]
    if reasons & LIMITS or error.code == 429:
        return RateLimited(f"bigquery {name}: a quota of the project is spent ({said}). The task retries.")
    if error.code == 401 or "bigquery.jobs.create" in said:
        return BadCredentials(
            f"bigquery {name}: the project or its rights are refused ({said}). Give the account the role BigQuery "
            "Job User in the project that AIRFLOW_CONN_GOOGLE_CLOUD names."
        )
    if "notFound" in reasons or error.code == 404:
        if running:
            return Unavailable(f"bigquery {name}: the job or its result expired ({said}). The task runs it again.")
        return Refused(ABSENT, f"{name}: {said}")
    if "accessDenied" in reasons or error.code == 403:
        return Refused(DENIED, f"{name}: {said}")
    if "bytesBilledLimitExceeded" in reasons:
        return Refused(DEAR, f"{name}: {said}; nothing was billed")
    if error.code == 400 and not reasons & (PASSING | {"stopped", "timeout", "resourcesExceeded"}):
        return Refused(BROKEN, f"{name}: {said}")
    return Unavailable(f"bigquery {name}: {error.code}, {said}. Nothing was landed; the task retries.")


def _check_columns(query: Query, schema) -> None:
    found = {field.name: "INTEGER" if field.field_type == "INT64" else field.field_type for field in schema}
    found = {name: "BOOLEAN" if kind == "BOOL" else kind for name, kind in found.items()}
    wrong = [
        f"{name} is {found.get(name, 'gone')}, not {' or '.join(kinds)}"
        for name, kinds in query.columns.items()
        if found.get(name) not in kinds
    ]
    if wrong:
        raise Refused(BROKEN, f"{query.name}: {'; '.join(wrong[:5])}. Adapt the query to the table's new columns")


def _whole(name: str, pages) -> Iterator[dict]:
    """The rows of all pages; as many as BigQuery said, or an error."""
    expected, read, empty = pages.total_rows, 0, 0
    for page in pages.to_arrow_iterable(bqstorage_client=None):
        read += page.num_rows
        empty = 0 if page.num_rows else empty + 1
        if (expected is not None and read > expected) or empty > EMPTY_PAGES:
            break
        yield from page.to_pylist()
    if expected is not None and read != expected or empty > EMPTY_PAGES:
        raise Unavailable(
            f"bigquery {name}: {read:,} rows in its pages, but BigQuery counted {expected:,}. Nothing was landed; the "
            "task reads the day again."
        )


def _parameter(name: str, value):
    from google.cloud import bigquery

    if isinstance(value, datetime):
        return bigquery.ScalarQueryParameter(name, "TIMESTAMP", value)
    return bigquery.ArrayQueryParameter(name, "INT64" if name.endswith("_ids") else "STRING", list(value))
