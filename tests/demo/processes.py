"""The processes of a demo, found by a variable in their environment or their folder and never by name."""

import os
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


def pids(mark: str, words: str) -> list[int]:
    """The processes started with MARK=mark whose command line holds `words`."""
    return [int(folder.name) for folder in _started_with(mark) if words in _command_line(folder)]


def _started_with(mark: str) -> list[Path]:
    """By the variable, or by the folder that they run in: a process that gives itself a title has no variables."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables, cwd = (folder / "environ").read_bytes().split(b"\0"), Path(os.readlink(folder / "cwd"))
            if wanted in variables or cwd.is_relative_to(mark):
                found.append(folder)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def _command_line(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
