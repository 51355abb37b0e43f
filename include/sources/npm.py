"""Daily downloads of the registry's npm packages, from api.npmjs.org.

Facts that shape this file (checked 2026-11; npm/registry docs/download-counts.md):
- A list call takes 128 names, no scoped ones (400), and has null for a name that npm does not know; a single call
  answers it with 404.
- Over 18 months a single call answers 200 with the newest 549 days only: start and end are compared with the request.
- 0 also means "not counted yet" (the last two days) or "lost" (2022-07-22); on such a day 0 is null here.
- No quota is written down: 1 request a second was banned within minutes (nice-registry/download-counts #8), one in two
  seconds holds. 403 and 429 come as a page.
"""

from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from statistics import median
from typing import Any

import pyarrow as pa

from include.errors import ContractBroken, SuspectData, Unavailable
from include.sources._npm import Address, Failures, address, banned, listed_packages, quoted
from include.sources._npm_answers import TOTAL, Answers, Counts, open_answers
from include.sources.base import (
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Window,
    batches,
    column,
)

FIRST_DAY = date(2015, 1, 10)
NAMES_PER_CALL = 128
PER_MINUTE = 30.0
LATE_DAYS = 3  # an empty day this young is late, an older one is lost
BUSY, OWN_BUSY = 100, 1000  # median downloads a day from which a zero says that the day was lost
THIN = 0.2  # of the registry's median day

TEXT, INT, BOOL = pa.string(), pa.int64(), pa.bool_()
DOWNLOADS = Stream(
    name="downloads",
    doc="One row per package that npm counted that day; no row for names that npm does not know.",
    key=("package", "day"),
    schema=pa.schema(
        [
            column("package", TEXT, "Exact name, scope and case included"),
            column("day", pa.date32(), "UTC day of the downloads"),
            column("downloads", INT, "Tarballs delivered, to CI and mirrors too; null where npm lost the day"),
            column("is_hole", BOOL, "npm lost the day or part of it, for all packages or for this one"),
        ]
    ),
)
DAYS = Stream(
    name="days",
    doc="One row per day: the whole registry, and whether the day is a hole.",
    key=("day",),
    schema=pa.schema(
        [
            column("day", pa.date32(), "UTC day of the downloads"),
            column("downloads", INT, "Downloads of all packages of npm as reported; null if the answer lacks the day"),
            column("median_downloads", pa.float64(), "Median of the 28 days before; null without any"),
            column("is_hole", BOOL, "npm lost the day for all packages"),
            column("reason", TEXT, "Why it is called a hole; null if it is none"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """The downloads of one UTC day.

    One request a package brings up to a year of days, which later days of the same run are served from.

    Raises:
        RateLimited: npm refuses more requests; what was answered is kept for 6 hours.
        Unavailable: npm does not answer.
        SuspectData: an answer covers other days than asked for, or more than 5 % of the packages cannot be read.
        ContractBroken: the total of the registry has another shape.
    """
    day, place = window.start, address(context, "npm", per_minute=PER_MINUTE)
    names, unusable = listed_packages(context)
    for name in unusable:
        yield Rejected("downloads", "no npm package can have this name", name[:200], name)
        yield Coverage("downloads", name, 0, 0, "known_missing", "no npm package can have this name")
    if not names:
        yield Coverage("downloads", "*", 0, 0, "complete", "the registry lists no npm package")
        return
    answers = open_answers(context.keep, place.base, day, context.now, FIRST_DAY)
    failures = _ask(names, answers, place, context)
    yield from _rows([n for n in names if n not in failures.found], answers, day, context)
    yield from failures.items()
    answers.take(day)


def _ask(names: list[str], answers: Answers, place: Address, context: Context) -> Failures:
    """Asks for the total and every package that is not answered yet."""
    span = f"{answers.first}:{answers.last}"
    failures = Failures("npm", "downloads", len(names))
    missing = [n for n in names if n not in answers.counts]
    plain = [n for n in missing if not n.startswith("@")]
    queue = deque(plain[n : n + NAMES_PER_CALL] for n in range(0, len(plain), NAMES_PER_CALL))
    queue.extend([n] for n in missing if n.startswith("@"))
    done = 0
    if TOTAL not in answers.counts:
        answers.add(TOTAL, _total(span, answers, place, context))
    while queue:
        group = queue.popleft()
        context.progress(done, done + len(queue) + 1, f"downloads {span}")
        done += 1
        try:
            found = _group(group, span, place, context)
        except Unavailable as error:
            failures.add(group, error)
            continue
        failures.succeeded()
        if found is None and len(group) > 1:  # one name spoils the list: halve it
            middle = len(group) // 2
            queue.extendleft((group[middle:], group[:middle]))
            continue
        for name in group:
            try:
                if found is None:
                    raise ValueError("npm refuses to look the name up (400)")
                if name not in found:
                    raise ValueError("the answer leaves the package out")
                answers.add(name, None if found[name] is None else parse_range(found[name], name, answers))
            except ValueError as error:
                failures.add([name], error, str((found or {}).get(name, ""))[:200])
    context.progress(done, done, f"downloads {span}")
    return failures


def _total(span: str, answers: Answers, place: Address, context: Context) -> Counts:
    url = f"{place.base}/downloads/range/{span}"
    answer = context.http.json(url, accept=(403,), per_minute=place.per_minute)
    if answer.status == 403:
        raise banned(url, answer, context.now)
    try:
        return parse_range(answer.value, None, answers)
    except ValueError as error:
        raise ContractBroken(
            f"npm: the answer for all packages, {span}, cannot be read: {error}. Compare a fresh answer with "
            "npm's download-counts.md and adapt parse_range in include/sources/npm.py; nothing was landed."
        ) from None


def _group(group: list[str], span: str, place: Address, context: Context) -> dict[str, Any] | None:
    """Answers by name, null for a name that npm does not know; None if the request is refused as a whole."""
    url = f"{place.base}/downloads/range/{span}/{','.join(map(quoted, group))}"
    answer = context.http.json(url, accept=(400, 403, 404), per_minute=place.per_minute)
    if answer.status == 403:
        raise banned(url, answer, context.now)
    if answer.status == 400:
        return None
    if answer.status == 404:
        if not (isinstance(answer.value, dict) and "not found" in str(answer.value.get("error"))):
            raise Unavailable("a 404 that is not npm's own; the address may be wrong.")
        return dict.fromkeys(group)
    if len(group) == 1:  # a list of one name is a single call
        return {group[0]: answer.value}
    return answer.value if isinstance(answer.value, dict) else {}


def parse_range(value: Any, package: str | None, answers: Answers) -> Counts:
    """The counts of each day of the range; null for a day that is not in the answer.

    `package` is None for the whole registry.

    Raises:
        ValueError: the answer has another shape, names another package or repeats a day.
        SuspectData: it covers other days than asked for.
    """
    if not isinstance(value, dict) or not isinstance(value.get("downloads"), list):
        raise ValueError("the answer has no list of downloads")
    if value.get("package") != package:
        raise ValueError(f"the answer is about {str(value.get('package'))[:80]!r}")
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        raise ValueError("the answer does not say its start and end")
    if (start, end) != (answers.first.isoformat(), answers.last.isoformat()):
        raise SuspectData(
            f"npm: asked {package or 'all packages'} for {answers.first}..{answers.last}, "
            f"got {start[:10]}..{end[:10]}. The API cuts long ranges without an error. "
            "Lower MOST_DAYS in include/sources/_npm_answers.py and land the day again; nothing was landed."
        )
    counts: Counts = [None] * ((answers.last - answers.first).days + 1)
    for entry in value["downloads"]:
        try:
            place, count = (date.fromisoformat(entry["day"]) - answers.first).days, entry["downloads"]
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"an entry without day or downloads: {str(entry)[:80]}") from None
        if type(count) is not int or not 0 <= count < 1 << 63:
            raise ValueError(f"downloads of {entry['day']} are no count: {str(count)[:40]}")
        if not 0 <= place < len(counts) or counts[place] is not None:
            raise ValueError(f"the day {entry['day']} is outside the range or there twice")
        counts[place] = count
    return counts


def hole_reason(names: list[str], answers: Answers, day: date) -> str | None:
    """Why npm lost the day for all packages; None if it did not (the catalogue of metrics, 1.3)."""
    total, before = answers.on(TOTAL, day), answers.before(TOTAL, day)
    if total is None:
        return "the registry's total has no such day"
    if total == 0 or (before and total < THIN * median(before)):
        return f"the registry's total is {total:,}, below 20 % of its usual day"
    busy = [n for n in names if (known := answers.before(n, day)) and median(known) >= BUSY]
    if len(busy) >= 3 and all(not answers.on(n, day) for n in busy):
        return f"all {len(busy)} packages with {BUSY} downloads a day or more have none"
    return None


def _rows(names: list[str], answers: Answers, day: date, context: Context) -> Iterator[Item]:
    """The rows of a day and what they cover; zeros of a hole are null."""
    hole = hole_reason(names, answers, day)
    absent = "late" if context.now.date() - day <= timedelta(days=LATE_DAYS) else "missing"
    rows: list[tuple] = []
    for name in names:
        if answers.counts[name] is None:
            reason = "npm knows no such package: never published, or unpublished"
            yield Coverage("downloads", name, 0, 0, "known_missing", reason)
            continue
        count, known = answers.on(name, day), answers.before(name, day)
        own = "none, after a usual day of 1,000 or more" if not count and known and median(known) >= OWN_BUSY else None
        reason = hole or own
        if count is None:
            yield Coverage("downloads", name, 1, 0, absent, reason or "the answer has no such day")
            continue
        rows.append((name, day, count if count or not reason else None, reason is not None))
        if reason is None:
            yield Coverage("downloads", name, 1, 1, "complete")
        else:
            yield Coverage("downloads", name, 1, int(count > 0), "damaged" if count else absent, reason)
    before = answers.before(TOTAL, day)
    total = (day, answers.on(TOTAL, day), float(median(before)) if before else None, hole is not None, hole)
    yield from batches(DAYS, [total])
    yield Coverage("days", day.isoformat(), 1, int(hole is None), "complete" if hole is None else absent, hole)
    yield from batches(DOWNLOADS, rows)


SOURCE = Source(
    name="npm",
    doc="Daily downloads of the registry's npm packages.",
    owner="packages",
    schedule="0 0 * * *",
    ready_after=timedelta(hours=6),  # yesterday is there soon after midnight, at times two days late
    tier=2,
    window="day",
    restate_days=7,
    pool=Pool("npm", slots=1),
    connection="npm",
    default_urls=("https://api.npmjs.org",),
    streams=(DOWNLOADS, DAYS),
    fetch=fetch,
    reject_threshold=0.05,
    first_day=FIRST_DAY,
    first_day_reason="npm has no counts of earlier days",
    lists=("npm",),
    runbook="docs/runbooks/npm.md",
    licence="npm Open-Source Terms",
    docs_url="https://github.com/npm/registry/blob/main/docs/download-counts.md",
)
