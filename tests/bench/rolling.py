"""CPU of a range join for rolling distinct actors, over the models' running sums: at least 10, for 5 million events.

Both start from the distinct actor days of made-up events, on one DuckDB thread.
The models do more than the join: they also count windows of 60 and 360 days.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.bench.jobs import ROOT, Cpu, run, verdict

EVENTS, DAYS, LENGTHS, GOAL = 5_000_000, 730, (30, 90, 180), 10
JOIN_LIMIT_S = 60  # CPU seconds of each range join; beyond it the ratio is a lower bound
FIRST_DAY_NO = 19_000


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The ratio of the three windows together; sums must agree where the join ended."""
    run(make_actor_days, str(folder / "actor_days.parquet"))
    ours = run(running_sums, str(folder / "actor_days.parquet"))
    joins = {n: run(range_join, str(folder / "actor_days.parquet"), n) for n in LENGTHS}
    ended = [n for n, join in joins.items() if join["total"] is not None]
    wrong = [n for n in ended if joins[n]["total"] != ours["totals"][str(n)]]
    ratio = sum(join["cpu"] for join in joins.values()) / ours["cpu"]
    detail = f"{sum(j['cpu'] for j in joins.values()):.1f} s over {ours['cpu']:.1f} s for {ours['rows']} actor days"
    if cut := [f"{n}" for n in LENGTHS if n not in ended]:
        detail += f"; at least so much: the join of {', '.join(cut)} days was stopped after {JOIN_LIMIT_S} s"
    detail += f"; sums differ for {wrong} days" if wrong else f"; sums agree for {ended or 'none'} days"
    yield verdict("range join / running sums", ratio, GOAL, most=False, detail=detail)


def make_actor_days(path: str) -> dict:
    """Job: 5 million events of 10,000 entities over two years as distinct actor days."""
    if Path(path).exists():
        return {}
    db = _connect()
    db.execute("select setseed(0.42)")
    # about four events an actor day; popularity of entities and actors is log-uniform
    db.execute(
        f"""create table drawn as select floor(pow(10000, random()))::int as entity, random() as luck,
                {FIRST_DAY_NO} + floor({DAYS} * random())::int as day_no from range({EVENTS // 4})"""
    )
    db.execute(
        f"""copy (select distinct 'reviewers' as actor_set, 'project' as entity_level, entity::varchar as entity_id,
                hash(entity % 3000, floor(pow(30 + 40000 / sqrt(entity), luck)))::ubigint::varchar as actor_id, day_no
            from drawn) to '{path}' (format parquet)"""
    )
    return {}


def running_sums(path: str) -> dict:
    """Job: the rolling models of dbt, on these actor days alone."""
    import tempfile

    import duckdb
    from dbt.cli.main import dbtRunner

    from tests.dbt.harness import fill, project

    models = ("met_rolling_base", "met_rolling_deltas", "met_rolling")
    last = f"date '1970-01-01' + {FIRST_DAY_NO + DAYS - 1}"
    given = {
        "met_actor_days": f"select *, 'GITHUB' as metric_source, 1::decimal(38, 18) as amount from '{path}'",
        "met_metrics": f"select 'GITHUB' as metric_source, ({last})::date as as_of",
        "met_first_days": "select null::varchar as actor_set, null::varchar as metric_source, "
        "null::varchar as entity_level, null::varchar as entity_id, null::varchar as actor_id, null::date as first_day "
        "where false",
        "met_daily": "select null::varchar as metric, null::varchar as metric_source, null::varchar as entity_level, "
        "null::varchar as entity_id, 0 as day_no, 0::decimal(38, 18) as amount, 0::bigint as case_count where false",
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "dbt"
        project(folder)
        fill(folder / "transform.duckdb", {})
        for name, sql in given.items():
            (folder / "models/metrics" / f"{name}.sql").write_text(sql)
        profiles = folder / "profiles.yml"
        profiles.write_text(
            profiles.read_text().replace("threads: 2, settings: {", "threads: 1, settings: {threads: 1, ")
        )
        os.chdir(folder)
        os.environ |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
        runner = dbtRunner(manifest=dbtRunner().invoke(["parse", "--quiet"]).result)
        done = runner.invoke(["run", "--quiet", "--select", *given, "met_rebuild", "int_rebuild__from"])
        with Cpu() as cpu:
            done = runner.invoke(["run", "--quiet", "--select", *models])
        if not done.success:
            raise RuntimeError(next((r.message for r in done.result or () if r.message), str(done.exception)))
        with duckdb.connect("transform.duckdb") as db:
            totals = db.execute(
                "select length_days, sum(amount)::bigint from metrics.met_rolling where metric = 'reviewers' group by 1"
            ).fetchall()
            rows = db.execute("select count(*) from metrics.met_actor_days").fetchone()[0]
        os.chdir(ROOT)
    return {"cpu": cpu.seconds, "rows": rows, "totals": dict(totals)}


def range_join(path: str, length: int) -> dict:
    """Job: the same amounts by joining each entity's days to the actor days of its window."""
    import threading

    import duckdb

    db, total = _connect(path), None
    timer = threading.Timer(JOIN_LIMIT_S, db.interrupt)
    with Cpu() as cpu:
        timer.start()
        try:
            db.execute(
                f"""create table joined as select born.entity_id, days.day_no, count(distinct acts.actor_id) as amount
                from (select entity_id, min(day_no) as first_no from met_actor_days group by entity_id) as born
                join days on days.day_no >= born.first_no
                join met_actor_days as acts on acts.entity_id = born.entity_id
                    and acts.day_no between days.day_no - {length - 1} and days.day_no
                group by born.entity_id, days.day_no"""
            )
            total = db.execute("select sum(amount)::bigint from joined").fetchone()[0]
        except duckdb.InterruptException:
            pass
    timer.cancel()
    return {"cpu": cpu.seconds, "total": total}


def _connect(path: str | None = None):
    """A database in memory with the actor days and the days that the join reads."""
    import duckdb

    db = duckdb.connect(config={"threads": 1, "preserve_insertion_order": "false"})
    if path:
        db.execute(f"create table met_actor_days as select * from '{path}'")
        db.execute(f"create table days as select unnest(range({FIRST_DAY_NO}, {FIRST_DAY_NO + DAYS}))::int as day_no")
    return db
