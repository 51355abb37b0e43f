"""The operator's day in the Airflow UI, by clicks: a day fails and says why, is mended, cleared and released; forms."""

import re
import subprocess
import sys
from datetime import date

import pytest
from playwright.sync_api import expect

from demo import run
from demo.server import DemoServer
from include.lake.failures import open_failures
from include.lake.releases import list_releases
from include.sources import all_sources
from tests.browser.conftest import SIZE
from tests.demo.processes import MARK, left_of
from tests.demo.test_operator_day import Operator

ARCHIVE = "ingest_github_archive"
BROKEN = date(2025, 10, 21)
DIALOG = "[role=dialog][data-state=open]"


class Tour(Operator):
    """A person with a browser; what they wait for is asked of the API."""

    def __init__(self, home, upstreams, api, page):
        super().__init__(home, upstreams, api, [])
        self.page = page

    def open(self, path: str) -> None:
        """Opens a page of Airflow by its path."""
        self.page.goto(self.api.url + path)

    def trigger(self, dag: str, source: str | None = None, **days: str) -> str:
        """Fills in the form of a DAG and starts it; returns the run's id."""
        before = {r["dag_run_id"] for r in self.runs(dag)}
        self.open(f"/dags/{dag}")
        self.page.get_by_role("button", name="Trigger").first.click()
        form = self.page.locator(DIALOG)
        form.get_by_text("Advanced Options").wait_for()
        if source:
            form.get_by_role("combobox").first.click()
            self.page.keyboard.type(source)
            self.page.keyboard.press("Enter")
        for field, day in days.items():
            form.locator(f"#element_{field}").fill(day)
        form.get_by_role("button", name="Trigger", exact=True).click()
        form.wait_for(state="hidden")
        return self.until(lambda: {r["dag_run_id"] for r in self.runs(dag)} - before, bool).pop()

    def asked(self, dag: str, run_id: str, task: str) -> None:
        """Opens what a task waits to be told."""
        self.until(lambda: self.states(dag, run_id).get(task), lambda state: state == "awaiting_input")
        self.open(f"/dags/{dag}/runs/{run_id}/tasks/{task}/required_actions")

    def choose(self, place: str, option: str) -> None:
        """Clicks the answer on the page that `asked` opened."""
        self.page.reload()
        self.page.get_by_role("button", name=option, exact=True).click()

    def view(self, menu: str, name: str):
        """A page of the navigation; returns its frame."""
        self.open("/")
        self.page.get_by_role("button", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=name).click()
        return self.page.frame_locator("iframe").last


@pytest.fixture(scope="module")
def tour(chromium, tmp_path_factory):
    home = tmp_path_factory.mktemp("tour")
    with DemoServer(0) as upstreams:
        env = run.environment(home, upstreams.base_url) | {MARK: str(home)}
        subprocess.run([sys.executable, "-m", "include", "land", "oss_directory"], env=env, check=True)
        with run.airflow(home, env) as api:
            page = chromium.new_page(viewport=SIZE)
            page.set_default_timeout(60_000)
            person = Tour(home, upstreams, api, page)
            total = len(all_sources()) + 8  # transform, publish, maintain and five forms
            person.until(lambda: api.call("GET", "/api/v2/dags"), lambda found: found["total_entries"] == total)
            person.open("/")
            page.fill("input[name=username]", "admin")
            page.fill("input[name=password]", api.password)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/")
            yield person
    assert left_of(str(home)) == [], "Airflow left processes behind"


def test_a_backfill_shows_what_it_costs_and_waits_for_an_approval(tour, shoot):
    tour.api.unpause(ARCHIVE)
    hour = f"{BROKEN}-9.json.gz"
    for archive in ("archive", "archive2"):
        tour.upstreams.faults.garbled(f"/{archive}/{hour}", 0.9)
    run_id = tour.trigger("operate_backfill", "github_archive", from_day="2025-10-20", to_day=str(BROKEN))
    tour.asked("operate_backfill", run_id, "approve")
    expect(tour.page.get_by_text("github_archive, 2025-10-20 to 2025-10-21: 2 days.")).to_be_visible()
    shoot(tour.page, "approval")
    tour.answer("operate_backfill", run_id, "approve", "Approve")
    assert tour.ended("operate_backfill", run_id)["state"] == "success"


def test_a_failed_day_says_why_in_its_run_and_on_the_status_page(tour, shoot):
    (landing,) = tour.until(lambda: tour.runs(ARCHIVE), bool)
    tour.ended(ARCHIVE, landing["dag_run_id"])
    tour.open(f"/dags/{ARCHIVE}/runs/{landing['dag_run_id']}")
    expect(tour.page.get_by_text(re.compile(r"Failed\. github_archive: .* cannot be read"))).to_be_visible()
    shoot(tour.page, "failed-run")
    tour.until(lambda: open_failures(tour.settings), bool)
    frame = tour.view("Browse", "Status")
    expect(frame.get_by_role("heading", name="Failed days")).to_be_visible()
    expect(frame.get_by_text("cannot be read").first).to_be_visible()
    shoot(tour.page, "status-failed")


def test_once_mended_and_cleared_the_release_follows(tour, shoot):
    tour.upstreams.faults.clear()
    for dag in ("transform", "publish"):
        tour.api.unpause(dag)
    (landing,) = tour.runs(ARCHIVE)
    tour.open(f"/dags/{ARCHIVE}/runs/{landing['dag_run_id']}")
    tour.page.get_by_role("button", name="Press shift+c to clear").click()
    dialog = tour.page.locator(DIALOG)
    dialog.get_by_text("Clear only failed tasks").click()
    shoot(tour.page, "clear")
    dialog.get_by_role("button", name="Confirm").click()
    tour.until(lambda: tour.run_of(ARCHIVE, landing["dag_run_id"]), lambda r: r["state"] == "success")
    for dag in ("transform", "publish"):
        tour.until(lambda dag=dag: tour.runs(dag), lambda r: r and r[0]["state"] == "success")
    assert len(list_releases(tour.settings)) == 1
    frame = tour.view("Browse", "Status")
    expect(frame.get_by_role("heading", name="Sources")).to_be_visible()
    expect(frame.get_by_role("heading", name="Failed days")).to_have_count(0)
    shoot(tour.page, "status")


def test_a_rebuild_by_form_is_released(tour):
    run_id = tour.trigger("operate_rebuild", from_day=str(BROKEN))
    assert tour.ended("operate_rebuild", run_id)["state"] == "success"
    built = next(r for r in tour.runs("transform") if r["run_type"] == "operator_triggered")
    assert (built["conf"], built["note"]) == ({"rebuild_from": str(BROKEN)}, "Started by operate_rebuild.")
    assert tour.states("operate_rebuild", run_id)["approve"] == "skipped"
    tour.until(lambda: list_releases(tour.settings), lambda releases: len(releases) == 2)


def test_a_release_is_rolled_back_by_choice_and_approval(tour, shoot):
    current, former = list_releases(tour.settings)
    run_id = tour.trigger("operate_rollback")
    tour.asked("operate_rollback", run_id, "choose")
    tour.answer("operate_rollback", run_id, "choose", former.release_id)
    tour.asked("operate_rollback", run_id, "approve")
    expect(tour.page.get_by_text("every table has as many rows in both")).to_be_visible()
    shoot(tour.page, "roll-back")
    tour.answer("operate_rollback", run_id, "approve", "Approve")
    assert tour.ended("operate_rollback", run_id)["state"] == "success"
    assert [r.release_id for r in list_releases(tour.settings) if r.current] == [former.release_id]


def test_lineage_data_docs_and_runbooks_are_in_the_navigation(tour, shoot):
    tour.until(lambda: tour.runs("publish"), lambda runs: all(r["state"] == "success" for r in runs))
    expect(tour.view("Docs", "Lineage").get_by_role("heading", name="OpenImpact")).to_be_visible()
    shoot(tour.page, "lineage")
    docs = tour.view("Docs", "Data docs")
    docs.get_by_role("link", name="github_archive").click()
    expect(docs.get_by_text("values must never be null").first).to_be_visible()
    shoot(tour.page, "data-docs")
    tour.open(f"/dags/{ARCHIVE}")
    tour.page.get_by_role("link", name="Runbook").click()
    expect(tour.page.frame_locator("iframe").last.get_by_role("heading", name="When it fails")).to_be_visible()
    shoot(tour.page, "runbook")
