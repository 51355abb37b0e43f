"""CPU of a one-day increment over 30, 180 and 720 days of history, from landing to release: flat within 1.5.

Every history ends on the same day and has as many events a day, so that nothing but its length differs. The day is
committed, planned, built, written and released as the pipeline does; reading the upstream knows no history (`land`).
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests.bench.curve import Curve
from tests.bench.home import fresh_home, land_directory
from tests.bench.increment import DAYS, FIRST_DAY, land_days
from tests.bench.jobs import Cpu, run, verdict

GOAL = 1.5
HISTORIES, REPOS, EVENTS_A_DAY = (30, 180, 720), 40, 400
NEW_DAY = FIRST_DAY + timedelta(days=DAYS - 1)  # late in a year: the months of its quarter and year are written anew
STEPS = ("land", "plan", "dbt", "write", "release")
SLOWEST = 5  # models named beside the curve


def measure(folder: Path, repeat: int) -> Iterator[str | Curve]:
    """A line for each history, the ratio of the longest to the shortest, the models that grew most, and the curve."""
    found = {}
    for days in HISTORIES:
        found[days] = result = run(increment_after, days, timeout_s=3600)
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in result["steps"].items())
        all_steps, whole = sum(result["steps"].values()), result["whole"]
        yield f"{days} days: {all_steps:.1f} s ({steps}); first build, untested {whole:.1f} s"
    few, many = found[HISTORIES[0]], found[HISTORIES[-1]]
    total = {days: sum(result["steps"].values()) for days, result in found.items()}
    detail = f"{REPOS} repositories, {EVENTS_A_DAY} events a day"
    ratio = total[HISTORIES[-1]] / total[HISTORIES[0]]
    yield verdict(f"a day after {HISTORIES[-1]} days / after {HISTORIES[0]}", ratio, GOAL, detail=detail)
    for step in STEPS:
        yield f"{step}: {many['steps'][step] / max(few['steps'][step], 0.01):.2f} times"
    grown = sorted(many["models"], key=lambda name: few["models"].get(name, 0) - many["models"][name])
    slow = (f"{name} {few['models'].get(name, 0):.2f} to {many['models'][name]:.2f} s" for name in grown[:SLOWEST])
    yield f"grew most: {'; '.join(slow)}"
    lines = {step: [(days, result["steps"][step]) for days, result in found.items()] for step in STEPS}
    yield Curve(
        name="increment-by-history",
        title="CPU seconds of a one-day increment",
        across="days of history",
        lines={"all": list(total.items())} | lines,
    )


def increment_after(days: int) -> dict:
    """Job: a lake of `days` built and released whole, then the day after; CPU seconds a step, wall seconds a model."""
    from include import transform
    from include.transform.runner import run_results

    steps: dict[str, float] = {}

    def timed(step: str, call, *arguments):
        with Cpu() as cpu:
            result = call(*arguments)
        steps[step] = cpu.seconds
        return result

    os.environ["DBT_EXCLUDE_RESOURCE_TYPES"] = "unit_test test"
    with fresh_home() as settings:
        catalog = land_history(settings, days)
        with Cpu() as whole:
            transform.build(settings, "whole")
        _release(settings, "whole")
        os.environ["DBT_EXCLUDE_RESOURCE_TYPES"] = "unit_test"
        timed("land", lambda: land_days(catalog, [NEW_DAY], EVENTS_A_DAY, REPOS, landed=True))
        work = timed("plan", transform.plan, settings, "again")
        if work["rebuild_from"] != NEW_DAY.isoformat():
            raise RuntimeError(f"The build was of {work['rebuild_from']}, not of the one new day.")
        timed("dbt", transform.build_layer, settings, "all", work, "again")
        timed("write", transform.finish, settings, work)
        timed("release", _release, settings, "again")
        models: dict[str, float] = defaultdict(float)
        for key, result in run_results(settings).items():
            models[key.split(".")[2]] += result["execution_time"]
    return {"steps": steps, "models": models, "whole": whole.seconds}


def land_history(settings, days: int):
    """Lands the directory and so many days before NEW_DAY; returns the lake's catalog."""
    from include import ingest
    from include.lake.catalog import open_catalog

    land_directory(settings, [f"owner{n % 50}/repo{n}" for n in range(REPOS)])
    ingest.ensure_raw_tables(settings)
    catalog = open_catalog(settings, "lake")
    history = [NEW_DAY - timedelta(days=n) for n in range(days, 0, -1)]
    for start in range(0, days, 90):
        land_days(catalog, history[start : start + 90], EVENTS_A_DAY, REPOS)
    return catalog


def _release(settings, run_id: str) -> None:
    from include import transform

    transform.audit(settings, run_id)
    transform.release(settings, run_id)
