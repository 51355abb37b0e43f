"""npm's two services for the made-up packages: daily downloads and packuments, with what hurts in reality.

Counts follow from the name and the day, so every day since 2015-01-10 has them.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import unquote
from zlib import crc32

FIRST_DAY = date(2015, 1, 10)
LOST = date(2025, 6, 10)  # every package and the total are 0
LOST_QUIETLY = date(2025, 9, 16)  # every package is 0, the total is as ever
ABSENT = date(2025, 8, 5)  # no answer has the day
LOST_ALONE = ("steady-lathe", date(2025, 7, 15))  # one package is 0
PERIOD = re.compile(r"downloads/(range|point)/(\d{4}-\d\d-\d\d):(\d{4}-\d\d-\d\d)(?:/(.+))?")
MOST_NAMES, MOST_DAYS, CUT_OVER_DAYS, CUT_TO_DAYS = 128, 365, 540, 549


@dataclass(frozen=True)
class Package:
    """A package; `usual` is its downloads on a weekday, None is a name that npm does not know."""

    name: str
    project: str
    usual: int | None
    created_on: date = date(2024, 2, 1)
    versions: tuple[tuple[str, str], ...] = ()  # version, day of publication
    unpublished_on: date | None = None
    more: tuple[tuple[str, object], ...] = ()  # fields of the packument
    deprecated: tuple[tuple[str, object], ...] = ()  # version, message
    removed: tuple[str, ...] = ()  # versions that have a time only


PACKAGES = (
    Package("loomkit", "brindle", 4000, versions=(("1.0.0", "2024-02-01"), ("1.1.0-beta.1", "2025-05-20"), ("1.1.0", "2025-06-02"), ("2.0.0", "2025-09-03")),
            more=(("repository", {"type": "git", "url": "git+https://github.com/Brindle-Works/loom.git", "directory": "packages/kit"}), ("license", "MIT"))),
    Package("JSONLoom", "brindle", 1500, date(2016, 5, 4), (("0.1.0", "2016-05-04"), ("0.2.0", "2017-01-01")),
            more=(("repository", "github:brindle-works/loom"), ("license", {"type": "BSD-2-Clause", "url": "https://example.org"})),
            deprecated=(("0.2.0", "use loomkit"),)),
    Package("@brindle/shuttle", "brindle", 900, versions=(("0.9.0", "2024-02-01"), ("1.0.0", "2025-07-08")),
            more=(("repository", {"type": "git", "url": "git+ssh://git@github.com/brindle-works/shuttle.git"}), ("licenses", [{"type": "Apache-2.0"}]))),
    Package("@Coral/net", "coralnet", 300, versions=(("0.0.1", "2024-02-01"),), more=(("repository", "reefhub/fins"),)),
    Package("steady-lathe", "steady", 12_000, versions=(("3.0.0", "2024-02-01"), ("3.0.1", "2025-05-05"), ("3.1.0", "2025-08-08")), removed=("3.0.1",),
            more=(("repository", "https://gitlab.com/Steady/lathe"), ("newer_key", {"deep": [1, None]}))),
    Package("quiet-pebble", "fadeout", 3, versions=(("1.0.0", "2024-02-01"),), deprecated=(("1.0.0", True),)),
    Package("never-fetched", "sprout", 0, date(2025, 5, 12), (("0.0.1", "2025-05-12"),), more=(("description", "Ünread 🧵"),)),
    Package("@sprout/seed", "sprout", 150, date(2025, 7, 3), (("0.1.0", "2025-07-03"), ("0.1.1", "2025-07-04"))),
    Package("held-name", "mirrorfish", 40, versions=(("0.0.1-security", "2025-06-20"),),
            more=(("description", "security holding package"), ("repository", "npm/security-holder"))),
    Package("withdrawn-kit", "harbor-core", None, versions=(("1.0.0", "2024-02-01"),), unpublished_on=date(2025, 6, 1)),
    Package("never-published", "ghost-ship", None),
    Package("@ghost/never-published", "ghost-ship", None),
)  # fmt: skip
BY_NAME = {package.name: package for package in PACKAGES}


def urls(project: str) -> list[str]:
    """The addresses that a project's file lists."""
    return [f"https://www.npmjs.com/package/{p.name}" for p in PACKAGES if p.project == project]


@lru_cache(maxsize=100_000)
def count(name: str, day: date) -> int:
    """Downloads of a package on a day, as npm gives them: 0 on a lost day."""
    package = BY_NAME[name]
    if day < max(package.created_on, FIRST_DAY) or day in (LOST, LOST_QUIETLY) or (name, day) == LOST_ALONE:
        return 0
    if package.usual < 10:
        return crc32(f"{name}/{day}".encode()) % (2 * package.usual + 1)
    return _busy(f"{name}/{day}", package.usual, day)


def total(day: date) -> int:
    """Downloads of the whole registry on a day."""
    return 0 if day < FIRST_DAY or day == LOST else _busy(f"/{day}", 9_000_000_000, day)


def _busy(text: str, usual: int, day: date) -> int:
    share = 100 if day.weekday() < 5 else 35
    return usual * share * (90 + crc32(text.encode()) % 21) // 10_000


def downloads(path: str, until: date | None = None) -> tuple[int, bytes]:
    """Status and body below the address of the download counts.

    `until` is the last day that npm has counted: the day after it is 0, later ones are absent.
    """
    found = PERIOD.fullmatch(path)
    if not found:
        return _error(404, "not found")
    try:
        first, last = date.fromisoformat(found[2]), date.fromisoformat(found[3])
    except ValueError:
        return _error(400, "invalid date")
    if last < first:
        return _error(400, "end date > start date")
    names = [unquote(n) for n in (found[4] or "").split(",")] if found[4] else []
    days = (last - first).days + 1
    if len(names) > 1:
        if any(n.startswith("@") for n in names):
            return _error(400, "scoped packages are not currently supported in bulk lookups")
        if len(names) > MOST_NAMES or days > MOST_DAYS:
            return _error(400, f"exceeded max {'packages of 128' if len(names) > MOST_NAMES else 'days of 365'}")
        return 200, _json({n: _answer(n, first, last, until) if _known(n) else None for n in names})
    if names and not _known(names[0]):
        return _error(404, f"package {names[0]} not found")
    if days > CUT_OVER_DAYS:
        first = last - timedelta(days=CUT_TO_DAYS - 1)
    answer = _answer(names[0] if names else None, first, last, until)
    if found[1] == "point":
        answer["downloads"] = sum(one["downloads"] for one in answer["downloads"])
    return 200, _json(answer)


def _known(name: str) -> bool:
    return name in BY_NAME and BY_NAME[name].usual is not None


def _answer(name: str | None, first: date, last: date, until: date | None) -> dict:
    listed = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        if day == ABSENT or (until and day > until + timedelta(days=1)):
            continue
        number = 0 if until and day > until else total(day) if name is None else count(name, day)
        listed.append({"downloads": number, "day": day.isoformat()})
    answer = {"start": first.isoformat(), "end": last.isoformat(), "package": name, "downloads": listed}
    return {k: v for k, v in answer.items() if v is not None}


def manifest(path: str) -> tuple[int, bytes]:
    """Status and body of a packument; a scoped name needs its slash as %2F."""
    name = unquote(path)
    package = BY_NAME.get(name)
    if "/" in path or package is None or not package.versions:
        return _error(404, "Not found")
    times = {"created": _stamp(package.created_on), "modified": _stamp(date.fromisoformat(package.versions[-1][1]))}
    times |= {version: _stamp(date.fromisoformat(day)) for version, day in package.versions}
    document: dict = {"_id": name, "_rev": "1-0", "name": name, "time": times}
    if package.unpublished_on:
        gone = {"name": "ann", "time": _stamp(package.unpublished_on), "versions": [v for v, _ in package.versions]}
        times["unpublished"] = gone
        return 200, _json(document)
    messages = dict(package.deprecated)
    document["versions"] = {
        version: {"name": name, "version": version} | ({"deprecated": messages[version]} if version in messages else {})
        for version, _ in package.versions
        if version not in package.removed
    }
    document["dist-tags"] = {"latest": list(document["versions"])[-1]}
    document["maintainers"] = [{"name": "ann", "email": "ann@post.example"}, "bob <bob@post.example>"]
    document["readme"] = "# A readme\n" * 50
    return 200, _json(document | dict(package.more))


def _stamp(day: date) -> str:
    return datetime.combine(day, time(9, 30), UTC).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _error(status: int, text: str) -> tuple[int, bytes]:
    return status, _json({"error": text})
