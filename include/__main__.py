"""The pipeline from a shell, without a scheduler: python -m include sources | land | vectors | build | run | …"""

import argparse
import os
import sys
import uuid
from datetime import UTC, date, datetime, timedelta

from include.errors import FixNeeded, OpenImpactError
from include.settings import load_settings


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0 done, 1 a sentence on standard error says why not."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(load_settings(), arguments)
    except OpenImpactError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; whole days that were committed stay, the rest was not touched.", file=sys.stderr)
        return 130
    return 0


def sources(settings, arguments) -> None:
    """Lists the registered sources; --dbt writes what dbt is told of their raw tables."""
    from include.sources import all_sources

    if arguments.dbt:
        from include.transform.docs import sources_yml

        print(sources_yml(), end="")
        return
    for source in all_sources():
        print(f"{source.name:<16} window={source.window:<4} schedule={source.schedule or '-':<14} {source.doc}")


def land(settings, arguments) -> None:
    """Lands days of one source; --dry-run fetches and validates only."""
    from include import ingest
    from include.sources import get_source

    source = get_source(arguments.source)
    window = _window(source, arguments.first, arguments.last)
    if arguments.dry_run:
        ingest.check(source, window, settings)
        with _bar(source.name) as progress:
            for day in window.days():
                run = ingest.fetch_day(
                    source, day, settings, new_run_id(), progress, allow_shrink=arguments.allow_shrink
                )
                ingest.validate_run(run, settings)
                print(f"{source.name} {day}: fetched and valid, nothing committed; the files are in {run}")
        return
    with _bar(source.name) as progress:
        ingest.land(source, window, settings, progress, allow_shrink=arguments.allow_shrink)
    print(f"landed {source.name} {window.start} to {window.end - timedelta(days=1)}")


def vectors(settings, arguments) -> None:
    """Checks the weights files of the impact vectors and lists them."""
    from include.transform.vectors import load_vectors

    for vector in load_vectors(settings):
        metrics = ", ".join(f"{part['source']} {part['metric']}" for part in vector["metrics"])
        print(f"{vector['id']} {vector['version'][:12]} {vector['entities']} {vector['window']}: {metrics}")


def build(settings, arguments) -> None:
    """Builds and tests everything that changed since the last build."""
    from include import ingest, transform

    ingest.ensure_raw_tables(settings)
    with _bar("dbt") as progress:
        work = transform.build(settings, new_run_id(), progress)
    print(f"built from {work['rebuild_from'] or 'no changed day'}: {work['counts']}")


def run(settings, arguments) -> None:
    """Lands the days of every source of tier 1 and of those with a connection, builds, audits and publishes."""
    from include import ingest, transform
    from include.sources import all_sources
    from include.sources.base import off_reason

    run_id = new_run_id()
    failed = []
    # the registry says what the others look for
    for source in sorted(all_sources(), key=lambda s: (bool(s.lists or s.tracks), s.window != "now", s.name)):
        if reason := off_reason(source, os.environ) or _not_asked(source):
            print(reason)
            continue
        days = (None, None) if source.window == "now" else (arguments.first, arguments.last)
        try:
            with _bar(source.name) as progress:
                ingest.land(source, _window(source, *days), settings, progress)
        except OpenImpactError as error:
            if source.tier == 1:
                raise
            failed.append(f"{source.name}: {error}")
    ingest.ensure_raw_tables(settings)  # those of sources that are left out too
    with _bar("dbt") as progress:
        transform.build(settings, run_id, progress)
    transform.audit(settings, run_id)
    published = transform.release(settings, run_id)
    print(f"published release {published.release_id}; see `python -m include release show`")
    if failed:
        raise OpenImpactError(
            f"The release lacks what could not be landed; land it again, then build. {' '.join(failed)}"
        )


def status(settings, arguments) -> None:
    """Shows what is wrong right now: sources against their promise, failed days, holes, what waits, the release."""
    from include.status import describe, read_status

    print(describe(read_status(settings)))


def release(settings, arguments) -> None:
    """Lists, shows, publishes, rolls back, expires and hashes releases."""
    from include import transform
    from include.lake import releases

    action, target = arguments.action, arguments.id
    if action == "list":
        for item in releases.list_releases(settings):
            print(f"{'*' if item.current else ' '} {item.release_id}  {item.published_at:%Y-%m-%d %H:%M} UTC")
    elif action == "show":
        (_show_metrics if arguments.metrics else _show)(settings, target or "current")
    elif action == "publish":
        run_id = new_run_id()
        transform.audit(settings, run_id, accept_shrunk=arguments.accept_shrunk)
        print(f"published release {transform.release(settings, run_id).release_id}")
    elif action == "rollback":
        if not target:
            raise FixNeeded("Say which release: python -m include release rollback ID (see `release list`).")
        releases.roll_back(settings, target)
        print(f"release {target} is current")
    elif action == "expire":
        gone = releases.expire(settings, keep=arguments.keep)
        print(f"expired {len(gone)} releases: {', '.join(gone) or 'none'}")
    elif action == "hash":
        print(releases.content_hash(settings, target or "current"))


def _show(settings, target: str) -> None:
    from include.lake.releases import open_release_table, show_release

    item = show_release(settings, target)
    print(f"release {item.release_id}, published {item.published_at:%Y-%m-%d %H:%M:%S} UTC, run {item.run_id}")
    print(f"code {item.code_sha}\ndirectory {item.directory_sha}\n\n{'table':<40} {'rows':>12}")
    for table in item.tables:
        print(f"{table.name:<40} {table.rows:>12,}")
    print("\ncoverage\n" + f"{'source':<16}{'provider':<12}{'family':<16}{'days':<26}{'status':<8}reason")
    coverage = open_release_table(settings, item.release_id, "coverage_v1").scan().to_arrow().to_pylist()
    for row in sorted(coverage, key=lambda r: (r["source"], r["provider"], r["family"], r["from_day"])):
        if row["artifact_id"] is None:
            days = f"{row['from_day']} .. {row['to_day']}"
            print(
                f"{row['source']:<16}{row['provider']:<12}{row['family']:<16}{days:<26}{row['status']:<8}"
                f"{row['reason'] or ''}"
            )


def _show_metrics(settings, target: str) -> None:
    from include.lake.released_metrics import released_metrics
    from include.lake.releases import show_release

    item = show_release(settings, target)
    print(f"release {item.release_id}, published {item.published_at:%Y-%m-%d %H:%M:%S} UTC; numbers of all levels\n")
    print(f"{'source':<18}{'metric':<36}{'rows':>12}  {'first':<12}{'last':<12}{'ok':>7}{'partial':>9}")
    for m in released_metrics(settings, item.release_id):
        shares = ["-" if m.rows == 0 else f"{share or 0:.1%}" for share in (m.ok, m.partial)]
        print(
            f"{m.source:<18}{m.metric:<36}{m.rows:>12,}  {m.first_date or '-'!s:<12}{m.last_date or '-'!s:<12}"
            f"{shares[0]:>7}{shares[1]:>9}"
        )


def maintain(settings, arguments) -> None:
    """Merges small files, expires old snapshots, removes files that nothing needs; --dry-run only tells."""
    from include import ingest
    from include.lake import maintenance

    print(maintenance.describe(maintenance.maintain(settings, dry_run=arguments.dry_run)))
    runs, freed = ingest.clean_staging(settings, dry_run=arguments.dry_run)
    print(f"staged files of {runs} dead runs: {freed / 1e6:,.2f} MB{' (dry run)' if arguments.dry_run else ''}")


def docs(settings, arguments) -> None:
    """Writes the dbt docs site (lineage, columns, tests, metrics) as one HTML file."""
    from include.transform.docs import write_docs

    print(f"dbt docs: {write_docs(settings)}")


def new_run_id() -> str:
    """A run id that sorts by time: shell-20261125T071301-1f2e3d4c."""
    return f"shell-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def _not_asked(source) -> str | None:
    """Why `run` leaves a source out whose upstream nobody named: it may take an hour of somebody else's machine."""
    variable = f"AIRFLOW_CONN_{source.connection.upper()}"
    if source.tier == 1 or os.environ.get(variable):
        return None
    return f"{source.name} is left out: set {variable} (see .env.example) to have `run` read {source.default_urls[0]}."


def _window(source, first: date | None, last: date | None):
    from include.sources.base import Window

    today = datetime.now(UTC).date()
    default = today if source.window == "now" else today - timedelta(days=1)
    first = first or last or default
    last = last or first
    if last < first:
        raise FixNeeded(f"--from {first} is after --to {last}; swap them.")
    return Window(start=first, end=last + timedelta(days=1))


class _bar:
    """A tqdm bar as the progress callable (done, total, label)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self):
        from tqdm import tqdm

        self.bar = tqdm(desc=self.name, unit="step", dynamic_ncols=True, disable=None)
        return self

    def __call__(self, done: int, total: int, label: str = "") -> None:
        self.bar.total = total
        self.bar.n = done
        self.bar.set_postfix_str(label, refresh=True)

    def __exit__(self, *error) -> None:
        self.bar.close()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write YYYY-MM-DD") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function):
        sub = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        sub.set_defaults(command=function)
        return sub

    def days(sub):
        sub.add_argument("--from", dest="first", type=_day, metavar="DAY", help="first UTC day (default: yesterday)")
        sub.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last UTC day, included")

    command("sources", sources).add_argument("--dbt", action="store_true", help="print dbt/models/sources.yml")
    sub = command("land", land)
    sub.add_argument("source", help="a name from `sources`")
    days(sub)
    sub.add_argument("--dry-run", action="store_true", help="fetch and validate, commit nothing")
    sub.add_argument("--allow-shrink", action="store_true", help="accept a snapshot far smaller than the last one")
    command("vectors", vectors)
    command("build", build)
    days(command("run", run))
    command("status", status)
    command("docs", docs)
    sub = command("maintain", maintain)
    sub.add_argument("--dry-run", action="store_true", help="tell what would be done, change nothing")
    sub = command("release", release)
    sub.add_argument("action", choices=("list", "show", "publish", "rollback", "expire", "hash"))
    sub.add_argument("id", nargs="?", help="a release id; default: the current one")
    sub.add_argument("--metrics", action="store_true", help="show: rows, dates and quality of each metric instead")
    sub.add_argument("--accept-shrunk", action="store_true", help="publish: do not compare with the current release")
    sub.add_argument("--keep", type=int, default=10, help="expire: how many of the newest to keep")
    return parser


if __name__ == "__main__":
    sys.exit(main())
