"""The project directory: YAML files as people write them, and the tarball that GitHub makes of them."""

import gzip
import io
import tarfile
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from demo import npm, open_collective
from demo.chain import LISTED
from demo.world import SEED, Collection, Project, world

SHA = "5eed0000c0ffee0000000000000000000000da7a"
COMMITTED_AT = datetime(2025, 10, 28, 6, 30, tzinfo=UTC)
TOP = f"oss-directory-{SHA}"
BROKEN_FILE = "data/projects/t/torn-page.yaml"  # not YAML; a collection lists it all the same
TYPED_TWICE = {"workshop": "steady"}  # membership that a collection holds twice


@lru_cache(maxsize=2)
def files(seed: int = SEED) -> dict[str, bytes]:
    """Path to content of every file of the directory."""
    the_world = world(seed)
    found = {
        "README.md": b"# A made-up directory\n",
        "data/projects/README.md": b"# Projects\n",
        BROKEN_FILE: b"version: 7\nname: torn-page\ndisplay_name: [Torn\ngithub:\n  - url: https://github.com/torn/page\n",
    }
    for project in the_world.projects:
        # one file lies in the wrong letter's folder, as three real ones do
        letter = "q" if project.name == "ghost-ship" else project.name[0].lower()
        found[f"data/projects/{letter}/{project.name}.yaml"] = _project(project).encode()
    for collection in the_world.collections:
        found[f"data/collections/{collection.name}.yaml"] = _collection(collection).encode()
    return found


def _project(project: Project) -> str:
    lines = ["version: 7", f"name: {project.name}", f"display_name: {_quoted(project.display_name)}"]
    if "\n" in project.description:
        lines += ["description: |", *(f"  {part.strip()}" for part in project.description.split("\n"))]
    else:
        lines.append(f"description: {_quoted(project.description)}")
    listed = (
        ("websites", project.websites),
        ("github", project.github),
        ("npm", npm.urls(project.name)),
        ("open_collective", open_collective.urls().get(project.name, [])),
    )
    for key, urls in listed:
        if urls:
            lines += [f"{key}:", *(f"  - url: {url}" for url in urls)]
    lines += project.extra.splitlines()
    if project.name == "steady":
        lines += ["token_coingecko_api_id: steady-coin", "newer_key:", "  deep: {a: 1}"]
    if project.name == "coralnet":
        lines += [
            "blockchain:", '  - address: "0xAbCdEf0123456789aBcDeF0123456789abcdef01 "',
            "    tags:", "      - contract", "    networks:", "      - any_evm",
            "  - address: 0x123", "    tags: [eoa]", "    networks: [base]",
        ]  # fmt: skip
    if project.name in LISTED:
        lines.append("blockchain:")
        for address, tags, networks in LISTED[project.name]:
            lines += [
                f"  - address: '{address}'",
                f"    tags: [{', '.join(tags)}]",
                f"    networks: [{', '.join(networks)}]",
            ]
    return "\n".join(lines) + "\n"


def _collection(collection: Collection) -> str:
    members = [*collection.projects, *([twice] if (twice := TYPED_TWICE.get(collection.name)) else [])]
    lines = ["version: 7", f"name: {collection.name}", f"display_name: {_quoted(collection.display_name)}", "projects:"]
    return "\n".join([*lines, *(f"  - {name}" for name in members)]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=2)
def tarball(seed: int = SEED) -> bytes:
    """The directory as GitHub packs it: one top folder, the commit in the pax header, its time on every member."""
    buffer = io.BytesIO()
    headers = {"comment": SHA}
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive,
    ):
        for path, body in sorted(files(seed).items()):
            member = tarfile.TarInfo(f"{TOP}/{path}")
            member.size, member.mtime, member.mode = len(body), int(COMMITTED_AT.timestamp()), 0o644
            archive.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def write(folder: Path, seed: int = SEED) -> Path:
    """Writes the directory as a folder; returns it."""
    for path, body in files(seed).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    return folder
