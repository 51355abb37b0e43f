"""Lands a day in each home, killed at the failpoint that the home is named after; prints the exit codes.

Run as its own process: python -m tests.sources.kill SOURCE DAY HOME...
It forks for each home, so that heavy imports are paid once.
"""

import os
import sys
from datetime import date
from pathlib import Path

import great_expectations  # noqa: F401

import include.lake.landing  # noqa: F401
from include import ingest
from include.sources import get_source
from include.sources.base import Window
from tests.sources.standins import settings_in


def main(name: str, day: str, homes: list[str]) -> None:
    """Prints one line per home: its name and the exit code."""
    source = get_source(name)
    for home in homes:
        child = os.fork()
        if not child:
            os.environ["OPENIMPACT_FAILPOINT"] = Path(home).name
            ingest.land(source, Window.of(date.fromisoformat(day)), settings_in(Path(home)))
            os._exit(0)
        print(Path(home).name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
