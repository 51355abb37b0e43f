"""The pages in a browser: for everybody, in both modes, on small screens, without JavaScript."""

import pytest

from include.settings import load_settings
from tests.consumer.processes import served
from tests.site.pages.world import publish_pages

PAGES = (
    "/",
    "/projects",
    "/projects/alpha",
    "/collections",
    "/collections/both",
    "/artifacts/github/org/alpha",
    "/metrics",
    "/metrics/GITHUB_commits_over_30_day_period",
    "/search?q=alpah",
    "/explore",
    "/scores",
    "/status",
    "/data",
    "/data/projects_v1",
    "/about",
    "/methods",
    "/api",
    "/compare",
    "/compare?projects=alpha,beta",
    "/embed/project/alpha/GITHUB_commits_weekly",
    "/nowhere",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    publish_pages(load_settings({"OPENIMPACT_HOME": str(home)}))
    with served(home) as address:
        yield address


@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 360)])
def test_nothing_serious_keeps_anybody_out_of_any_page(chromium, address, axe, mode, width):
    size = {"width": width, "height": 800}
    page = chromium.new_page(base_url=address, color_scheme=mode, viewport=size, bypass_csp=True)
    found = []
    for path in PAGES:
        page.goto(path)
        page.evaluate(axe)
        told = page.evaluate("axe.run({resultTypes: ['violations']})")
        found += [
            (path, one["id"], one["nodes"][0]["html"][:120])
            for one in told["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    page.close()
    assert found == []


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_no_page_scrolls_sideways_nor_complains(chromium, address, width):
    page = chromium.new_page(base_url=address, viewport={"width": width, "height": 800})
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    wide = []
    for path in PAGES:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    page.close()
    assert wide == []
    assert [text for text in failures if "404" not in text] == []


def test_a_page_reads_without_javascript(chromium, address):
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/projects/alpha")
    assert page.locator("h1").inner_text() == "Alpha"
    assert page.locator("svg.chart").first.is_visible()
    assert not page.locator("#theme").is_visible()
    page.locator("input[name=q]").first.fill("beta")
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/beta")
    context.close()


def test_the_switch_of_modes_stays_on_the_next_page(chromium, address, shoot):
    context = chromium.new_context(base_url=address, color_scheme="light")
    page = context.new_page()
    page.goto("/projects/alpha")
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(colour) == "rgb(251, 250, 247)"
    page.get_by_role("button", name="Show the page dark").click()
    assert page.evaluate(colour) == "rgb(15, 21, 29)"
    page.goto("/metrics")
    assert page.evaluate(colour) == "rgb(15, 21, 29)"
    shoot(page, "metrics-dark")
    context.close()
