"""The files of a directory checkout, tarball or fork, read without ever unpacking to disk.

A hostile archive costs at most its own files: paths are only names here, links are
not followed, and sizes are bounded.
"""

import gzip
import hashlib
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from include.errors import ContractBroken, FixNeeded, Unavailable
from include.http import HttpClient, Rejoined, local_path, safe_url
from include.sources.base import Rejected

WANTED = re.compile(r"(?:^|/)data/(projects|collections)/(?:[^/]+/)*[^/]+\.ya?ml$")
SHA = re.compile(r"[0-9a-f]{40}")
LARGEST_FILE = 4 << 20  # bytes; the largest real file has 0.2 MB
LARGEST_TREE = 512 << 20  # bytes of all wanted files; the real ones have 10 MB
MOST_MEMBERS = 500_000


@dataclass
class Tree:
    """The YAML files by path, below the folder that holds `data/`."""

    sha: str | None = None
    committed_at: datetime | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0

    def add(self, path: str, body: bytes) -> None:
        """Takes one file.

        Raises:
            ContractBroken: all files together are larger than any directory can be.
        """
        self.size += len(body)
        if self.size > LARGEST_TREE:
            raise ContractBroken(
                f"oss_directory: the files have more than {LARGEST_TREE >> 20} MiB; this is no project directory. "
                "Check the address; nothing was landed."
            )
        path = path[path.index("data/") :] if not path.startswith("data/") else path
        if path in self.files:
            self.reject(path, "the path occurs twice; the first file was taken")
        else:
            self.files[path] = body

    def reject(self, path: str, reason: str, sample: bytes | str = "") -> None:
        """Sets one file aside."""
        from include.sources.base import sample_of

        self.rejected.append(Rejected(stream_of(path), reason, sample_of(sample or path), sample_of(path)))

    def finish(self) -> "Tree":
        """Gives a tree without a commit id the digest of its content as `sha`."""
        if self.sha is None:
            digest = hashlib.sha256()
            for path in sorted(self.files):
                digest.update(path.encode("utf-8", "surrogateescape") + b"\0")
                digest.update(hashlib.sha256(self.files[path]).digest())
            self.sha = digest.hexdigest()
        return self


def stream_of(path: str) -> str:
    """The stream that a path belongs to."""
    return "collections" if "/collections/" in f"/{path}" else "projects"


def read_tree(url: str, http: HttpClient) -> Tree:
    """All project and collection files at `url`: a folder, a tarball, or a GitHub repository's page.

    Raises:
        FixNeeded: there is nothing at that address.
        Unavailable: the tarball ends early or is damaged.
    """
    if urlsplit(url).scheme == "file" and local_path(url).is_dir():
        return _read_folder(local_path(url))
    url = tarball_url(url)
    with http.open(url) as body:
        if body is None:
            raise FixNeeded(
                f"oss_directory: nothing is at {safe_url(url)}. Set AIRFLOW_CONN_OSS_DIRECTORY to a folder or tarball "
                "(file:///…), or to a GitHub repository (https://github.com/owner/repo)."
            )
        try:
            return _read_tarball(body)
        except (EOFError, OSError, tarfile.TarError, ValueError) as error:
            raise Unavailable(
                f"oss_directory: {safe_url(url)} is cut, damaged or no tar.gz ({str(error)[:120]}). "
                "Nothing was landed; the task fetches it again."
            ) from error


def tarball_url(url: str) -> str:
    """The tarball of a GitHub repository's page; `/tree/<ref>` picks a ref. Other addresses stay."""
    parts = urlsplit(url)
    steps = [s for s in parts.path.split("/") if s]
    if parts.hostname != "github.com" or len(steps) < 2 or (len(steps) > 2 and steps[2] != "tree"):
        return url
    ref = "/".join(steps[3:]) or "HEAD"
    return f"https://github.com/{steps[0]}/{steps[1].removesuffix('.git')}/archive/{ref}.tar.gz"


def _read_folder(root) -> Tree:
    tree = Tree()
    base = root if (root / "data").is_dir() else root.parent if root.name == "data" else root
    for folder, folders, names in os.walk(base / "data", followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, base).replace(os.sep, "/")
            if not WANTED.search(shown):
                continue
            if os.path.islink(path) or not os.path.isfile(path):
                tree.reject(shown, "a link, which is not followed")
            elif os.path.getsize(path) > LARGEST_FILE:
                tree.reject(shown, f"larger than {LARGEST_FILE >> 20} MiB")
            else:
                with open(path, "rb") as file:
                    tree.add(shown, file.read())
    return tree.finish()


def _read_tarball(body: BinaryIO) -> Tree:
    """Reads a tar or tar.gz to its very end, so that a cut one cannot pass."""
    start = body.read(2)
    stream = Rejoined(start, body)
    plain = gzip.GzipFile(fileobj=stream) if start == b"\x1f\x8b" else stream
    tree = Tree()
    with tarfile.open(fileobj=plain, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for member in _members(archive):
            _take(archive, member, tree)
        comment = archive.pax_headers.get("comment", "")
        if SHA.fullmatch(comment):
            tree.sha = comment
        else:
            tree.committed_at = None
    while plain.read(1 << 20):
        pass
    return tree.finish()


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for count, member in enumerate(archive, 1):
        if count > MOST_MEMBERS:
            raise ContractBroken(
                f"oss_directory: the tarball has more than {MOST_MEMBERS} members; this is no project directory. "
                "Check the address; nothing was landed."
            )
        yield member


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, tree: Tree) -> None:
    path = member.name
    if not WANTED.search(path):
        return
    shown = path.encode("utf-8", "replace").decode()
    if path.startswith("/") or ".." in path.split("/") or "\\" in path or shown != path or not path.isprintable():
        tree.reject(shown, "a path that no checkout has")
    elif not member.isreg():
        tree.reject(shown, "not a plain file; links are not followed")
    elif member.size > LARGEST_FILE:
        tree.reject(shown, f"larger than {LARGEST_FILE >> 20} MiB")
    else:
        tree.add(path, archive.extractfile(member).read())
        # git archive stamps every member with the time of the commit
        if tree.committed_at is None and 0 < member.mtime < 1 << 32:
            tree.committed_at = datetime.fromtimestamp(member.mtime, UTC)
