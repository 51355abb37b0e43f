"""The whole system on the made-up world: upstreams, Airflow with its scheduler, a release, and where to look."""

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import requests

from demo import connections
from demo.server import DemoServer
from demo.world import LAST_DAY

ROOT = Path(__file__).resolve().parents[1]
DAYS, OTHER_DAYS = 30, 3
PATIENCE_S = 420
ENDINGS = (signal.SIGINT, signal.SIGTERM)
MARK = ".openimpact-demo"  # the home is the demo's own and may be emptied


class DemoFailed(Exception):
    """The demo cannot go on; `str()` says why and where the log is."""


def main(home: Path, *, once: bool) -> int:
    """Runs the demo below `home`, which is emptied first; returns the exit status.

    With `once` it stops by itself, else it stays up until Ctrl-C. Every process it started is gone afterwards.
    """
    for number in ENDINGS:  # a background shell starts its children with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        _empty(home)
        with DemoServer(0) as upstreams:
            say(f"the made-up upstreams answer at {upstreams.base_url}")
            env = environment(home, upstreams.base_url)
            with airflow(home, env) as api:
                run_dags(api)
                show_sources(home, upstreams.base_url)
                show_results(home)
                show_truth(home)
                with consumer(home, env) as url:
                    show_queries(url)
                    show_where(home, api, url)
                    if not once:
                        say("everything stays up; Ctrl-C ends it")
                        signal.sigwait(ENDINGS)
    except DemoFailed as error:
        print(f"demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0 if not once else 1
    return 0


STARTED = time.monotonic()


def say(text: str) -> None:
    """One line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.0f} s] {text}", flush=True)


def environment(home: Path, base_url: str) -> dict[str, str]:
    """The environment of Airflow and of every task: all state below `home`, nothing but loopback, no telemetry."""
    bytecode = {}
    if sys.dont_write_bytecode and not Path(requests.__cached__).exists():
        # else each of some forty processes compiles all it imports
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".openimpact" / "bytecode")}
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    return (
        {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "OPENIMPACT"))}
        | connections(base_url)
        | {
            "OPENIMPACT_HOME": str(home),
            "OPENIMPACT_LAST_DAY": LAST_DAY.isoformat(),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DO_NOT_TRACK": "1",
            "AIRFLOW_HOME": str(home / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "airflow_local_settings.CONNECT_ARGS",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        | bytecode
    )


class Api:
    """Airflow's REST API as the demo's admin."""

    def __init__(self, url: str, password: str) -> None:
        self.url, self.password = url, password
        self.session = requests.Session()
        token = self.call("POST", "/auth/token", {"username": "admin", "password": password})["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """The JSON answer; DemoFailed with Airflow's words otherwise.

        SQLite gives one of two writers that met an error at once, and Airflow undoes what was asked: it is asked again.
        """
        for _ in range(5):
            answer = self.session.request(method, self.url + path, json=body, timeout=60)
            if answer.status_code != 500 or "Database error" not in answer.text:
                break
            time.sleep(2)
        if not answer.ok:
            raise DemoFailed(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        return answer.json()

    def unpause(self, dag: str) -> None:
        """Lets the scheduler run a DAG."""
        self.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def trigger(self, dag: str, conf: dict) -> None:
        """Starts one run with the form's values."""
        moment = f"{LAST_DAY}T00:00:00Z"
        end = f"{LAST_DAY + timedelta(days=1)}T00:00:00Z"
        body = {"logical_date": moment, "data_interval_start": moment, "data_interval_end": end, "conf": conf}
        self.call("POST", f"/api/v2/dags/{dag}/dagRuns", body)

    def wait(self, dag: str) -> None:
        """Waits until a run of the DAG succeeded."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            states = [run["state"] for run in self.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]]
            if "success" in states:
                say(f"{dag} succeeded")
                return
            if "failed" in states:
                raise DemoFailed(f"a run of {dag} failed; its log is in the Airflow home below logs/dag_id={dag}")
            time.sleep(1)
        raise DemoFailed(f"{dag} did not finish in {PATIENCE_S} s")


def run_dags(api: Api, days: int = DAYS) -> None:
    """The chain through the scheduler: every source by hand, build and release by asset events.

    The archive comes last and brings `days`, every other source of days the last OTHER_DAYS.
    """
    from include.sources import all_sources

    def land(source, days: int) -> None:
        api.unpause(f"ingest_{source.name}")
        first = LAST_DAY - timedelta(days=days - 1)
        form = {"from_day": first.isoformat(), "to_day": LAST_DAY.isoformat()} if source.window == "day" else {}
        api.trigger(f"ingest_{source.name}", form)

    sources = {source.name: source for source in all_sources()}
    registry, archive = sources.pop("oss_directory"), sources.pop("github_archive")
    land(registry, 1)
    api.wait(f"ingest_{registry.name}")
    say(f"landing {len(sources)} sources: today, or the last {OTHER_DAYS} days")
    for source in sources.values():
        land(source, OTHER_DAYS)
    for name in sources:
        api.wait(f"ingest_{name}")
    for dag in ("transform", "publish"):  # only now: each landing would start a build
        api.unpause(dag)
    say(f"landing {days} days of {archive.name}, 24 hour files each from two mirrors")
    land(archive, days)
    for dag in (f"ingest_{archive.name}", "transform", "publish"):
        api.wait(dag)


@contextmanager
def airflow(home: Path, env: dict[str, str]):
    """`airflow standalone` in a process group of its own that is gone at the end; yields the Api."""

    log = home / "airflow.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env=env,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            cwd=home,
            start_new_session=True,
        )
    try:
        api = _connect(home, env, process, log)
        yield api
    finally:
        stop(process)


@contextmanager
def consumer(home: Path, env: dict[str, str]):
    """`python -m consumer serve` over the home's releases, gone at the end; yields its address."""
    url, log = f"http://127.0.0.1:{_free_port()}", home / "consumer.log"
    command = [sys.executable, "-m", "consumer", "serve", "--port", url.rpartition(":")[2]]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, cwd=home, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            with suppress(requests.RequestException):
                if requests.get(f"{url}/healthz", timeout=5).ok:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"The API did not come up; see {log}")
            time.sleep(0.5)
        say(f"the website is at {url}, and the API below {url}/api/v1")
        yield url
    finally:
        stop(process)


def show_queries(url: str) -> None:
    """Ready-made queries for the API, each with the first lines of its answer; DemoFailed if one has none."""
    ranking = "/api/v1/rankings.csv?metric=GITHUB_commits_over_30_day_period&limit=3"
    sql = "select project_name, commit_count_6_months, quality from code_metrics_by_project_v1 order by 2 desc nulls last limit 3"
    graphql = "{ oso_projectsV1(limit: 3) { projectName } }"
    asked = {
        f"curl '{url}{ranking}'": lambda: requests.get(url + ranking, timeout=30),
        f"""curl {url}/api/v1/sql -H 'Content-Type: application/json' -H 'Accept: text/csv' -d '{{"query": "{sql}"}}'""": (
            lambda: requests.post(f"{url}/api/v1/sql", json={"query": sql}, headers={"Accept": "text/csv"}, timeout=30)
        ),
        f"""curl {url}/api/v1/graphql -H 'Content-Type: application/json' -d '{{"query": "{graphql}"}}'""": (
            lambda: requests.post(f"{url}/api/v1/graphql", json={"query": graphql}, timeout=30)
        ),
    }
    for command, ask in asked.items():
        answer = ask()
        print(f"\n{command}")
        if not answer.ok or len(answer.text.splitlines()) < 2 and "projectName" not in answer.text:
            raise DemoFailed(f"The API answered {answer.status_code}: {answer.text[:300]}")
        print("\n".join(f"  {line[:110]}" for line in answer.text.splitlines()[:4]))


def _connect(home: Path, env: dict[str, str], process: subprocess.Popen, log: Path) -> Api:
    from include.sources import all_sources

    passwords = home / "airflow" / "simple_auth_manager_passwords.json.generated"
    url = env["AIRFLOW__API__BASE_URL"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoFailed(f"Airflow ended by itself; see {log}")
        try:
            health = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
            known = json.loads(passwords.read_text()) if passwords.exists() else {}
            if health["scheduler"]["status"] == "healthy" and "admin" in known:
                api = Api(url, known["admin"])
                if api.call("GET", "/api/v2/dags")["total_entries"] >= len(all_sources()) + 2:  # transform, publish
                    say(f"Airflow answers at {url}")
                    return api
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(1)
    raise DemoFailed(f"Airflow did not come up in 120 s; see {log}")


def show_sources(home: Path, base_url: str) -> None:
    """What `status` says of each source."""
    from include.settings import load_settings
    from include.status import describe, read_status

    settings = load_settings({"OPENIMPACT_HOME": str(home)})
    print(f"\n{describe(read_status(settings, connections(base_url)))}")


def show_results(home: Path) -> None:
    """The release, and a few numbers of it with their quality."""
    from include.lake.catalog import open_catalog
    from include.lake.releases import show_release
    from include.settings import load_settings

    settings = load_settings({"OPENIMPACT_HOME": str(home)})
    release = show_release(settings, "current")
    consumer = open_catalog(settings, "consumer")
    names = {r["project_id"]: r["project_name"] for r in _rows(consumer, "projects_v1")}
    wanted = ("contributors", "commits", "opened_pull_requests", "comments", "stars")
    cells: dict[str, dict[str, str]] = {}
    people: dict[str, float] = {}
    for row in _rows(consumer, "key_metrics_by_project_v1"):
        if row["window"] == "over_30_day_period" and row["metric"] in wanted:
            amount = "-" if row["amount"] is None else f"{row['amount']:.0f}"
            cells.setdefault(row["project_id"], {})[row["metric"]] = f"{amount} {row['quality']}"
            if row["metric"] == "contributors":
                people[row["project_id"]] = row["amount"] or 0
    print(
        f"\nrelease       {release.release_id}, {len(release.tables)} tables of {len(names)} projects; over 30 days:\n"
    )
    print(f"{'project':<20}" + "".join(f"{metric:<22}" for metric in wanted))
    for project in sorted(people, key=lambda p: (-people[p], names[p]))[:10]:
        print(f"{names[project]:<20}" + "".join(f"{cells[project].get(metric, ''):<22}" for metric in wanted))


def show_truth(home: Path) -> None:
    """The release beside the truth, metric by metric; DemoFailed unless they are the same."""
    from demo.oracle import Oracle, compare, observe
    from demo.oracle.coverage import span
    from demo.oracle.others import Others
    from include.lake.catalog import open_catalog
    from include.lake.releases import show_release
    from include.settings import load_settings

    settings = load_settings({"OPENIMPACT_HOME": str(home)})
    say("counting every number again by brute force")
    others = (LAST_DAY - timedelta(days=OTHER_DAYS - 1), LAST_DAY)
    github = Oracle(observe(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY, asked=span(*others)))
    read_on = show_release(settings, "current").published_at.date()
    rest = Others(others, others, others, others, {}, read_on, tables=True)
    compared = compare.compare(compare.read(open_catalog(settings, "consumer")), [github, rest])
    print(f"\n{compare.table(compared)}", flush=True)
    if complaint := compare.complaint(compared):
        raise DemoFailed(complaint)


def show_where(home: Path, api: Api, url: str) -> None:
    """Where to look next."""
    here = f"OPENIMPACT_HOME={home} {sys.executable} -m include"
    print(f"""
Website       {url}
Airflow       {api.url}   user admin   password {api.password}
status        {api.url}/openimpact/status
tables        {here} release show
dbt docs      {here} docs   writes {home}/dbt-target/docs/static_index.html
API           {url}/api/v1   described in docs/api.md and docs/sql.md
GraphQL       {url}/graphql
Iceberg       {url}/iceberg
pyoso         Client("any", ClientConfig(base_url="{url}/api/v1")).to_pandas("select * from projects_v1")
Trino         trino.dbapi.connect(host="127.0.0.1", port={url.rpartition(":")[2]}, user="me", catalog="consumer", schema="oso")
""", flush=True)  # fmt: skip


def _rows(catalog, table: str) -> list[dict]:
    return catalog.load_table(f"oso.{table}").scan().to_arrow().to_pylist()


def _empty(home: Path) -> None:
    """A new, marked home; only a folder that an earlier demo marked is emptied."""
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise DemoFailed(f"{home} holds files that no demo made; nothing was touched. Choose another --home.")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARK).touch()


def stop(process: subprocess.Popen) -> None:
    """Ends the whole process group and the tasks, which have groups of their own.

    A second Ctrl-C meanwhile must not leave half of it running.
    """
    started = []
    with suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in ENDINGS}
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(10)
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m demo run`."""
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".openimpact" / "demo", help="emptied first, if an earlier demo made it"
    )
    parser.add_argument("--once", action="store_true", help="stop by itself")
