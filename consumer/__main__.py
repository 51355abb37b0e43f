"""The serving side from a shell: python -m consumer serve | bundle."""

import argparse
import sys

from include.errors import OpenImpactError
from include.settings import load_settings


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0 done, 1 a sentence on standard error says why not."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(load_settings(), arguments)
    except OpenImpactError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def serve(settings, arguments) -> None:
    """Serves the current release and every one after it, until it is stopped."""
    import uvicorn

    from consumer.app import create_app
    from consumer.serving import Serving

    app = create_app(Serving(settings))
    print(f"OpenImpact is served at http://{arguments.host}:{arguments.port}", flush=True)
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning", server_header=False)


def bundle(settings, arguments) -> None:
    """Builds the bundle of a release and prints its folder."""
    from tqdm import tqdm

    from consumer.bundle import build_bundle

    with tqdm(unit="table", disable=None) as bar:

        def progress(done: int, all_: int, table: str) -> None:
            bar.total, bar.n = all_, done
            bar.set_postfix_str(table)

        folder = build_bundle(settings, arguments.release, progress)
    print(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m consumer", description="Serves the releases.")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("serve", help=serve.__doc__)
    one.add_argument("--host", default="127.0.0.1")
    one.add_argument("--port", type=int, default=8000)
    one.set_defaults(command=serve)
    one = commands.add_parser("bundle", help=bundle.__doc__)
    one.add_argument("release", nargs="?", default="current", help="id of the release (default: the current one)")
    one.set_defaults(command=bundle)
    return parser


if __name__ == "__main__":
    sys.exit(main())
