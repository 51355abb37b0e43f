"""CPU of what a one-day increment asks of the lake itself, over 30, 180 and 720 days of history: flat within 1.5.

The day's commit, the plan, and DuckDB's queries of raw tables, without dbt: the part of `history` that takes seconds.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.bench.curve import Curve
from tests.bench.history import EVENTS_A_DAY, GOAL, HISTORIES, NEW_DAY, REPOS, land_history
from tests.bench.home import fresh_home
from tests.bench.increment import land_days
from tests.bench.jobs import Cpu, run, verdict

QUERIES = 20  # the same one, of the new day alone


def measure(folder: Path, repeat: int) -> Iterator[str | Curve]:
    """The ratio of the longest history to the shortest for each step, and the curve."""
    found = {days: run(lake_after, days) for days in HISTORIES}
    few, many = HISTORIES[0], HISTORIES[-1]
    steps = [step for step in found[few] if step != "rss_mb"]
    for step in steps:
        detail = ", ".join(f"{days} days {found[days][step]:.2f} s" for days in HISTORIES)
        yield verdict(f"{step} after {many} days / {few}", found[many][step] / found[few][step], GOAL, detail=detail)
    yield Curve(
        name="lake-by-history",
        title="CPU seconds that a one-day increment spends on the lake itself",
        across="days of history",
        lines={step: [(days, found[days][step]) for days in HISTORIES] for step in steps},
    )


def lake_after(days: int) -> dict:
    """Job: a lake of `days` that counts as built, then the day after; CPU seconds a step."""
    import duckdb

    from include import transform
    from include.lake.duckdb_views import create_raw_views

    with fresh_home() as settings:
        catalog = land_history(settings, days)
        _count_as_built(settings, catalog)
        with Cpu() as land:
            land_days(catalog, [NEW_DAY], EVENTS_A_DAY, REPOS, landed=True)
        with Cpu() as plan:
            work = transform.plan(settings, "again")
        if work["rebuild_from"] != NEW_DAY.isoformat():
            raise RuntimeError(f"The plan is of {work['rebuild_from']}, not of the one new day.")
        with duckdb.connect() as db:
            db.execute("set threads = 1")
            with Cpu() as views:
                create_raw_views(db, catalog, work["snapshots"])
            query = f"select count(actor_login) from raw.github_archive__events where _day >= date '{NEW_DAY}'"
            with Cpu() as queries:
                for _ in range(QUERIES):
                    db.execute(query).fetchall()
    steps = {"land": land, "plan": plan, "raw views": views, f"{QUERIES} queries": queries}
    return {name: cpu.seconds for name, cpu in steps.items()}


def _count_as_built(settings, catalog) -> None:
    from include.lake.landing import snapshots_of
    from include.transform.plan import _project_digest, _record

    settings.duckdb_path.touch()
    snapshots = {name: str(snapshot) for name, snapshot in snapshots_of(catalog).items()}
    _record(settings, catalog, snapshots | {"code": _project_digest()})
