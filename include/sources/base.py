"""The contract of a source: what it is, what it brings, and what its `fetch` yields.

A source is one file with a `SOURCE = Source(...)`; the steps in include/ingest.py,
the raw tables, the DAG and the contract tests follow from that object.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

import pyarrow as pa

from include.errors import FixNeeded

if TYPE_CHECKING:
    from include.http import HttpClient

TIMESTAMP = pa.timestamp("us", tz="UTC")
BATCH_ROWS = 20_000
SYSTEM_COLUMNS = ("_day", "_run_id", "_loaded_at")


def column(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    """One documented column; the text reaches the raw table and dbt's docs."""
    return pa.field(name, kind, metadata={"doc": doc})


SYSTEM_FIELDS = (
    column("_day", pa.date32(), "UTC day that this row was landed for"),
    column("_run_id", pa.string(), "Run that landed this row"),
    column("_loaded_at", TIMESTAMP, "When the run fetched this row, UTC"),
)
COVERAGE_SCHEMA = pa.schema(
    [
        column("stream", pa.string(), "Stream that the line describes"),
        column("part", pa.string(), "Piece of the day: a file hour, a directory commit"),
        column("expected", pa.int64(), "Units expected; null if the upstream cannot tell"),
        column("observed", pa.int64(), "Units that were read of them"),
        column("status", pa.string(), "complete, damaged, missing, known_missing or late"),
        column("reason", pa.string(), "Why it is not complete, or what was left out"),
    ]
)
REJECTED_SCHEMA = pa.schema(
    [
        column("stream", pa.string(), "Stream that the row was meant for"),
        column("part", pa.string(), "Where it stood: a file hour, a path"),
        column("reason", pa.string(), "What is wrong with it"),
        column("sample", pa.string(), "Its first 200 bytes"),
    ]
)


@dataclass(frozen=True)
class Window:
    """The UTC days [start, end)."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise FixNeeded(f"The window {self.start} to {self.end} holds no day; its end is exclusive.")

    @classmethod
    def of(cls, day: date) -> "Window":
        """The window of one day."""
        return cls(day, day + timedelta(days=1))

    def days(self) -> list[date]:
        """The days, ascending."""
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days)]


@dataclass(frozen=True)
class Pool:
    """The Airflow pool that stands for an upstream's quota."""

    name: str
    slots: int = 1


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One raw table of a source: raw.<source>__<name>. `key` is unique within a day."""

    name: str
    doc: str
    schema: pa.Schema
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        missing = [k for k in self.key if k not in self.schema.names]
        if missing:
            raise ValueError(
                f"stream {self.name!r}: key names {missing}, which are not in its schema "
                f"{self.schema.names}. Fix one of the two."
            )

    @property
    def raw_schema(self) -> pa.Schema:
        """The schema of the raw table: the stream's columns and the system columns."""
        return pa.schema([*self.schema, *SYSTEM_FIELDS])


@dataclass(frozen=True)
class Batch:
    """Rows of a stream, in the stream's schema."""

    stream: str
    rows: pa.RecordBatch


@dataclass(frozen=True)
class Rejected:
    """One row that could not be read; `sample` is its first 200 bytes."""

    stream: str
    reason: str
    sample: str
    part: str


@dataclass(frozen=True)
class Coverage:
    """What was expected and read of one part of the day."""

    stream: str
    part: str
    expected: int | None
    observed: int | None
    status: Literal["complete", "damaged", "missing", "known_missing", "late"]
    reason: str | None = None


@dataclass(frozen=True)
class Unchanged:
    """The upstream is as at the last landing: nothing is landed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where an upstream is and how to log in; secrets never show in repr."""

    urls: tuple[str, ...]
    login: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Tracked:
    """What the registry and former landings say we follow on GitHub; names and owners are lower case."""

    names: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    repo_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Listed:
    """One artifact that a project of the registry lists; `identity` is in its normal form."""

    project: str
    kind: str
    identity: str
    network: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Previous:
    """The last complete landing: its day, and observed rows by (stream, part)."""

    day: date
    observed: Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a fetch may use; `now` is aware UTC."""

    connection: Connection
    http: "HttpClient"
    now: datetime
    tracked: Tracked | None = None
    listed: tuple[Listed, ...] = ()
    created: frozenset[tuple[str, str]] = frozenset()  # (network, address) of contracts that former landings saw made
    previous: Previous | None = None
    keep: Path | None = None  # folder for answers that serve later days too; cleared when unused for a week
    allow_shrink: bool = False
    force: bool = False
    log: logging.Logger = logging.getLogger("openimpact.sources")
    progress: Callable[[int, int, str], None] = lambda done, total, label="": None


Item = Batch | Rejected | Coverage | Unchanged


@dataclass(frozen=True, kw_only=True)
class Source:
    """One upstream. `fetch(window, context)` is called with the window of one day."""

    name: str
    doc: str
    owner: str
    schedule: str | None
    tier: int
    window: Literal["day", "now"]
    pool: Pool
    connection: str
    default_urls: tuple[str, ...]
    streams: tuple[Stream, ...]
    fetch: Callable[[Window, Context], Iterator[Item]]
    runbook: str
    licence: str
    docs_url: str
    ready_after: timedelta = timedelta(0)  # after the end of a day; its run waits until then
    restate_days: int = 0  # days before its own that a scheduled run reads again
    reject_threshold: float = 0.001  # of the rows read, for a day; one row a part is always tolerated
    first_day: date | None = None  # earlier days are refused, with `first_day_reason`
    first_day_reason: str = ""
    tracks: Literal["github", "contracts"] | None = None  # needs what the registry and its former landings know
    lists: tuple[str, ...] = ()  # kinds of the registry's artifacts that it needs to know
    may_be_off: str | None = None  # why the source is off where its connection is not set; None: it never is

    def __post_init__(self) -> None:
        if self.window == "now" and self.restate_days:
            raise ValueError(f"source {self.name!r}: a source of now cannot restate days; set restate_days=0.")
        if self.window == "day" and self.schedule and not self.schedule.startswith("0 0 "):
            raise ValueError(
                f"source {self.name!r}: the schedule {self.schedule!r} of a source of days must run at 00:00 UTC, as "
                "'0 0 * * *' does, so that the dates of a backfill are its days; set ready_after for a later hour."
            )
        names = [s.name for s in self.streams]
        if len(set(names)) != len(names) or {"coverage", "rejected"} & set(names):
            raise ValueError(f"source {self.name!r}: stream names {names} must differ and not be coverage or rejected.")

    def stream(self, name: str) -> Stream:
        """The stream of that name, coverage and rejected included."""
        return next(s for s in self.all_streams if s.name == name)

    @property
    def all_streams(self) -> tuple[Stream, ...]:
        """Every raw table in commit order: the streams, rejected, and coverage last."""
        rejected = Stream(name="rejected", doc=f"Rows of {self.name} kept aside.", schema=REJECTED_SCHEMA, key=())
        coverage = Stream(
            name="coverage",
            doc=f"What each landing of {self.name} expected and read.",
            schema=COVERAGE_SCHEMA,
            key=("stream", "part"),
        )
        return (*self.streams, rejected, coverage)

    def table(self, stream: str) -> str:
        """The raw table of a stream."""
        return f"raw.{self.name}__{stream}"


def off_reason(source: Source, env: Mapping[str, str]) -> str | None:
    """Why the source is off, as a sentence; None if it is on."""
    variable = f"AIRFLOW_CONN_{source.connection.upper()}"
    if source.may_be_off is None or (env.get(variable) or "").strip():
        return None
    return f"{source.name} is off: {source.may_be_off}. Set {variable} (see .env.example) to turn it on."


def batches(stream: Stream, rows: Iterable[tuple]) -> Iterator[Batch]:
    """Batches of at most BATCH_ROWS rows, whose cells are in the order of the stream's schema; none without rows."""
    waiting = iter(rows)
    while held := list(islice(waiting, BATCH_ROWS)):
        columns = zip(*held, strict=True)
        arrays = [pa.array(cells, f.type) for cells, f in zip(columns, stream.schema, strict=True)]
        yield Batch(stream.name, pa.record_batch(arrays, schema=stream.schema))


def sample_of(raw: bytes | str) -> str:
    """The first 200 bytes as printable text, for a rejected row."""
    raw = raw.encode("utf-8", "replace") if isinstance(raw, str) else bytes(raw)
    return raw[:200].decode("utf-8", "replace").replace("\x00", "\ufffd")


def parse_connection(env: Mapping[str, str], name: str, default_urls: tuple[str, ...]) -> Connection:
    """The connection `name` from AIRFLOW_CONN_<NAME>: a URI, a comma-separated list of them, or Airflow's JSON.

    Without the variable the public default is used anonymously.

    Raises:
        FixNeeded: the value is not a URI with http, https or file.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = (env.get(variable) or "").strip()
    if not text:
        return Connection(urls=tuple(default_urls))
    login = password = None
    if text.startswith("{"):
        text, login, password = _from_json(text, variable)
    urls = []
    for url in _mirrors(text, variable):
        parts = urlsplit(url)
        if "@" in parts.netloc:
            login = unquote(parts.username or "") or login
            password = unquote(parts.password or "") or password
            parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        urls.append(urlunsplit(parts).rstrip("/"))
    return Connection(urls=tuple(urls), login=login, password=password)


def _from_json(text: str, variable: str) -> tuple[str, str | None, str | None]:
    try:
        value = json.loads(text)
        host = str(value.get("host") or "")
    except (ValueError, AttributeError):
        raise FixNeeded(f"{variable} starts like JSON but is not an Airflow connection object; fix it.") from None
    scheme = str(value.get("conn_type") or "https")
    if "://" not in host:
        schema = value.get("schema") or ""
        if schema in ("http", "https"):
            scheme, schema = schema, ""
        port = f":{value['port']}" if value.get("port") else ""
        hosts = ",".join(f"{h.strip()}{port}" for h in host.split(","))
        host = f"{scheme}://{hosts}/{schema}" if scheme != "file" else f"file://{host}"
    return host, value.get("login") or None, value.get("password") or None


def _mirrors(text: str, variable: str) -> list[str]:
    """The URLs of a comma-separated list; `http://a,b/path` means the same path on both hosts.

    Commas of a password, which may be several tokens, separate no URLs.
    """
    text = re.sub(r"//[^/@]*@", lambda found: found[0].replace(",", "%2C"), text)
    parts = [p.strip() for p in text.split(",") if p.strip()]
    bare = [p for p in parts[1:] if "://" not in p]
    if bare:
        scheme, _, first = parts[0].partition("://")
        path = bare[-1].partition("/")[2]
        parts = [f"{scheme}://{first}" if "/" in first else f"{scheme}://{first}/{path}"] + [
            p if "://" in p else f"{scheme}://{p}" if "/" in p else f"{scheme}://{p}/{path}" for p in parts[1:]
        ]
    urls = []
    for part in parts:
        split = urlsplit(part)
        if split.netloc and "%3a%2f%2f" in split.netloc.lower():  # Airflow writes http://https%3A%2F%2Fhost/
            part = unquote(split.netloc) + split.path
        elif split.scheme == "http" and split.path.rstrip("/") == "/https":  # Airflow's schema form
            part = f"https://{split.netloc}"
        if urlsplit(part).scheme not in ("http", "https", "file"):
            raise FixNeeded(
                f"{variable} must be http://, https:// or file:// addresses, separated by commas; its scheme is "
                f"{urlsplit(part).scheme[:20]!r}. Correct it in .env (see .env.example)."
            )
        urls.append(part)
    return urls
