"""GitHub's public events, from the hourly files of GitHub Archive.

Facts that shape this file (checked 2026-11):
- Files are named without zero padding, YYYY-MM-DD-H.json.gz, and appear about 5 minutes after
  the hour. A 404 within 4 hours is late, later it is missing; what is lost is never backfilled.
- The archive is no longer complete (since 2025-05), so several archives are united by event id
  and every hour's state is recorded as coverage.
- From 2025-10-07 pushes list no commits and pull requests have a few fields only: those columns
  are null. A merge is `closed` + merged before, action `merged` after.
- The file hour is when the archive wrote an event; created_at can be earlier. A day therefore also
  reads hour 0 of the next one, as hour 24.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

import pyarrow as pa

from include.errors import FixNeeded, OpenImpactError, SuspectData, Unavailable
from include.http import local_path, safe_url
from include.sources._archive_parse import Hour, commit_rows, event_row, scan_hour
from include.sources.base import (
    TIMESTAMP,
    Batch,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Window,
    column,
)

BATCH_ROWS = 20_000
LATE_AFTER_HOUR_END = timedelta(hours=4)
SPOOL_BYTES = 32 << 20  # rows of one hour held in memory before they go to a temporary file
MIRRORS_SINCE = {"https://gharchive.open-digger.cn": date(2026, 9, 6)}
KNOWN_MISSING = (  # first and last hour that answer 404 for good (igrigorik/gharchive.org #225, 2026-08)
    ("2016-10-21T18", "2016-10-21T18"),
    ("2018-10-21T23", "2018-10-22T01"),
    ("2019-05-08T12", "2019-05-08T13"),
    ("2019-09-12T08", "2019-09-13T05"),
    ("2020-03-05T22", "2020-03-05T22"),
    ("2020-06-10T12", "2020-06-10T21"),
    ("2020-08-21T09", "2020-08-23T15"),
    ("2021-08-25T17", "2021-08-27T22"),
    ("2021-10-22T00", "2021-10-26T23"),
)

INT, TEXT, BOOL = pa.int64(), pa.string(), pa.bool_()
EVENTS = Stream(
    name="events",
    doc="One row per event id of a tracked repository; payload columns are null where the payload has no such field.",
    key=("id",),
    schema=pa.schema(
        [
            column("id", TEXT, "GitHub's event id"),
            column("type", TEXT, "Event type, unknown ones included"),
            column("actor_id", INT, "Account that acted"),
            column("actor_login", TEXT, "Its login at that time"),
            column("repo_id", INT, "Repository; stays when the name changes"),
            column("repo_name", TEXT, "owner/name at that time"),
            column("org_id", INT, "Organisation that owns the repository"),
            column("org_login", TEXT, "Login of that organisation"),
            column("created_at", TIMESTAMP, "When it happened, UTC"),
            column("public", BOOL, "Always true: other lines are rejected"),
            column("hour", pa.int32(), "Hour of the file, 0 to 23; 24 is hour 0 of the next day"),
            column("action", TEXT, "payload.action, such as opened"),
            column("ref", TEXT, "Branch or tag of a push, create or delete"),
            column("number", INT, "Issue or pull request number, also of comments and reviews"),
            column("object_id", INT, "Id of the comment, review or release, or of the fork"),
            column("push_size", INT, "Commits of the push; null after 2025-10-06"),
            column("listed_commits", INT, "Commits that the push lists, 20 at most; null after 2025-10-06"),
            column("author_id", INT, "Author of the pull request, issue, comment, review or release"),
            column("author_login", TEXT, "Login of that account"),
            column("author_type", TEXT, "User, Bot or Organization"),
            column("opened_at", TIMESTAMP, "When the pull request or issue was opened"),
            column("closed_at", TIMESTAMP, "When it was closed"),
            column("merged_at", TIMESTAMP, "When the pull request was merged"),
            column("is_merged", BOOL, "This event is the merge; null if a close does not tell, and for other types"),
            column("merged_by_id", INT, "Account that merged"),
            column("merged_by_login", TEXT, "Login of that account"),
            column("merged_by_type", TEXT, "User or Bot"),
            column("item_author_id", INT, "Author of the issue or pull request that a comment or review is on"),
            column("on_pull_request", BOOL, "An issue comment is on a pull request"),
            column("default_branch", TEXT, "Default branch of the repository, where the payload tells"),
            column("repo_created_at", TIMESTAMP, "When the repository was created, where the payload tells"),
            column("is_fork", BOOL, "The repository is a fork, where the payload tells"),
            column("is_prerelease", BOOL, "The release is a prerelease"),
            column("published_at", TIMESTAMP, "When the release was published"),
            column("submitted_at", TIMESTAMP, "When the review was submitted"),
            column("_payload", TEXT, "The whole payload as JSON text; clear e-mails are hashed"),
        ]
    ),
)
PUSH_COMMITS = Stream(
    name="push_commits",
    doc="One row per commit that a push lists; none after 2025-10-06.",
    key=("event_id", "position"),
    schema=pa.schema(
        [
            column("event_id", TEXT, "Event of the push"),
            column("position", pa.int32(), "Place in the push, from 0"),
            column("sha", TEXT, "Git's hash that names the commit"),
            column("author_name", TEXT, "Name in the commit"),
            column("author_email", TEXT, "sha1(local part)@host"),
            column("is_distinct", BOOL, "First appearance of the commit"),
            column("repo_id", INT, "Repository pushed to"),
            column("created_at", TIMESTAMP, "When it was pushed, UTC"),
        ]
    ),
)
TYPE_COUNTS = Stream(
    name="type_counts",
    doc="Events of each hour by type, of all repositories in the world.",
    key=("hour", "type"),
    schema=pa.schema(
        [
            column("hour", pa.int32(), "Hour of the file, 0 to 23"),
            column("type", TEXT, "GitHub's type of the event"),
            column("event_count", INT, "Lines of that type; distinct ids where archives were united"),
        ]
    ),
)
REPOSITORIES = Stream(
    name="repositories",
    doc="Names that each tracked repository had on the day.",
    key=("repo_id", "repo_name"),
    schema=pa.schema(
        [
            column("repo_id", INT, "GitHub's number of the repository"),
            column("repo_name", TEXT, "owner/name as in the events"),
            column("owner", TEXT, "Owner, lower case"),
            column("first_at", TIMESTAMP, "First event under this name that day"),
            column("last_at", TIMESTAMP, "Last event under this name that day"),
        ]
    ),
)


@dataclass
class _Day:
    """What must be known across the hours of a day."""

    end: datetime
    ids: set[str] = field(default_factory=set)
    names: dict[tuple[int, str], list[datetime]] = field(default_factory=dict)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """The events of one UTC day, hour by hour, hour 24 included.

    Raises:
        FixNeeded: nothing is tracked yet.
        Unavailable: an hour is late, cut or damaged everywhere; nothing may be landed.
        SuspectData: more than 0.1 % of an hour's lines cannot be read.
    """
    tracked = context.tracked
    if tracked is None or not (tracked.names or tracked.owners or tracked.repo_ids):
        raise FixNeeded(
            "github_archive: the registry names no GitHub repository or owner, so there is nothing to look for. "
            "Land oss_directory first: python -m include land oss_directory"
        )
    for url in context.connection.urls:
        if url.startswith("file:") and not local_path(url).is_dir():
            raise FixNeeded(
                f"github_archive: {local_path(url)} is no folder. Point AIRFLOW_CONN_GITHUB_ARCHIVE to a folder of "
                "YYYY-MM-DD-H.json.gz files or to an archive's address."
            )
    start = datetime.combine(window.start, time(), UTC)
    day = _Day(end=datetime.combine(window.end, time(), UTC))
    for hour in range(25):
        context.progress(hour, 25, f"{window.start} hour {hour}")
        yield from _fetch_hour(start + timedelta(hours=hour), hour, day, context)
    yield from _repository_batches(day)
    context.progress(25, 25, f"{window.start}")


def _fetch_hour(at: datetime, hour: int, day: _Day, context: Context) -> Iterator[Item]:
    """One hour, united from every archive that has it."""
    part = f"{hour:02d}"
    bases = [url for url in context.connection.urls if at.date() >= MIRRORS_SINCE.get(url, date.min)]
    found: list[Hour] = []
    failures: list[OpenImpactError] = []
    for base in bases:
        url = f"{base}/{at:%Y-%m-%d}-{at.hour}.json.gz"
        with _spool() as spool:
            rows = _Rows(hour, day, spool)
            try:
                result = _read(url, rows, context, with_ids=len(bases) > 1)
            except (Unavailable, SuspectData) as error:
                context.log.warning("%s", error)
                failures.append(error)
                continue
            if result is None:
                continue
            found.append(result)
            yield from rows.accept()
    if not found and failures:
        raise next((e for e in failures if isinstance(e, Unavailable)), failures[0])
    if not found:
        yield _absent(at, part, bases, context.now)
        return
    for one in found:
        for reason, sample in one.bad:
            yield Rejected("events", reason, sample, part)
    yield from _count(found, hour, part, failures)


def _read(url: str, rows: "_Rows", context: Context, *, with_ids: bool) -> Hour | None:
    """Scans one file into `rows`; None if it is not there."""
    result = Hour()
    with context.http.open(url) as body:
        if body is None:
            return None
        try:
            scan_hour(body, context.tracked, rows.add, hour=result, with_ids=with_ids)
        except (EOFError, OSError, _isal_error()) as error:  # a wrong CRC is an OSError
            raise Unavailable(
                f"github_archive: {safe_url(url)} is cut or damaged ({str(error)[:120] or type(error).__name__}). "
                "Nothing of this day was landed; the task fetches it again later."
            ) from error
    if result.too_bad:
        reason, sample = result.bad[0]
        raise SuspectData(
            f"github_archive: {result.bad_lines} of {result.lines + result.bad_lines} lines of {safe_url(url)} cannot "
            f"be read, above 0.1 %; the first one {reason}: {sample[:80]!r}. Look at the file, then land the day "
            "again; the former content of the day was kept."
        )
    return result


def _isal_error() -> type[Exception]:
    """isal's own error class, or zlib's."""
    try:
        from isal.isal_zlib import error
    except ImportError:
        from zlib import error
    return error


def _absent(at: datetime, part: str, bases: list[str], now: datetime) -> Coverage:
    """Coverage of an hour that no archive has; late hours fail the day instead."""
    deadline = at + timedelta(hours=1) + LATE_AFTER_HOUR_END
    if now < deadline:
        raise Unavailable(
            f"github_archive: hour {at:%Y-%m-%d %H}:00 UTC is not published yet; it is late, not missing, until "
            f"{deadline:%Y-%m-%d %H:%M} UTC. Nothing of this day was landed; the task retries."
        )
    stamp = f"{at:%Y-%m-%dT%H}"
    if any(first <= stamp <= last for first, last in KNOWN_MISSING):
        return Coverage("events", part, 1, 0, "known_missing", "lost for good (gharchive.org #225)")
    return Coverage("events", part, 1, 0, "missing", f"404 in {len(bases)} archive{'s' if len(bases) > 1 else ''}")


def _count(found: list[Hour], hour: int, part: str, failures: list[OpenImpactError]) -> Iterator[Item]:
    """Type counts and coverage of an hour: lines of one archive, distinct ids of several."""
    if len(found) == 1:
        counts = found[0].counts
    else:
        united: dict[str, set[bytes]] = {}
        for one in found:
            for kind, ids in one.ids.items():
                united.setdefault(kind, set()).update(ids)
        counts = {kind: len(ids) for kind, ids in united.items()}
    if hour < 24 and counts:
        yield from _batches(TYPE_COUNTS, [cell for kind, n in sorted(counts.items()) for cell in (hour, kind, n)])
    reasons = [str(e)[:300] for e in failures]
    lines = sum(counts.values())
    if not lines:
        reasons.insert(0, "the file is empty")
    yield Coverage("events", part, 1, lines, "complete" if lines else "damaged", "; ".join(reasons) or None)


class _Rows:
    """The kept rows of one file, held until the whole file has proved sound."""

    def __init__(self, hour: int, day: _Day, spool) -> None:
        self.hour, self.day, self.spool = hour, day, spool
        self.events: list = []  # cells, row after row: a tuple a row would keep the garbage collector busy
        self.commits: list = []
        self.ids: set[str] = set()
        self.names: dict[tuple[int, str], list[datetime]] = {}
        self.held_bytes = 0
        self.writers: dict[str, pa.RecordBatchWriter] = {}

    def add(self, event, payload, raw: str) -> None:
        """Keeps one event unless this day has its id, or it belongs to the next day."""
        event_id, at = event.id, event.created_at
        if event_id in self.day.ids or event_id in self.ids or (self.hour == 24 and at >= self.day.end):
            return
        self.ids.add(event_id)
        self.events += event_row(event, payload, raw, self.hour)
        if payload.commits:
            self.commits += chain.from_iterable(commit_rows(event, payload))
        _widen(self.names, (event.repo.id, event.repo.name), at, at)
        self.held_bytes += len(raw)
        if len(self.events) >= BATCH_ROWS * len(EVENTS.schema) or self.held_bytes > SPOOL_BYTES:
            self._spill()

    def _spill(self) -> None:
        for batch in self._held():
            if batch.stream not in self.writers:
                self.writers[batch.stream] = pa.ipc.new_stream(self.spool[batch.stream], batch.rows.schema)
            self.writers[batch.stream].write_batch(batch.rows)

    def _held(self) -> Iterator[Batch]:
        for stream, cells in ((EVENTS, self.events), (PUSH_COMMITS, self.commits)):
            yield from _batches(stream, cells)
            cells.clear()
        self.held_bytes = 0

    def accept(self) -> Iterator[Batch]:
        """The rows, and their ids and names into the day."""
        self.day.ids |= self.ids
        for key, (first, last) in self.names.items():
            _widen(self.day.names, key, first, last)
        for name, writer in self.writers.items():
            writer.close()
            self.spool[name].seek(0)
            for batch in pa.ipc.open_stream(self.spool[name]):
                yield Batch(name, batch)
        yield from self._held()


def _widen(names: dict, key: tuple[int, str], first: datetime, last: datetime) -> None:
    span = names.get(key)
    if span is None:
        names[key] = [first, last]
        return
    if first < span[0]:
        span[0] = first
    if last > span[1]:
        span[1] = last


@contextmanager
def _spool():
    """Temporary files for the streams of one hour."""
    with (
        tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as events,
        tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as commits,
    ):
        yield {"events": events, "push_commits": commits}


def _repository_batches(day: _Day) -> Iterator[Batch]:
    cells: list = []
    for (repo_id, name), (first, last) in sorted(day.names.items()):
        cells += (repo_id, name, name.partition("/")[0].lower(), first, last)
    return _batches(REPOSITORIES, cells)


def _batches(stream: Stream, cells: list) -> Iterator[Batch]:
    """Batches of rows whose cells follow one another, in the order of the schema."""
    schema, width = stream.schema, len(stream.schema)
    for start in range(0, len(cells), BATCH_ROWS * width):
        end = min(start + BATCH_ROWS * width, len(cells))
        columns = [pa.array(cells[start + place : end : width], f.type) for place, f in enumerate(schema)]
        yield Batch(stream.name, pa.record_batch(columns, schema=schema))


SOURCE = Source(
    name="github_archive",
    doc="Public GitHub events of the registry's repositories and owners, by hour.",
    owner="events",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=5, minutes=30),  # hour 0 of the next day is final at 05:00
    tier=1,
    window="day",
    restate_days=0,
    pool=Pool("github_archive", slots=2),
    connection="github_archive",
    default_urls=("https://data.gharchive.org", "https://gharchive.open-digger.cn"),
    streams=(EVENTS, PUSH_COMMITS, TYPE_COUNTS, REPOSITORIES),
    fetch=fetch,
    reject_threshold=0.001,
    first_day=date(2015, 1, 1),
    first_day_reason="events before 2015 have no id and another form (the Timeline API)",
    tracks="github",
    runbook="docs/runbooks/github_archive.md",
    licence="CC-BY-4.0 (archive), GitHub Terms of Service (content)",
    docs_url="https://www.gharchive.org/",
)
