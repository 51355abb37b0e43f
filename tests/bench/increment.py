"""CPU of building after one changed day, over the full build of two years of history: at most 0.3."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.bench.home import fresh_home, land_directory
from tests.bench.jobs import Cpu, run, verdict

GOAL = 0.3
REPOS, DAYS, FIRST_DAY, EVENTS_A_DAY = 500, 730, date(2023, 1, 1), 150
CODES = {"PushEvent": 0, "IssuesEvent": 1, "PullRequestEvent": 2, "WatchEvent": 3, "PullRequestReviewEvent": 4}


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The ratio of the two builds of one lake; one run, for each takes minutes."""
    result = run(both_builds, timeout_s=3600)
    detail = (
        f"{DAYS} days, {REPOS} repositories, {result['events']} events; "
        f"{result['again']:.1f} s from {result['from']} over {result['full']:.1f} s"
    )
    yield verdict("one changed day / full build", result["again"] / result["full"], GOAL, detail=detail)


def both_builds() -> dict:
    """Job: a lake of two years built whole, then its last day landed again and built."""
    from include import ingest, transform
    from include.lake.catalog import open_catalog

    names = [f"owner{n % 50}/repo{n}" for n in range(REPOS)]
    with fresh_home() as settings:
        land_directory(settings, names)
        ingest.ensure_raw_tables(settings)
        catalog = open_catalog(settings, "lake")
        days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
        events = sum(land_days(catalog, days[start : start + 100]) for start in range(0, DAYS, 100))
        with Cpu() as full:
            transform.build(settings, "full")
        land_days(catalog, days[-1:], EVENTS_A_DAY + 1, landed=True)  # an event more, so that there is a change
        with Cpu() as again:
            work = transform.build(settings, "again")
    return {"full": full.seconds, "again": again.seconds, "from": work["rebuild_from"], "events": events}


def land_days(catalog, days: list[date], a_day: int = EVENTS_A_DAY, repos: int = REPOS, *, landed: bool = False) -> int:
    """Writes the raw rows of these days: all in one append, or a single one as a landing does. Returns their events."""
    import duckdb
    import pyarrow.parquet as pq

    from include.lake.landing import replace_day
    from include.sources import get_source

    source, count = get_source("github_archive"), 0
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        first = (days[0] - FIRST_DAY).days
        db.execute(_events_sql(first, len(days), a_day, repos))
        for stream, sql in STREAMS.items():
            schema = source.stream(stream).raw_schema
            rows = _completed(db.execute(sql).to_arrow_table(), schema)
            count = rows.num_rows if stream == "events" else count
            table = catalog.load_table(source.table(stream))
            if landed:
                file = Path(catalog.properties["warehouse"].removeprefix("file://")) / f"{stream}.parquet"
                pq.write_table(rows, file)
                replace_day(table, days[0], [file], run_id="again", rows=rows.num_rows, rejected=0)
            else:
                table.append(rows)
    return count


def _events_sql(first: int, days: int, a_day: int, repos: int) -> str:
    """The facts of every event, drawn from its number alone: the same on every run."""
    kinds = "', '".join(CODES)
    return f"""create table drawn as
    select *, (['{kinds}'])[1 + (case when luck < 60 then 0 else luck % 5 end)] as type
    from (
        select day_no * 1000 + n as id, date '{FIRST_DAY}' + day_no::int as day, n,
            1 + (hash(day_no, n, 1) % {repos})::bigint as repo, (hash(day_no, n, 2) % 3000)::bigint as actor,
            (hash(day_no, n, 3) % 100)::int as luck, (n % 24)::int as hour
        from range({first}, {first + days}) d (day_no), range({a_day}) e (n)
    )"""


AT = "(day::timestamp + to_hours(hour) + to_seconds(n))::timestamptz"
NAME = "'owner' || ((repo - 1) % 50) || '/repo' || (repo - 1)"
STREAMS = {
    "events": f"""select id::varchar as id, type, actor as actor_id, 'user' || actor as actor_login, repo as repo_id,
        {NAME} as repo_name, {AT} as created_at, true as public, hour, '{{}}' as _payload, day as _day,
        case type when 'PushEvent' then null when 'WatchEvent' then 'started'
            when 'PullRequestReviewEvent' then 'created' else 'opened' end as action,
        case when type = 'PushEvent' then 'refs/heads/main' end as ref,
        case when type = 'PushEvent' then 1 end as push_size, case when type = 'PushEvent' then 1 end as listed_commits,
        case when type in ('IssuesEvent', 'PullRequestEvent', 'PullRequestReviewEvent') then id end as number,
        case when type = 'PullRequestReviewEvent' then id end as object_id, actor as author_id,
        'user' || actor as author_login, 'User' as author_type, {AT} as opened_at, {AT} as submitted_at,
        case when type = 'PullRequestReviewEvent' then actor + 1 end as item_author_id
        from drawn""",
    "push_commits": f"""select id::varchar as event_id, 0 as position, sha1(id::varchar) as sha,
        'user' || actor as author_name, sha1(actor::varchar) || '@example.org' as author_email, true as is_distinct,
        repo as repo_id, {AT} as created_at, day as _day from drawn where type = 'PushEvent'""",
    "type_counts": """select hour, type, 6000 as event_count, day as _day
        from (select distinct hour, type, day from drawn)""",
    "repositories": f"""select repo as repo_id, {NAME} as repo_name, split_part({NAME}, '/', 1) as owner,
        min({AT}) as first_at, max({AT}) as last_at, day as _day from drawn group by all""",
    "coverage": """select 'events' as stream, lpad(part::varchar, 2, '0') as part, 1 as expected, 150000 as observed,
        'complete' as status, day as _day from (select distinct day from drawn), range(25) p (part)""",
}


def _completed(rows, schema):
    """The rows with every column of the raw schema; null where SQL gave none, but for the system columns."""
    import pyarrow as pa

    system = {"_run_id": "made", "_loaded_at": datetime(2025, 1, 2, 5, 30, tzinfo=UTC)}
    columns = [
        rows[f.name].cast(f.type)
        if f.name in rows.column_names
        else pa.repeat(pa.scalar(system.get(f.name), f.type), rows.num_rows)
        for f in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
