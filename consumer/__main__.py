"""The serving side from a shell: python -m consumer serve | export | bundle | keys | usage."""

import argparse
import sys
from pathlib import Path

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
    from consumer.app import create_app
    from consumer.server import run
    from consumer.serving import Serving

    app = create_app(Serving(settings))
    print(f"OpenImpact is served at http://{arguments.host}:{arguments.port}", flush=True)
    run(app, arguments.host, arguments.port, arguments.trusted_proxies)


def export(settings, arguments) -> None:
    """Writes the website of the current release as files for any file host."""
    from tqdm import tqdm

    from consumer.serving import Serving
    from consumer.site.export import export

    with tqdm(unit="file", disable=None) as bar:

        def progress(done: int, known: int, address: str) -> None:
            bar.total, bar.n = known, done
            bar.set_postfix_str(address[:60])

        broken = export(Serving(settings), arguments.folder.resolve(), arguments.base_url, progress)
    for one in broken:
        print(f"not exported, for it was not answered: {one}", file=sys.stderr)
    print(arguments.folder)


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


def add_key(settings, arguments) -> None:
    """Makes an API key and prints it, the only time that it can be seen."""
    from consumer.keys import Keys

    scopes = arguments.scopes.split(",")
    print(Keys(settings.home).add(arguments.name, scopes=scopes, tier=arguments.tier, days=arguments.days))


def list_keys(settings, arguments) -> None:
    """Prints the keys: id, name, tier, scopes, status, when it expires, the last day of use."""
    from consumer.keys import Keys

    for key in Keys(settings.home).all():
        scopes = ",".join(sorted(key.scopes))
        print(key.key_id, key.name, key.tier, scopes, key.status, key.expires_at, key.last_used, sep="\t")


def revoke_key(settings, arguments) -> None:
    """Ends a key within a second."""
    from consumer.keys import Keys

    Keys(settings.home).revoke(arguments.key_id)


def usage(settings, arguments) -> None:
    """Prints what each tier and key used: day, tier or key id, route, requests, rows, seconds of SQL."""
    from consumer.keys import Keys

    for row in Keys(settings.home).usage(arguments.since):
        print(*row, sep="\t")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m consumer", description="Serves the releases.")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("serve", help=serve.__doc__)
    one.add_argument("--host", default="127.0.0.1")
    one.add_argument("--port", type=int, default=8000)
    one.add_argument(
        "--trusted-proxies", metavar="ADDRESSES", help="whose X-Forwarded-For counts, with commas between (none)"
    )
    one.set_defaults(command=serve)
    one = commands.add_parser("export", help=export.__doc__)
    one.add_argument("folder", type=Path, help="a new folder, or one that holds an older export, which it replaces")
    one.add_argument("--base-url", metavar="URL", help="where it will be (links are relative)")
    one.set_defaults(command=export)
    one = commands.add_parser("bundle", help=bundle.__doc__)
    one.add_argument("release", nargs="?", default="current", help="id of the release (default: the current one)")
    one.set_defaults(command=bundle)
    keys = commands.add_parser("keys", help="API keys").add_subparsers(required=True)
    one = keys.add_parser("add", help=add_key.__doc__)
    one.add_argument("name", help="whose it is")
    one.add_argument("--scopes", default="read,sql", help="what it is for, with commas between (read,sql)")
    one.add_argument("--tier", default="keyed", choices=("keyed", "internal"), help="internal has no limits (keyed)")
    one.add_argument("--days", type=int, help="days until it expires (never)")
    one.set_defaults(command=add_key)
    one = keys.add_parser("list", help=list_keys.__doc__)
    one.set_defaults(command=list_keys)
    one = keys.add_parser("revoke", help=revoke_key.__doc__)
    one.add_argument("key_id")
    one.set_defaults(command=revoke_key)
    one = commands.add_parser("usage", help=usage.__doc__)
    one.add_argument("--since", default="", metavar="DAY", help="first day, YYYY-MM-DD (all)")
    one.set_defaults(command=usage)
    return parser


if __name__ == "__main__":
    sys.exit(main())
