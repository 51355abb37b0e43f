"""The website as files for any file host: every page as the server gives it, and the files that pages lead to.

The pages come from the application itself, in process. Then links lead from file to file; what only a server can do
(search, forms, questions of one's own) leads to a page that says so and lists all names.
"""

import hashlib
import html
import os
import re
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

import anyio
import orjson
from anyio.from_thread import start_blocking_portal
from starlette.requests import Request

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from consumer.site.finding import address
from consumer.site.pages import page
from include.errors import FixNeeded

ORIGIN = "http://export.invalid"
MARK = ".openimpact-export"
SERVER_PAGE = "/search"
NEEDS_SERVER = ("/search", "/graphql", "/healthz", "/iceberg", "/oembed", "/api/v1/limits", "/api/v1/openapi.json")
LARGEST = 64 * 1024 * 1024  # of one file; above it a link leads to the page that says what needs a server
LINK = re.compile(r'(<[a-z][^<>]*?\s(?:href|src|action|data-src)=")([^"]*)(")')
OWN = re.compile(re.escape(ORIGIN) + r"[^\s\"'<>)]*?(?=&quot;|&#3[49];|[\s\"'<>)]|$)")
LIVE = re.compile(r'\sdata-live="[^"]*"')
TEXTS = (".html", ".atom", ".xml", ".txt")
ENDS = {
    "text/html": "/index.html",
    "application/json": ".json",
    "text/csv": ".csv",
    "application/vnd.apache.parquet": ".parquet",
    "application/atom+xml": ".atom",
    "image/svg+xml": ".svg",
    "image/png": ".png",
}


@dataclass(frozen=True)
class Answer:
    """What the application answered: a status, the media type, where it leads, the body."""

    status: int
    media: str
    location: str | None
    body: bytes


def export(
    serving: Serving, folder: Path, base_url: str | None = None, progress: Callable = lambda *_: None
) -> list[str]:
    """Writes the site of the current release to `folder`, whole or not at all; returns addresses that did not answer.

    Links are relative, or below `base_url`. `progress(done, known, address)` is called before each address.

    Raises:
        FixNeeded: nothing was released, or the folder holds something else.
    """
    if serving.bundle is None:
        raise FixNeeded("Nothing was released yet, so there is nothing to export. Publish a release first.")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise FixNeeded(f"{folder} holds files that are not an export. Name an empty or a new folder.")
    building, before = (folder.with_name(f".{folder.name}.{state}") for state in ("exporting", "before"))
    for left in (building, before):
        shutil.rmtree(left, ignore_errors=True)
    building.mkdir(parents=True)
    site = _Site(serving, building, progress)
    seeds = ["/", *(["/robots.txt", "/sitemap.xml"] if base_url else [])]  # which name whole addresses
    with start_blocking_portal() as portal:
        site.crawl(seeds, lambda link: portal.call(_ask, site.app, link))
    site.write(SERVER_PAGE, _server_page(serving, site.files))
    release = serving.bundle.release_id
    for path, link in {path: link for link, path in reversed(site.files.items())}.items():
        if path.endswith(TEXTS):
            file = building / path
            file.write_text(relinked(file.read_text(), link, site.files, release, base_url))
    (building / MARK).write_text(f"release {serving.bundle.release_id}\n")
    if folder.exists():
        folder.rename(before)
    building.rename(folder)
    shutil.rmtree(before, ignore_errors=True)
    return site.broken


def links(page_html: str, at: str) -> list[str]:
    """The addresses of this site that a page at `at` leads to, without fragments, in order, each once."""
    found = (urlsplit(urljoin(ORIGIN + at, html.unescape(link))) for _, link, _ in LINK.findall(page_html))
    own = urlsplit(ORIGIN)
    return [*dict.fromkeys(f"{f.path or '/'}{f'?{f.query}' if f.query else ''}" for f in found if f[:2] == own[:2])]


def file_of(link: str, media: str) -> str:
    """The file of an address below the export's folder; a query becomes a part of the name that begins with "="."""
    path, _, query = link.partition("?")
    parts = [_part(part, safe=",+-_.") for part in path.split("/") if part]
    end = ENDS.get(media, "")
    name = "/".join(parts)
    if end != "/index.html" and PurePosixPath(name).suffix == end:
        name = name[: -len(end)]
    if query:
        name = f"{name}/={_part(query, safe='=&,+-_.')}"
    return (name + end).lstrip("/")


def relinked(text: str, at: str, files: dict[str, str], release_id: str, base_url: str | None) -> str:
    """The text at the address `at` with links to the files of the addresses in `files`."""
    here = os.path.dirname(files[at]) or "."

    def lead(link: str) -> str | None:
        url = urlsplit(urljoin(ORIGIN + at, link))
        if url[:2] != urlsplit(ORIGIN)[:2]:
            return None
        plain = unpinned(f"{url.path or '/'}{f'?{url.query}' if url.query else ''}", release_id)
        target = files.get(plain) or (None if "release=" in plain else files.get(url.path)) or files[SERVER_PAGE]
        to = target.removesuffix("index.html") if base_url else os.path.relpath(target, here)
        below = f"{base_url.rstrip('/')}/" if base_url else ""
        return below + quote(to, safe="/=&,+") + (f"#{url.fragment}" if url.fragment else "")

    def link(found: re.Match) -> str:
        before, given, after = found.groups()
        to = None if given.startswith("#") else lead(html.unescape(given))
        return found[0] if to is None else before + html.escape(to) + after

    if files[at].endswith(".html"):
        text = LIVE.sub("", LINK.sub(link, text))
    return OWN.sub(lambda own: html.escape(lead(html.unescape(own[0])) or ""), text)


def unpinned(link: str, release_id: str) -> str:
    """The address without the id of the release that is exported, since all of the export is of it."""
    path, _, query = link.partition("?")
    query = "&".join(part for part in query.split("&") if part and part != f"release={release_id}")
    return f"{path}?{query}" if query else path


class _Site:
    """What is written so far: `files` has the file of each address, `broken` the addresses that did not answer."""

    def __init__(self, serving: Serving, folder: Path, progress: Callable) -> None:
        self.app = create_app(serving, {"anonymous": Tier(None, None, None)})
        self.files: dict[str, str] = {}
        self.broken: list[str] = []
        self._folder, self._progress, self._release_id = folder, progress, serving.bundle.release_id

    def crawl(self, seeds: list[str], ask: Callable[[str], Answer]) -> None:
        """Writes what the seeds lead to, and what that leads to, and so on."""
        waiting, seen, moved, done = deque(seeds), {*seeds}, {}, 0
        while waiting:
            at = waiting.popleft()
            self._progress(done, done + len(waiting) + 1, at)
            done += 1
            answer = ask(at)
            following = []
            if answer.location and answer.status < 400:
                following = links(f'<a href="{html.escape(answer.location)}">', at)
                moved[at] = following[0] if following else SERVER_PAGE
            elif answer.status != 200:
                self.broken.append(f"{at} ({answer.status})")
            elif answer.body and not _goes_on(answer):
                self.write(at, answer)
                following = links(answer.body.decode(), at) if answer.media == "text/html" else []
            for one in (unpinned(link, self._release_id) for link in following):
                if one not in seen and _belongs(one, at):
                    seen.add(one)
                    waiting.append(one)
        for at, target in moved.items():
            while target in moved:
                target = moved[target]
            if target in self.files:
                self.files[at] = self.files[target]

    def write(self, link: str, answer: Answer) -> None:
        """Writes an answer to the file of its address."""
        self.files[link] = file_of(link, answer.media)
        file = self._folder / self.files[link]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.body)


def _belongs(link: str, at: str) -> bool:
    """Whether an address that the page `at` leads to is exported: all that a server need not make, in one order.

    A page that answers a question leads on to other pages of the same answer alone, for questions have no end.
    """
    path, _, query = link.partition("?")
    if path.startswith(NEEDS_SERVER) or re.search("(^|&)(release|sort|order|to)=", query):
        return False
    if not query or path.startswith(("/api/", "/charts/", "/badges/", "/explore.")):
        return True
    of_page, _, asked = at.partition("?")
    return not asked or (of_page == path and _without_page(query) == _without_page(asked))


async def _ask(app, link: str) -> Answer:
    """What the application answers a browser; the body is empty where it is larger than LARGEST."""
    path, _, query = link.partition("?")
    host = urlsplit(ORIGIN).netloc
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "server": (host, 80),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", host.encode()), (b"accept", b"text/html,*/*")],
        "state": {},
    }
    start: dict = {}
    asked = anyio.Event()
    body = bytearray()
    size = 0

    async def send(message) -> None:
        nonlocal size
        start.update(message if message["type"] == "http.response.start" else {})
        size += len(message.get("body", b""))
        body.extend(message.get("body", b"") if size <= LARGEST else b"")

    async def receive():
        if asked.is_set():
            await anyio.sleep_forever()  # the reader does not leave
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    headers = {name.lower(): value.decode("latin-1") for name, value in start["headers"]}
    media = headers.get(b"content-type", "").partition(";")[0]
    return Answer(start["status"], media, headers.get(b"location"), bytes(body) if size <= LARGEST else b"")


def _server_page(serving: Serving, files: dict[str, str]) -> Answer:
    """The page that stands in for what needs a server: it says so, and lists all names with their pages."""
    bundle = serving.bundle
    scope = {"type": "http", "method": "GET", "path": SERVER_PAGE, "query_string": b"", "headers": []}
    request = Request(scope | {"state": {"bundle": bundle, "request_id": ""}})
    listed = {}
    for kind in ("project", "collection"):
        rows = bundle.rows(f"select * from oso.{kind}s_v1 order by lower(display_name), {kind}_id")
        listed[f"{kind}s"] = [(row["display_name"], address(bundle, kind, row)) for row in rows]
    metrics = bundle.rows("select distinct metric_name, display_name from oso.metrics_v1 order by 1")
    listed["metrics"] = [(row["metric_name"], f"/metrics/{quote(row['metric_name'], safe='')}") for row in metrics]
    listed = {kind: [one for one in of if one[1] in files] for kind, of in listed.items()}
    body = page(request, "server.html", about="What this copy cannot do, and all names.", listed=listed).body
    return Answer(200, "text/html", None, bytes(body))


def _goes_on(answer: Answer) -> bool:
    """Whether it is JSON that goes on at another address, which a file cannot do."""
    return answer.media == "application/json" and bool(orjson.loads(answer.body).get("next"))


def _without_page(query: str) -> list[str]:
    return sorted(part for part in query.split("&") if not part.startswith(("page=", "after=")))


def _part(text: str, safe: str) -> str:
    """A part of a file's name: nothing that a file system reads, and not too long for one."""
    name = quote(unquote(text), safe=safe)
    if set(name) <= {"."}:
        name = name.replace(".", "%2E")
    if len(name) > 200:
        name = f"{name[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return name
