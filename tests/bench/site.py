"""How fast the website is over a release of 1,000 projects, and what a first visit loads."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

from tests.bench.jobs import verdict
from tests.bench.serving import CONNECTIONS, serving


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The goals of the website, each beside what was met."""
    with serving() as (address, _, load):
        load(["/projects/project-0"], 1)
        pages = load([f"/projects/project-{n}" for n in range(1, 201)], 1)
        yield verdict("uncached page of a project p50 ms", pages.share(0.5), 5, detail="1 connection")
        badges = load([f"/badges/project/project-{n}/GITHUB_metric-0_weekly.svg" for n in range(1, 201)], 1)
        yield verdict("uncached badge p99 ms", badges.share(0.99), 5, detail="1 connection")
        cached = load(["/projects/project-1"] * 5_000, 1)
        yield verdict("cached page p50 ms", cached.share(0.5), 1, detail="1 connection")
        cached = load(["/projects/project-1"] * 20_000, CONNECTIONS)
        yield verdict("cached pages a second", len(cached.waits) / cached.seconds, 1000, most=False)
        for path in ("/", "/projects/project-1", "/explore", "/scores", "/status"):
            yield verdict(f"first visit of {path}, KB compressed", first_visit(address, path) / 1000, 100)


def first_visit(address: str, path: str) -> int:
    """Bytes of a page and all that it loads, as they are sent to a browser whose memory is empty."""

    def body(path: str) -> bytes:
        with urlopen(Request(address + path, headers={"Accept-Encoding": "gzip", "Accept": "text/html"})) as answer:
            return answer.read()

    packed = body(path)
    page = (gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed).decode()
    parts = {*re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="([^"]+)"', page)}
    parts |= {*re.findall(r'<link rel="(?:stylesheet|icon)" href="([^"]+)"', page)}
    return len(packed) + sum(len(body(part)) for part in parts)
