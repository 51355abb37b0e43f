"""How fast a release is served, ten million points of 1,000 projects: requests a second, waiting times, many rows.

The server is a process of its own and the load comes from this one, on the same cores: the times are too long rather
than too short.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.bench.home import fresh_home
from tests.bench.jobs import verdict

PROJECTS, METRICS, WEEKS = 1_000, 50, 200
CONNECTIONS = 16
SERIES = f"""
    select
        md5('m' || m.range) as metric_id, md5('p' || p.range) as project_id,
        date '2022-01-03' + (7 * w.range)::int as sample_date,
        (hash(p.range, m.range, w.range) % 1000)::double as amount,
        case when m.range < 5 then 'unit' else 'count' end as unit,
        'metric-' || m.range as metric, 'GITHUB' as metric_source, 'weekly' as "window",
        'ok' as quality, 1.0::double as coverage, timestamptz '2026-01-01 00:00:00+00' as computed_at, 'run' as run_id
    from range({PROJECTS}) as p, range({METRICS}) as m, range({WEEKS}) as w"""


@dataclass(frozen=True)
class Load:
    """What a load met: seconds of every answer, sorted, and of all together."""

    waits: list[float]
    seconds: float

    def share(self, part: float) -> float:
        """Milliseconds within which `part` of the answers came."""
        return 1000 * self.waits[min(len(self.waits) - 1, int(part * len(self.waits)))]


def measure(folder: Path, repeat: int) -> Iterator[str]:
    """The goals of the serving side, each beside what was met."""
    with serving() as (address, key, load):
        one = "/api/v1/projects/project-1"
        load([one], 1)
        cached = load([one] * 20_000, CONNECTIONS)
        yield verdict("cached GET a second", len(cached.waits) / cached.seconds, 1000, most=False)
        yield verdict("cached GET p99 ms", cached.share(0.99), 15)
        cards = load([f"/api/v1/projects/project-{n}" for n in range(100, PROJECTS)], CONNECTIONS)
        yield verdict("uncached project p50 ms", cards.share(0.5), 5, detail=f"{CONNECTIONS} connections")
        yield verdict("uncached project p99 ms", cards.share(0.99), 50, detail=f"{CONNECTIONS} connections")
        cards = load([f"/api/v1/projects/project-{n}" for n in range(100)][2:], 1)
        yield verdict("uncached project p99 ms", cards.share(0.99), 2, detail="1 connection")
        asked = [f"project=project-{n}&metric=GITHUB_metric-{n % METRICS}_weekly" for n in range(300)]
        series = load([f"/api/v1/timeseries?{one}" for one in asked], 1)
        yield verdict("uncached series p99 ms", series.share(0.99), 5, detail="1 connection")
        hundred = "query($project: String) { oso_timeseriesMetricsByProjectV1(limit: 100, where: {projectId: "
        hundred += "{_eq: $project}}) { metricId sampleDate amount unit quality } }"
        asked = [{"query": hundred, "variables": json.dumps({"project": one})} for one in _ids("p", 200)]
        graphql = load([f"/api/v1/graphql?{urlencode(one)}" for one in asked], 1)
        yield verdict("GraphQL 100 rows p99 ms", graphql.share(0.99), 60, detail="1 connection")
        point = "select amount from oso.timeseries_metrics_by_project_v1 where project_id = '{}' limit 1"
        _as_pyoso(address, key, "select 1")
        points = sorted(_as_pyoso(address, key, point.format(project)) for project in _ids("p", 20))
        yield verdict("SQL point query as pyoso asks, slowest of 20, ms", 1000 * points[-1], 150)
        many = "select * from oso.timeseries_metrics_by_project_v1 limit 50000"
        yield verdict("SQL 50,000 rows as pyoso asks, seconds", _as_pyoso(address, key, many), 1)
        rows = "/api/v1/tables/timeseries_metrics_by_project_v1/rows.parquet?unit=unit"
        yield verdict(f"{5 * PROJECTS * WEEKS:,} rows as Parquet, seconds", load([rows], 1).seconds, 3)
        quiet = _of_others(load, 300)
        with _bombed(address, key):
            bombed = _of_others(load, 600)
        for what in quiet:
            name, before = f"{what} p99 while SQL bombs run, times that of before", f"{quiet[what]:.1f} ms before"
            yield verdict(name, bombed[what] / quiet[what], 2, detail=before)


@contextmanager
def serving() -> Iterator[tuple[str, str, Callable[[list[str], int], Load]]]:
    """Address and key of a server of the made-up release, and what loads it: paths and connections in, a Load out."""
    from consumer.bundle import build_bundle
    from consumer.keys import Keys
    from tests.consumer.processes import served

    with fresh_home() as settings:
        _publish_series(settings)
        build_bundle(settings)
        key = Keys(settings.home).add("bench", tier="internal")
        with served(settings.home) as address:
            yield address, key, lambda paths, connections: asyncio.run(_load_answers(address, key, paths, connections))


def _of_others(load: Callable[[list[str], int], Load], first: int) -> dict[str, float]:
    """Milliseconds within which 99 of 100 answers come to who runs no SQL; 300 projects from `first` on are asked."""
    numbers = range(first, first + 300)
    asked = {
        "cached GET": ["/api/v1/projects/project-1"] * 20_000,
        "uncached project": [f"/api/v1/projects/project-{n}.json" for n in numbers],
        "uncached series": [
            f"/api/v1/timeseries?project=project-{n}&metric=GITHUB_metric-{n % METRICS}_weekly" for n in numbers
        ],
    }
    return {what: load(paths, 4).share(0.99) for what, paths in asked.items()}


@contextmanager
def _bombed(address: str, key: str) -> Iterator[None]:
    """Meanwhile every sandbox runs a statement that would take hours; RuntimeError where one of them ended sooner."""
    import httpx

    table = "oso.timeseries_metrics_by_project_v1"
    bomb = f"select count(*) from {table} as a, {table} as b where a.amount + b.amount < 0"
    with httpx.Client(base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        begun = [client.post("async-sql", json={"query": bomb}).raise_for_status().json()["id"] for _ in range(2)]
        yield
        for query in begun:
            told = client.get("async-sql", params={"id": query})
            if told.status_code != 202:
                raise RuntimeError(f"A bomb ended before the load beside it did: {told.text}")


def _as_pyoso(address: str, key: str, sql: str) -> float:
    """Seconds until a statement's rows are there, asked as pyoso from 0.8 does."""
    import httpx

    start = time.perf_counter()
    with httpx.Client(base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        told = client.post("async-sql", json={"query": sql}).raise_for_status().json()
        while told["status"] != "completed":
            time.sleep(1)
            told = client.get("async-sql", params={"id": told["id"]}).raise_for_status().json()
        rows = httpx.get(told["url"], timeout=60).raise_for_status().text.splitlines()[1:]
        if not [json.loads(row) for row in rows]:
            raise RuntimeError(f"No rows came of {sql}")
    return time.perf_counter() - start


def _ids(letter: str, count: int) -> list[str]:
    return [hashlib.md5(f"{letter}{n}".encode()).hexdigest() for n in range(count)]


async def _load_answers(address: str, key: str, paths: list[str], connections: int) -> Load:
    """Asks all paths over so many connections at a time; an answer other than 200 ends it."""
    at = urlsplit(address)
    todo, waits = iter(paths), []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        for path in todo:
            start = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{path} was answered with {head.splitlines()[0].decode()}")
            await _body(reader, head.lower())
            waits.append(time.perf_counter() - start)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    return Load(sorted(waits), time.perf_counter() - start)


async def _body(reader: asyncio.StreamReader, head: bytes) -> None:
    if b"content-length: " in head:
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


def _publish_series(settings) -> None:
    """Publishes the projects, their metrics and their ten million points."""
    import duckdb

    from include.lake.catalog import open_catalog
    from include.lake.exports import write_export
    from include.lake.releases import publish
    from tests.consumer.releases import CONTRACTS, publish_rows

    names = [f"project-{n}" for n in range(PROJECTS)]
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        ids, metric_ids = _ids("p", PROJECTS), _ids("m", METRICS)
        publish_rows(
            settings,
            {
                "projects_v1": [
                    {"project_id": key, "project_name": name, "display_name": name}
                    for key, name in zip(ids, names, strict=True)
                ],
                "metrics_v1": [
                    {
                        "metric_id": key,
                        "metric": f"metric-{n}",
                        "metric_source": "GITHUB",
                        "window": "weekly",
                        "metric_name": f"GITHUB_metric-{n}_weekly",
                        "levels": ["project"],
                    }
                    for n, key in enumerate(metric_ids)
                ],
            },
        )
        lake = open_catalog(settings, "lake")
        write_export(lake, "timeseries_metrics_by_project_v1", db.execute(SERIES).to_arrow_table())
        newest = f"select *, amount as previous_amount from ({SERIES}) where sample_date = date '2022-01-03'"
        write_export(lake, "key_metrics_by_project_v1", db.execute(newest).to_arrow_table())
    tables = [f"exports.{name}" for name in CONTRACTS if name != "releases_v1"]
    publish(settings, tables, run_id="bench", code_sha="c", directory_sha="d")
