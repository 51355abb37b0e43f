"""`python -m demo serve [--port N]` and `python -m demo write FOLDER [--days FIRST LAST]`."""

import argparse
import signal
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

from demo import connections, directory, run
from demo.archive import ARCHIVES, archive
from demo.server import DemoServer
from demo.world import FIRST_DAY, LAST_DAY


def serve(port: int) -> int:
    """Serves until SIGTERM or SIGINT."""
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    try:
        server = DemoServer(port)
    except OSError as error:
        print(
            f"Cannot serve on 127.0.0.1:{port}: {error.strerror}. Choose another --port; 0 takes a free one.",
            file=sys.stderr,
        )
        return 1
    with server:
        print(
            f"The demo's upstreams are served at {server.base_url} for the days {FIRST_DAY} to {LAST_DAY}; Ctrl-C ends it."
        )
        for name, value in connections(server.base_url).items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        archive()
        stop.wait()
    return 0


def write(folder: Path, first: date, last: date) -> int:
    """Writes the directory and both archives' files of the days into a folder."""
    if not FIRST_DAY <= first <= last <= LAST_DAY:
        print(f"The demo knows the days {FIRST_DAY} to {LAST_DAY}; {first} to {last} is not inside.", file=sys.stderr)
        return 2
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    directory.write(folder / "oss-directory")
    (folder / "oss-directory.tar.gz").write_bytes(directory.tarball())
    count = sum(archive().write(folder / name, name, days) for name in ARCHIVES)
    folder = folder.resolve()
    print(f"Wrote the directory and {count} hour files to {folder}.")
    print(f"export AIRFLOW_CONN_OSS_DIRECTORY=file://{folder}/oss-directory.tar.gz")
    print("export AIRFLOW_CONN_GITHUB_ARCHIVE=" + ",".join(f"file://{folder}/{name}" for name in ARCHIVES))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A made-up world for trying OpenImpact offline."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("serve", help="serve the upstreams until Ctrl-C")
    one.add_argument("--port", type=int, default=0, help="0 takes a free one")
    two = commands.add_parser("write", help="write the upstreams' files into a folder")
    two.add_argument("folder", type=Path)
    two.add_argument(
        "--days", nargs=2, type=date.fromisoformat, metavar=("FIRST", "LAST"), default=(FIRST_DAY, LAST_DAY)
    )
    run.add_arguments(commands.add_parser("run", help="the whole system on this world"))
    given = parser.parse_args(arguments)
    if given.command == "run":
        return run.main(given.home.resolve(), once=given.once)
    return serve(given.port) if given.command == "serve" else write(given.folder, *given.days)


if __name__ == "__main__":
    sys.exit(main())
