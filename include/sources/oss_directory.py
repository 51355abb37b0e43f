"""Projects, their artifacts and collections, from oss-directory's YAML files.

Facts that shape this file (checked 2026-11):
- 7,112 projects and 117 collections, one file each; new keys appear, so whole files stay in `_payload`.
- Addresses are written by people: no host, `/blob/main/…`, `.git`, upper case, 39 hex digits, duplicates.
- It knows only now. Each landed day is one whole snapshot; membership history is the days.
- GitHub's tarballs carry the commit id in the pax header and the commit time on each member.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa

from include.errors import ContractBroken, SuspectData, WindowRefused
from include.sources._directory_files import Tree, read_tree, stream_of
from include.sources._directory_identity import URL_KEYS, Identity, address, identify, website
from include.sources.base import (
    TIMESTAMP,
    Context,
    Coverage,
    Item,
    Pool,
    Rejected,
    Source,
    Stream,
    Unchanged,
    Window,
    batches,
    column,
    sample_of,
)

KEEP_AT_LEAST = 0.8  # of the last landing's projects and collections
MOST_NODES = 200_000  # of one YAML file with its aliases expanded; the largest real one has 25,000
LONGEST_NAME = 200

TEXT = pa.string()
_COMMIT = (
    column("sha", TEXT, "Commit of the directory; of a folder, the SHA-256 of its content"),
    column("committed_at", TIMESTAMP, "Time of that commit, UTC; null for a folder"),
    column("path", TEXT, "File in the directory"),
    column("_payload", TEXT, "The whole file as JSON text"),
)
PROJECTS = Stream(
    name="projects",
    doc="One row per project file.",
    key=("name",),
    schema=pa.schema(
        [
            column("name", TEXT, "Name that no other file has"),
            column("display_name", TEXT, "Name for people"),
            column("description", TEXT, "What it is, in its own words"),
            column("websites", pa.list_(TEXT), "Its websites as given"),
            *_COMMIT,
        ]
    ),
)
ARTIFACTS = Stream(
    name="artifacts",
    doc="One row per artifact that a project lists, normalised, without duplicates inside a project.",
    key=("project_name", "kind", "identity", "network"),
    schema=pa.schema(
        [
            column("project_name", TEXT, "Project that lists it"),
            column("kind", TEXT, "github_repo, github_owner, npm, crates, pypi, go, open_collective, blockchain, …"),
            column("identity", TEXT, "owner/repo, owner, package or address, in its normal form"),
            column("network", TEXT, "Chain of an address as the directory names it; null for other kinds"),
            column("tags", pa.list_(TEXT), "Tags of an address"),
            column("url", TEXT, "Address as given"),
            column("status", TEXT, "ok, or unresolved when it names no artifact"),
            column("reason", TEXT, "Why it is unresolved"),
        ]
    ),
)
COLLECTIONS = Stream(
    name="collections",
    doc="One row per collection file.",
    key=("name",),
    schema=pa.schema(
        [
            column("name", TEXT, "Name that no other file has"),
            column("display_name", TEXT, "Name for people"),
            column("description", TEXT, "What it gathers"),
            *_COMMIT,
        ]
    ),
)
MEMBERS = Stream(
    name="collection_members",
    doc="One row per project of a collection, as the collection lists it.",
    key=("collection_name", "project_name"),
    schema=pa.schema(
        [
            column("collection_name", TEXT, "Name of the collection's file"),
            column("project_name", TEXT, "Project name that it lists; it may not exist"),
        ]
    ),
)


def fetch(window: Window, context: Context) -> Iterator[Item]:
    """The directory as it is now, as the snapshot of today.

    Raises:
        WindowRefused: the window is another day than today.
        SuspectData: less than 80 % of the last landing's projects or collections.
    """
    today = context.now.date()
    if window.start != today:
        raise WindowRefused(
            f'oss_directory describes today only (window="now") and cannot be asked for {window.start}. '
            f"Land it without a day; for an older state, point AIRFLOW_CONN_OSS_DIRECTORY to that commit's tarball."
        )
    context.progress(0, 3, "reading files")
    tree = read_tree(context.connection.urls[0], context.http)
    if not tree.files:
        raise ContractBroken(
            "oss_directory: no data/projects/*.yaml or data/collections/*.yaml at the address of this source's "
            "connection. Check it (AIRFLOW_CONN_OSS_DIRECTORY); the last snapshot was kept."
        )
    previous = context.previous
    if previous and not context.force and ("projects", tree.sha) in previous.observed:
        yield Unchanged(f"still at {tree.sha[:12]}, landed on {previous.day}")
        return
    yield from _parse(tree, context)


def _parse(tree: Tree, context: Context) -> Iterator[Item]:
    context.progress(1, 3, f"parsing {len(tree.files):,} files")
    rejected = list(tree.rejected)
    projects = _documents(tree, "projects", rejected)
    collections = _documents(tree, "collections", rejected)
    _refuse_shrink({"projects": len(projects), "collections": len(collections)}, context)
    context.progress(2, 3, "normalising")
    yield from batches(PROJECTS, (_project_row(d, p, tree) for p, d in projects.items()))
    yield from batches(ARTIFACTS, (row for d in projects.values() for row in artifact_rows(d)))
    yield from batches(COLLECTIONS, (_collection_row(d, p, tree) for p, d in collections.items()))
    yield from batches(MEMBERS, (row for d in collections.values() for row in _member_rows(d)))
    yield from rejected
    for stream, found in (("projects", projects), ("collections", collections)):
        bad = sum(r.stream == stream for r in rejected)
        reason = f"{bad} files rejected" if bad else None
        yield Coverage(stream, tree.sha, len(found) + bad, len(found), "complete", reason)
    context.progress(3, 3, "parsed")


def _documents(tree: Tree, stream: str, rejected: list[Rejected]) -> dict[str, dict]:
    """The parsed files of a stream by path; a bad one costs only itself."""
    found: dict[str, dict] = {}
    names: dict[str, str] = {}
    for path, body in sorted(tree.files.items()):
        if stream_of(path) != stream:
            continue
        try:
            document = parse_file(body)
            first = names.setdefault(document["name"], path)
            if first != path:
                raise ValueError(f"the name {document['name']!r} is taken by {first}")
            found[path] = document
        except ValueError as error:
            rejected.append(Rejected(stream, " ".join(str(error).split())[:300], sample_of(body), path))
    return found


def parse_file(body: bytes) -> dict:
    """One YAML file as a mapping with a usable name.

    Raises:
        ValueError: it is not; the text says why.
    """
    import yaml

    try:
        document = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a mapping of keys to values")
    if b"*" in body and b"&" in body:
        _refuse_bomb(document)
    name = document.get("name")
    if isinstance(name, int) and not isinstance(name, bool):
        name = document["name"] = str(name)
    if not isinstance(name, str) or not name.strip():
        raise ValueError("it has no name")
    name = document["name"] = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable() or "/" in name or "\\" in name or ".." in name:
        raise ValueError(f"the name {name[:60]!r} is not usable")
    document["_json"] = _json(document)
    return document


def _refuse_bomb(document: Any) -> None:
    """Aliases let a small file stand for billions of values."""
    left, stack = MOST_NODES, [document]
    while stack:
        left -= 1
        if left < 0:
            raise ValueError(f"more than {MOST_NODES} values with its aliases expanded")
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list | set | tuple):
            stack.extend(value)


def _json(document: dict) -> str:
    try:
        text = json.dumps(_plain(document), ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False)
        text.encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it cannot be written as JSON: {error}") from None
    return text


def _plain(value: Any) -> Any:
    """YAML keys may be numbers, dates or null; JSON's are text."""
    if isinstance(value, dict):
        return {k if isinstance(k, str) else str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(v) for v in value]
    return value


def _refuse_shrink(now: dict[str, int], context: Context) -> None:
    if not context.previous or context.allow_shrink:
        return
    before: dict[str, int] = {}
    for (stream, _), rows in context.previous.observed.items():
        before[stream] = rows
    for stream, rows in now.items():
        if rows < KEEP_AT_LEAST * before.get(stream, 0):
            raise SuspectData(
                f"oss_directory: {rows:,} {stream}, below 80 % of the last landing's {before[stream]:,}. "
                "Kept the last good snapshot. If the drop is real, land it with allow_shrink=true."
            )


def artifact_rows(document: dict) -> list[tuple]:
    """Rows of the artifacts stream for one project, without duplicates; tags of duplicates are joined."""
    found: dict[tuple, list] = {}
    for identity, network, tags, url in _entries(document):
        row = found.setdefault(
            (identity.kind, identity.identity, network),
            [document["name"], identity.kind, identity.identity, network, [], url],
        )
        row[4].extend(t for t in tags if t not in row[4])
        if len(row) == 6:
            row += ["unresolved" if identity.reason else "ok", identity.reason]
    return [tuple(row) for row in found.values()]


def _entries(document: dict) -> Iterator[tuple[Identity, str | None, list[str], str]]:
    for key in URL_KEYS:
        for url in _urls(document.get(key)):
            yield identify(key, url), None, [], url
    for url in _urls(document.get("websites")):
        yield website(url), None, [], url
    for entry in _list(document.get("blockchain")):
        if not isinstance(entry, dict):
            entry = {"address": entry}
        given = _text(entry.get("address"))
        identity = address(given)
        tags = [_text(t) for t in _list(entry.get("tags"))]
        networks = [_text(n).strip().lower() for n in _list(entry.get("networks"))]
        if not any(networks):
            reason = identity.reason or "the entry names no network"
            yield Identity("blockchain", identity.identity, reason), None, tags, given
        for network in networks:
            if network:
                yield identity, network, tags, given


def _urls(value: Any) -> Iterator[str]:
    """The addresses of a key, written as `- url: …`, as plain text, or as one entry without a list."""
    for entry in _list(value):
        yield _text(entry.get("url") if isinstance(entry, dict) else entry)


def _list(value: Any) -> list:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _project_row(document: dict, path: str, tree: Tree) -> tuple:
    websites = [u for u in _urls(document.get("websites")) if u]
    return (*_named(document), websites, *_commit(document, path, tree))


def _collection_row(document: dict, path: str, tree: Tree) -> tuple:
    return (*_named(document), *_commit(document, path, tree))


def _named(document: dict) -> tuple[str, str | None, str | None]:
    return document["name"], _text_or_none(document.get("display_name")), _text_or_none(document.get("description"))


def _commit(document: dict, path: str, tree: Tree) -> tuple[str | None, datetime | None, str, str]:
    return tree.sha, tree.committed_at, path, document["_json"]


def _member_rows(document: dict) -> list[tuple[str, str]]:
    names = dict.fromkeys(_text(p).strip() for p in _list(document.get("projects")))
    return [(document["name"], name) for name in names if name]


SOURCE = Source(
    name="oss_directory",
    doc="Projects, their artifacts and collections, as the directory lists them now.",
    owner="registry",
    schedule="0 */6 * * *",
    tier=1,
    window="now",
    pool=Pool("oss_directory", slots=1),
    connection="oss_directory",
    default_urls=("https://github.com/opensource-observer/oss-directory/archive/refs/heads/main.tar.gz",),
    streams=(PROJECTS, ARTIFACTS, COLLECTIONS, MEMBERS),
    fetch=fetch,
    reject_threshold=0.05,  # of the files
    runbook="docs/runbooks/oss_directory.md",
    licence="Apache-2.0",
    docs_url="https://github.com/opensource-observer/oss-directory",
)
