"""Packages and their versions as npm's registry describes them now, one document (packument) a package.

Facts that shape this file (checked 2026-11):
- `time` keeps the time of every version that was ever published, also of those removed since; `versions` has the
  others. A removed package answers 200 with `time.unpublished`, or 404.
- repository and license are an object or a text, maintainers objects or `name <e-mail>`; documents reach tens of MB.
- Malware is replaced by a "security holding package".
- Mirrors that pack documents anew put the times of their own copies into `time`, without `created` (seen 2026-11).
- It knows only now, while downloads are asked by day: therefore a source of its own beside npm.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from include.errors import Unavailable
from include.sources._npm import Failures, address, banned, listed_packages, quoted
from include.sources.base import (
    BATCH_ROWS,
    TIMESTAMP,
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

PER_MINUTE = 120.0
VERSION = re.compile(r"\d{1,16}\.\d{1,16}\.\d{1,16}(?:-[0-9A-Za-z.-]{1,200})?(?:\+[0-9A-Za-z.-]{1,200})?", re.ASCII)
HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
SHORTHAND = re.compile(r"(?:(github|gitlab|bitbucket):)?([\w.-]+)/([\w.-]+?)(?:\.git)?(?:#.*)?", re.ASCII)
LINK = re.compile(
    r"(?:(?:git\+)?(?:https?|ssh|git)://)?(?:[^@/\s]*@)?([a-z0-9.-]+\.[a-z]+)(?::\d+)?[/:]([\w.-]+)/([\w.-]+?)"
    r"(?:\.git)?(?:[/#?].*)?",
    re.ASCII | re.IGNORECASE,
)
LEFT_OUT = {"versions", "time", "readme", "_attachments", "users", "email"}  # of _payload, at any depth

TEXT, INT, BOOL = pa.string(), pa.int64(), pa.bool_()
PACKAGES = Stream(
    name="packages",
    doc="One row per package that npm's registry has a document of.",
    key=("package",),
    schema=pa.schema(
        [
            column("package", TEXT, "Exact name, scope and case included"),
            column("status", TEXT, "live, unpublished, or security_holding for a name that npm took over"),
            column("created_at", TIMESTAMP, "When the name was first published, UTC"),
            column("modified_at", TIMESTAMP, "When the document last changed, UTC"),
            column("unpublished_at", TIMESTAMP, "When the whole package was removed, UTC"),
            column("latest_version", TEXT, "Version that dist-tag latest names"),
            column("version_count", INT, "Versions that can be installed now"),
            column("deprecated", TEXT, "Deprecation message of the latest version; null if it is not deprecated"),
            column("description", TEXT, "What it is, in its own words"),
            column("license", TEXT, "Licence as given, an object's type"),
            column("homepage", TEXT, "Homepage as given"),
            column("repository_url", TEXT, "Repository as given, an object's url"),
            column("repository", TEXT, "host/owner/name of it, lower case on GitHub; null if it names none"),
            column("repository_directory", TEXT, "Folder inside the repository"),
            column("maintainers", pa.list_(TEXT), "Accounts that may publish, by name"),
            column("_payload", TEXT, "The document as JSON text without versions, times, readme, stars and e-mails"),
        ]
    ),
)
VERSIONS = Stream(
    name="versions",
    doc="One row per version that was ever published, removed ones included.",
    key=("package", "version"),
    schema=pa.schema(
        [
            column("package", TEXT, "Exact name, scope and case included"),
            column("version", TEXT, "Version as npm writes it, semantic"),
            column("published_at", TIMESTAMP, "When it was published, UTC; null if the document does not tell"),
            column("is_prerelease", BOOL, "The version has a hyphen"),
            column("is_removed", BOOL, "It has a time but can no longer be installed"),
            column("deprecated", TEXT, "Its deprecation message; null if it is not deprecated"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """Every listed package and its versions as they are now.

    Raises:
        RateLimited: npm refuses more requests.
        Unavailable: npm does not answer.
        SuspectData: more than 5 % of the packages cannot be read.
    """
    place = address(context, "npm_registry", per_minute=PER_MINUTE)
    names, unusable = listed_packages(context)
    for name in unusable:
        yield Rejected("packages", "no npm package can have this name", name[:200], name)
        yield Coverage("packages", name, 0, 0, "known_missing", "no npm package can have this name")
    if not names:
        yield Coverage("packages", "*", 0, 0, "complete", "the registry lists no npm package")
    failures, versions = Failures("npm_manifests", "packages", len(names)), []
    for done, name in enumerate(names):
        context.progress(done, len(names), name)
        url = f"{place.base}/{quoted(name, slash='%2F')}"
        document: Any = None
        try:
            answer = context.http.json(url, accept=(403, 404), per_minute=place.per_minute)
            if answer.status == 403:
                raise banned(url, answer, context.now)
            if answer.status == 404:
                reason = "npm knows no such package: never published, or unpublished"
                yield Coverage("packages", name, 0, 0, "known_missing", reason)
                continue
            document = answer.value
            package, found, rejected = parse_document(document, name, context.now)
        except (Unavailable, ValueError) as error:
            failures.add([name], error, str(document)[:200] if document else "")
            continue
        failures.succeeded()
        yield from batches(PACKAGES, [package])
        yield from rejected
        yield Coverage("packages", name, 1, 1, "complete", f"{len(rejected)} rejected" if rejected else None)
        versions += found
        if len(versions) >= BATCH_ROWS:
            yield from batches(VERSIONS, versions)
            versions = []
    yield from batches(VERSIONS, versions)
    yield from failures.items()
    context.progress(len(names), len(names))


def parse_document(document: Any, name: str, now: datetime) -> tuple[tuple, list[tuple], list[Rejected]]:
    """The package's row, its versions' rows, and what of it could not be read.

    Raises:
        ValueError: it is no document of this package.
    """
    import msgspec

    if not isinstance(document, dict) or document.get("name") != name:
        raise ValueError("the answer is no document of this package")
    times, versions = _mapping(document, "time"), _mapping(document, "versions")
    if not times and not versions:
        raise ValueError("the document has neither times nor versions")
    if "created" not in times:
        raise ValueError("its times lack `created`, so they are a mirror's and not npm's")
    rejected: list[Rejected] = []

    def moment(key: str, value: Any) -> datetime | None:
        try:
            return _moment(value, now)
        except ValueError as error:
            rejected.append(Rejected("versions", f"{key[:80]}: {error}", str(value)[:200], name))
            return None

    gone = times.get("unpublished")
    unpublished_at = moment("unpublished", gone.get("time") if isinstance(gone, dict) else gone)
    latest = _text(_mapping(document, "dist-tags").get("latest"))
    manifest = versions.get(latest) if latest else None
    manifest = manifest if isinstance(manifest, dict) else {}
    url, directory = _repository(document.get("repository") or manifest.get("repository"))
    payload = msgspec.json.encode(_without(document)).decode()
    package = (
        name,
        _status(document, gone, url),
        moment("created", times.get("created")),
        moment("modified", times.get("modified")),
        unpublished_at,
        latest,
        len(versions),
        _deprecated(manifest),
        _text(document.get("description")),
        _named(document.get("license") or manifest.get("license") or document.get("licenses"), "type"),
        _named(document.get("homepage"), "url"),
        url,
        repository_of(url),
        directory,
        [who for one in _list(document.get("maintainers")) if (who := _person(one))],
        payload,
    )
    rows = []
    for version in dict.fromkeys([*times, *versions]):
        if version in ("created", "modified", "unpublished"):
            continue
        if not VERSION.fullmatch(version):
            rejected.append(Rejected("versions", "not a semantic version", version[:200], name))
            continue
        published_at = moment(version, times.get(version))
        rows.append(
            (name, version, published_at, "-" in version, version not in versions, _deprecated(versions.get(version)))
        )
    return package, rows, rejected


def repository_of(url: str | None) -> str | None:
    """host/owner/name of a repository as people write it; null for other texts.

    >>> repository_of("git+ssh://git@github.com/Acme/rocket.git#main")
    'github.com/acme/rocket'
    """
    text = (url or "").strip()[:500]
    if found := SHORTHAND.fullmatch(text):
        host, owner, name = HOSTS[found[1] or "github"], found[2], found[3]
    elif found := LINK.fullmatch(text):
        host, owner, name = found[1].lower().removeprefix("www."), found[2], found[3]
    else:
        return None
    whole = f"{host}/{owner}/{name}"
    return whole.lower() if host == "github.com" else whole


def _status(document: dict, gone: Any, repository: str | None) -> str:
    if gone is not None:
        return "unpublished"
    held = document.get("description") == "security holding package" or "npm/security-holder" in (repository or "")
    return "security_holding" if held else "live"


def _moment(value: Any, now: datetime) -> datetime | None:
    """A time of the registry in UTC; null if there is none.

    Raises:
        ValueError: it is no time, or one that cannot be.
    """
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("its time cannot be read") from None
    if not 1970 < at.year or at > now + timedelta(days=1):
        raise ValueError("its time is before 1971 or in the future")
    return at


def _mapping(document: dict, key: str) -> dict:
    value = document.get(key)
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"{key} is no object")
    return value or {}


def _list(value: Any) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str | None:
    """Text that can be stored, else null."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value else None


def _named(value: Any, key: str) -> str | None:
    """A text, or the `key` of an object, or of the first of a list."""
    value = next(iter(_list(value)), None)
    return _text(value.get(key) if isinstance(value, dict) else value)


def _repository(value: Any) -> tuple[str | None, str | None]:
    directory = _text(value.get("directory")) if isinstance(value, dict) else None
    return _named(value, "url"), directory


def _deprecated(manifest: Any) -> str | None:
    """The message; `true` without one is 'deprecated'; false and an empty text mean that it is not."""
    value = manifest.get("deprecated") if isinstance(manifest, dict) else None
    return "deprecated" if value is True else _text(value)


def _person(value: Any) -> str | None:
    name = value.get("name") if isinstance(value, dict) else value
    return _text(name.partition("<")[0].strip()) if isinstance(name, str) else None


def _without(value: Any) -> Any:
    """The value without what is LEFT_OUT and the e-mails in `name <e-mail>`."""
    if isinstance(value, dict):
        return {k: _without(v) for k, v in value.items() if k not in LEFT_OUT}
    if isinstance(value, list):
        return [_without(v) for v in value]
    return re.sub(r"\s*<[^<>\s]*@[^<>\s]*>", "", value) if isinstance(value, str) else value


SOURCE = Source(
    name="npm_manifests",
    doc="The registry's npm packages and their versions, as npm describes them now.",
    owner="packages",
    schedule="0 7 * * *",
    tier=2,
    window="now",
    pool=Pool("npm_registry", slots=1),
    connection="npm_registry",
    default_urls=("https://registry.npmjs.org",),
    streams=(PACKAGES, VERSIONS),
    fetch=fetch,
    reject_threshold=0.05,
    lists=("npm",),
    runbook="docs/runbooks/npm_manifests.md",
    licence="npm Open-Source Terms",
    docs_url="https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md",
)
