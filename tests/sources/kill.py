"""Lands a source killed at a failpoint, then again; prints the exit code and whether the rows are right.

Run as its own process: python -m tests.sources.kill SOURCE HOME DAY POINT...
It forks for each step, so that heavy imports are paid once.
"""

import json
import os
import sys
from datetime import date
from pathlib import Path


def main(name: str, home: str, day: str, points: list[str]) -> None:
    """Prints one JSON line per failpoint."""
    import great_expectations  # noqa: F401

    import include.lake.landing  # noqa: F401
    from include.sources import get_source

    source = get_source(name)
    clean = _in_child(lambda: _land(source, f"{home}/clean", day, None))[1]
    for point in points:
        place = f"{home}/{point}"
        code, _ = _in_child(lambda: _land(source, place, day, point))  # noqa: B023
        _, after = _in_child(lambda: _land(source, place, day, None))  # noqa: B023
        print(json.dumps({"point": point, "code": code, "same": after == clean and bool(after)}), flush=True)


def _land(source, home: str, day: str, point: str | None) -> str:
    from include import ingest
    from include.sources import get_source
    from include.sources.base import Window
    from tests.sources.standins import everything, settings_in

    settings = settings_in(Path(home))
    if source.tracks or source.lists:
        registry = get_source("oss_directory")
        ingest.land(registry, Window.of(_today()), settings)
    if point:
        os.environ["OPENIMPACT_FAILPOINT"] = point
    ingest.land(source, Window.of(date.fromisoformat(day)), settings)
    return repr(everything(settings, source))


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _in_child(work) -> tuple[int, str]:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with os.fdopen(write, "w") as out:
            out.write(work())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        result = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), result


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
