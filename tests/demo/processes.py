"""The processes of a demo, found by a variable in their environment and never by name."""

import time
from pathlib import Path

MARK = "OF_THE_DEMO_UNDER_TEST"


def left_of(mark: str, patience: int = 50) -> list[str]:
    """Command lines of the living processes started with MARK=mark; those already killed get time to vanish."""
    for _ in range(patience + 1):
        if not (found := [line for line in map(_command_line, _started_with(mark)) if line]):
            return []
        time.sleep(0.1)
    return found


def _started_with(mark: str) -> list[Path]:
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def _command_line(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
