"""A real Airflow on the made-up world, as the tests of the scheduler and of faults see it."""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from demo import connections, run
from include import ingest
from include.lake.catalog import open_catalog
from include.settings import Settings, load_settings
from include.sources import get_source
from include.sources.base import Window
from include.status import Status, read_status
from tests.demo.processes import pids

DAG = "ingest_github_archive"
ACTIVE = {"queued", "running"}


class Scheduled:
    """A running Airflow, the upstreams that it reads, and the lake that it fills."""

    def __init__(self, home, upstreams, env, api):
        self.home, self.upstreams, self.env, self.api = home, upstreams, env, api
        self.settings = load_settings({"OPENIMPACT_HOME": str(home)})
        self.started: list[subprocess.Popen] = []

    def rows(self, stream: str) -> list[dict]:
        """The rows of a raw table of the archive, without the payloads."""
        table = open_catalog(self.settings, "lake").load_table(f"raw.github_archive__{stream}")
        return (
            table.scan(selected_fields=tuple({"id", "hour", "_day", "_run_id"} & set(table.schema().column_names)))
            .to_arrow()
            .to_pylist()
        )

    def days(self, stream: str) -> Counter:
        """Rows by day."""
        return Counter(row["_day"] for row in self.rows(stream))

    def runs(self, kind: str) -> dict[date, str]:
        """State of the archive's runs of one type by the day their data interval starts."""
        runs = [r for r in self.every(DAG) if r["run_type"] == kind and r["data_interval_start"]]
        return {date.fromisoformat(r["data_interval_start"][:10]): r["state"] for r in runs}

    def every(self, dag: str) -> list[dict]:
        """The runs of a DAG as Airflow tells them."""
        return self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]

    def airflow(self, *arguments: str) -> None:
        """A command of Airflow's own; AssertionError with what it said when it fails."""
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def start(self, service: str) -> None:
        """Starts a service of Airflow anew."""
        with (self.home / f"{service}.log").open("ab") as log:
            command = [sys.executable, "-m", "airflow", service]
            options = dict(env=self.env, cwd=self.home, stdin=subprocess.DEVNULL, start_new_session=True)
            self.started.append(subprocess.Popen(command, stdout=log, stderr=log, **options))

    def stop(self) -> None:
        """Ends the services that were started anew."""
        for process in self.started:
            run.stop(process)

    def backfill(self, start: Callable[[], object]) -> None:
        """Starts a backfill and waits for its runs; on SQLite Airflow refuses it while another process writes.

        It then deletes the runs that it made already. A scheduler that has just taken one up ends by that.
        """
        while True:
            try:
                start()
                return self.settle()
            except (AssertionError, run.DemoFailed) as error:
                if not re.search("database is locked|backfill is running|running backfill", str(error), re.IGNORECASE):
                    raise
                time.sleep(1)

    def settle(self) -> None:
        """Waits until no run of the archive is queued or running."""
        until(self.is_settled, 240)

    def is_settled(self) -> bool:
        """Whether no run of the archive is queued or running; a scheduler that ended is started again."""
        if not pids(str(self.home), "airflow scheduler"):
            self.start("scheduler")
        return not ACTIVE & {r["state"] for r in self.every(DAG)}

    def trigger(self, dag: str, days: list[date] | None = None) -> str:
        """Starts a run by the form and returns its id; without days it is the source's own."""
        form = {"from_day": str(days[0]), "to_day": str(days[-1])} if days else {}
        body = {"logical_date": None, "conf": form}
        return self.api.call("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]

    def state(self, dag: str, run_id: str) -> str:
        """The state of a run."""
        return self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")["state"]

    def tasks(self, dag: str, run_id: str = "~") -> list[dict]:
        """The task instances of a run, or of every run of the DAG."""
        return self.api.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]

    def wait(self, dag: str, run_id: str) -> None:
        """Waits for the end of a run, which must be a success."""
        until(lambda: self.state(dag, run_id) not in ACTIVE, 300)
        assert self.state(dag, run_id) == "success", (dag, run_id)

    def status(self, now: datetime) -> Status:
        """What an operator is told at `now`, when every source that reads is on."""
        return read_status(self.settings, self.env, now=now)


def land(home: Path, base_url: str, days: list[date]) -> Settings:
    """Lands the registry and these neighbouring days of the archive without a scheduler; the settings of that lake."""
    settings = load_settings({"OPENIMPACT_HOME": str(home)})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in connections(base_url).items():
            patch.setenv(name, value)
        ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
        ingest.land(get_source("github_archive"), Window(days[0], days[-1] + timedelta(days=1)), settings)
    return settings


def until(found: Callable[[], object], seconds: float = 120) -> object:
    """What `found` returns as soon as that is true; AssertionError when it is not in so many seconds."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.3)
    return result
