"""Time and memory of the metric layer on DuckDB (one thread, 6 GB): 10 times the events in at most 11 times the time.

And of a day more after two years, over the whole build: at most 0.25. The models start from the daily rows and items of
made-up GitHub events of two years in the same 100 repositories.
"""

import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from tests.bench.curve import Curve
from tests.bench.jobs import Cpu, run, verdict

MILLIONS, ON_TRINO, REPOS = (0.5, 5, 20, 50), 5, 100
DAYS, LAST = 730, date(2025, 4, 30)
FIRST = LAST - timedelta(days=DAYS - 1)
LINEAR, INCREMENT = 11, 0.25
TRINO_HEAP = "3 GB"
TRINO_PROFILE = """openimpact:
  target: trino
  outputs:
    trino:
      {type: trino, method: none, host: 127.0.0.1, port: PORT, user: bench, http_scheme: http, database: lake,
       schema: main, threads: 2}
"""
PROFILE = """openimpact:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: transform.duckdb
      schema: main
      threads: 1
      settings: {TimeZone: UTC, memory_limit: 6GB, threads: 1, preserve_insertion_order: false}
"""
# of eight events the first opens an item, the second closes it; luck of the others -> what it is, the rest are stars
KINDS = {
    "'COMMIT_CODE'": 53, "'ISSUE_COMMENT'": 77, "if(is_pull, 'PULL_REQUEST_REVIEW', 'ISSUE_COMMENT')": 85,
    "'RELEASE_PUBLISHED'": 86, "'FORKED'": 89,
}  # fmt: skip


def measure(folder: Path, repeat: int) -> Iterator[str | Curve]:
    """The ratios of one run of each, as they come; all of them take more than an hour."""
    spent = {}
    for millions in MILLIONS:
        home = str(folder / f"{millions}m")
        rows = run(make_world, home, int(millions * 1_000_000), timeout_s=3600)["rows"]
        whole = run(build, home, "all", timeout_s=7200)
        spent[millions] = whole["cpu"]
        yield (
            f"{millions} million events ({rows:,} daily rows): {whole['cpu']:.0f} s, peak {whole['rss_mb']:,.0f} MB, "
            f"{whole['series']:,} rows of metrics"
        )
        if tenth := spent.get(millions / 10):
            yield verdict(f"{millions} million events / {millions / 10:g} million", whole["cpu"] / tenth, LINEAR)
        if millions == ON_TRINO:
            again = run(build, home, LAST.isoformat(), timeout_s=3600)
            detail = f"{again['cpu']:.0f} s over {whole['cpu']:.0f} s"
            yield verdict("a day more / whole build", again["cpu"] / whole["cpu"], INCREMENT, detail=detail)
            there = run(build_on_trino, home, timeout_s=7200)
            yield (
                f"on Trino with a heap of {TRINO_HEAP}: {there['cpu']:.0f} s, peak {there['peak_mb']:,.0f} MB, "
                f"{'the same' if there['series'] == whole['series'] else 'ANOTHER'} number of rows"
            )
    yield Curve(
        name="layer-by-events",
        title="CPU seconds of the whole metric layer",
        across="million events",
        lines={"DuckDB": list(spent.items())},
    )


def make_world(home: str, events: int) -> dict:
    """Job: the dbt project of the metric models over the tables of `events` made-up events."""
    import duckdb

    from tests.dbt.harness import TABLES, fill, project

    folder = Path(home)
    if not folder.exists():
        project(folder)
        (folder / "profiles.yml").write_text(PROFILE)
        fill(folder / "transform.duckdb", {})
    with duckdb.connect(str(folder / "transform.duckdb")) as db:
        db.execute(
            "set memory_limit = '6GB'; set threads = 1; set timezone = 'UTC'; set preserve_insertion_order = false"
        )
        for name in TABLES:
            db.execute(f"delete from hand.{name}")
        db.execute(f"create or replace temp table drawn as {drawn_sql(events)}")
        for name, sql in tables_sql().items():
            db.execute(f"insert into hand.{name} by name {sql}")
        rows = db.execute("select count(*) from hand.int_activity__artifact_days").fetchone()[0]
    return {"rows": rows}


def drawn_sql(events: int) -> str:
    """Facts of every event from its number alone; popularity of repositories and people is log-uniform.

    As in the world there are more items where there are more events: eight events to an item, in twenty days.
    """

    def popular(most: int, *of: str) -> str:
        return f"floor(pow({most}, (hash({', '.join(of)}) % 1000000) / 1e6))::bigint"

    kinds = "\n".join(f"when luck < {luck} then {kind}" for kind, luck in KINDS.items())
    return f"""select n, 'r' || repo as repo, date '{FIRST}' + (second // 86400)::int as day, item,
            case
                when place = 0 then case when is_pull then 'PULL_REQUEST_OPENED' else 'ISSUE_OPENED' end
                when place = 1 then case when is_pull then 'PULL_REQUEST_MERGED' else 'ISSUE_CLOSED' end
                {kinds} else 'STARRED' end as kind,
            'user:' || actor as actor, actor % 40 = 0 as is_bot, 'user:' || author as author,
            author % 40 = 0 as author_is_bot,
            ('{FIRST}'::timestamp + to_seconds(second))::timestamptz as moment
        from (
            select n, n // 8 as item, n % 8 as place, {popular(REPOS, "n // 8", "1")} as repo,
                (hash(n // 8, 2) % {(DAYS - 20) * 86400}
                    + if(place = 0, 0, hash(n, 5) % {20 * 86400}))::bigint as second,
                {popular(2000, "n // 8", "7")} as author,
                case when n % 8 = 0 then author else {popular(2000, "n", "3")} end as actor,
                (hash(n, 4) % 100)::int as luck, hash(n // 8, 6) % 13 < 7 as is_pull
            from range({events}) e (n)
        )"""


def tables_sql() -> dict[str, str]:
    """Every filled table's rows, from the table `drawn`."""
    people = (
        "kind in ('COMMIT_CODE', 'ISSUE_OPENED', 'PULL_REQUEST_OPENED', 'PULL_REQUEST_MERGED', 'PULL_REQUEST_REVIEW')"
    )
    items = "kind like 'ISSUE%' or kind like 'PULL%'"
    families = (
        "commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars", "forks"
    )  # fmt: skip
    numbers = f"(select unnest(range(1, {REPOS + 1})) as r)"
    return {
        "int_entities__members": f"""select 'artifact' as entity_level, 'r' || r as entity_id, 'r' || r as artifact_id
            from {numbers} union all select 'project', 'p' || r // 3, 'r' || r from {numbers}
            union all select 'collection', 'c' || r // 60, 'r' || r from {numbers}""",
        "int_artifacts__github_repositories": f"""select 'r' || r as artifact_id, date '{FIRST}' + (r % 300)::int - 200
            as born_on from {numbers}""",
        "int_activity__artifact_days": """select repo as artifact_id, day as event_day, kind as event_type,
            is_bot as subject_is_bot, count(*) as amount, count(*) as event_count from drawn group by all""",
        "int_activity__actor_days": f"""select repo as artifact_id, actor as actor_id, day as event_day,
            kind as event_type, false as is_own_item, count(*) as event_count from drawn
            where ({people}) and not is_bot
            group by all""",
        "int_activity__commits": """select repo as artifact_id, 's' || n as sha, 'e' || n as event_id,
            moment as event_time, day as event_day, actor as actor_id, is_bot from drawn where kind = 'COMMIT_CODE'""",
        "int_activity__item_events": f"""select repo as artifact_id, item as item_number, 'e' || n as event_id,
            kind as event_type, moment as event_time, day as event_day, case when not is_bot then actor end as human_id,
            true as is_actor_known, author as author_id, author_is_bot,
            case when kind like '%OPENED' then moment end as opened_at from drawn where {items}""",
        "int_activity__work_days": f"""select repo as artifact_id, day as event_day, is_bot as actor_is_bot,
            count(*) as event_count from drawn where {items} group by all""",
        "int_activity__releases": """select repo as artifact_id, 'e' || n as event_id, moment as event_time,
            day as event_day
            from drawn where kind = 'RELEASE_PUBLISHED'""",
        "int_coverage__days": f"""select unnest({list(families)}) as family, day, 'full' as status
            from (select date '{FIRST}' + d::int as day from range({DAYS}) d (d))""",
        "int_coverage__as_of": f"select unnest({list(families)}) as family, date '{LAST}' as as_of",
        "int_rebuild__from": f"select date '{LAST}' as from_day, 'bench' as run_id",
    }


def build(home: str, rebuild_from: str) -> dict:
    """Job: the models built whole, or from a day on; CPU seconds, and rows of met_series."""
    import duckdb
    from dbt.cli.main import dbtRunner

    os.chdir(home)
    given = {"run_day": str(LAST + timedelta(days=1)), "run_id": "bench", "rebuild_from": rebuild_from}
    os.environ |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    os.environ["OPENIMPACT_BUILD"] = json.dumps(given)
    runner = dbtRunner()
    if rebuild_from == "all":
        runner.invoke(["seed", "--quiet"])
    with Cpu() as cpu:
        done = runner.invoke(["run", "--quiet"])
    if not done.success:
        failed = [result.message for result in done.result or () if result.status == "error"]
        raise RuntimeError(failed[0] if failed else str(done.exception))
    with duckdb.connect("transform.duckdb") as db:
        series = db.execute("select count(*) from metrics.met_series").fetchone()[0]
    return {"cpu": cpu.seconds, "series": series}


def build_on_trino(home: str) -> dict:
    """Job: the same tables in Iceberg, and the models built on a Trino; CPU seconds and peak memory of its process."""
    import shutil
    import subprocess
    import sys

    import duckdb
    import pyarrow as pa

    from include.lake.catalog import open_catalog
    from include.settings import load_settings
    from tests.cluster import servers
    from tests.cluster.tools import find_tools
    from tests.dbt.harness import TABLES

    servers.HEAP = "-Xmx" + TRINO_HEAP.replace(" GB", "g")
    folder = Path(home).with_name("trino")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("transform.duckdb*", "target", "logs"))
    with servers.Cluster(find_tools()) as running:
        running.start()
        lake = open_catalog(load_settings(os.environ | running.settings_env()), "lake")
        lake.create_namespace_if_not_exists("hand")
        with duckdb.connect(f"{home}/transform.duckdb", read_only=True) as db:
            db.execute("set timezone = 'UTC'")
            for name in TABLES:
                batches = db.execute(f"from hand.{name}").to_arrow_reader(1_000_000)
                table = lake.create_table(f"hand.{name}", batches.schema)
                for batch in batches:
                    table.append(pa.Table.from_batches([batch]))
        (folder / "profiles.yml").write_text(TRINO_PROFILE.replace("PORT", str(running.pipeline_port)))
        (trino,) = (server.process.pid for server, _ in running.servers if server.name == "trino-pipeline")
        given = {"run_day": str(LAST + timedelta(days=1)), "run_id": "bench", "rebuild_from": "all"}
        env = os.environ | {"DO_NOT_TRACK": "1", "OPENIMPACT_BUILD": json.dumps(given)}
        before = _cpu_of(trino)
        for step in ("seed", "run"):
            command = [sys.executable, "-m", "dbt.cli.main", step, "--quiet"]
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(" ".join(done.stdout.split())[-400:])
        [[series]] = running.query("pipeline", "select count(*) from lake.metrics.met_series")
        status = Path(f"/proc/{trino}/status").read_text().split()
        peak = int(status[status.index("VmHWM:") + 1]) / 1024
        return {"cpu": _cpu_of(trino) - before, "series": series, "peak_mb": peak}


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process so far (proc(5): fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
