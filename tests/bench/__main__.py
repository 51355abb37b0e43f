"""Prints the ratios: python -m tests.bench [NAME] [--repeat N]; all without a name.

Every job runs in a process of its own, on one core, the two sides in turn. A
missed goal is printed, not raised: a busy machine fails nobody. The exit status
is 1 only if a job broke, so that its ratio is not known.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import (
    chain,
    history,
    increment,
    land,
    layer,
    memory,
    parse,
    reading,
    rolling,
    serving,
    site,
    upstreams,
)
from tests.bench.curve import Curve
from tests.bench.jobs import JobFailed

MEASUREMENTS = {
    module.__name__.rpartition(".")[2]: module
    for module in (parse, land, memory, upstreams, chain, rolling, increment, reading, history, layer, serving, site)
}


def main(argv: list[str] | None = None) -> int:
    """Runs the named measurements, or all; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Cost ratios beside their goals.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MEASUREMENTS)}; default all")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each job of parse and land; the median counts")
    parser.add_argument("--keep", type=Path, help="folder for the generated data, reused by the next run")
    parser.add_argument("--curves", type=Path, help="folder for the measured curves as SVG, docs/images for the docs")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.names) - MEASUREMENTS.keys():
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; known are {', '.join(MEASUREMENTS)}")
    status = 0
    with tempfile.TemporaryDirectory(prefix="openimpact-bench-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        for name in arguments.names or MEASUREMENTS:
            module = MEASUREMENTS[name]
            print(f"{name}: {module.__doc__.splitlines()[0]}", flush=True)
            (folder / name).mkdir(parents=True, exist_ok=True)
            try:
                for line in module.measure(folder / name, arguments.repeat):
                    if isinstance(line, Curve):
                        line = line.write(arguments.curves) if arguments.curves else f"--curves draws {line.name}.svg"
                    print(f"  {line}", flush=True)
            except JobFailed as error:
                status = 1
                print(f"  a job failed, so there is no ratio: {error}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
