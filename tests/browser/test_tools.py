"""Status, data, explore, scores and the pages of words in a browser: at every width, in both modes, without scripts."""

from types import SimpleNamespace

import pytest

from consumer.site import scores
from include.settings import load_settings
from tests.consumer.in_thread import served
from tests.consumer.releases import publish_rows
from tests.site.tools.conftest import WEIGHTS, rows

PAGES = {
    "status": "/status?to=2026-11-13",
    "data": "/data",
    "table": "/data/key_metrics_by_project_v1",
    "explore": "/explore?also=GITHUB_stars",
    "scores": "/scores?vector=hand&project=beta",
    "api": "/api",
    "about": "/about",
    "methods": "/methods",
    "missing": "/data/nothing",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "hand.yml").write_text(WEIGHTS)
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_rows(settings, rows(scores.published(folder)["hand"].version))
    with pytest.MonkeyPatch.context() as patch, served(settings) as address:
        patch.setattr(scores, "FOLDER", folder)
        yield address


@pytest.fixture
def browse(chromium, address):
    """Opens a page; what went wrong in it fails the test at its end."""
    wrong, opened = [], []

    def open_page(path: str, **context):
        tab = chromium.new_context(base_url=address, **context)
        opened.append(tab)
        page = tab.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
        answer = page.goto(path)
        return SimpleNamespace(page=page, status=answer.status)

    yield open_page
    for tab in opened:
        tab.close()
    assert not [text for text in wrong if "404 (Not Found)" not in text]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window_and_raises_no_error(browse, shoot, name, width, scheme, scripts):
    viewport = {"width": width, "height": 800}
    seen = browse(PAGES[name], viewport=viewport, color_scheme=scheme, java_script_enabled=scripts)
    assert seen.status == (404 if name == "missing" else 200)
    assert seen.page.locator("h1").count() == 1
    box = seen.page.locator("body").bounding_box()
    assert box["width"] <= width
    if scripts:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        shoot(seen.page, f"site-{name}-{width}-{scheme}")


def test_weights_are_moved_at_once_and_the_address_holds_them(browse):
    page = browse("/scores?vector=hand").page
    page.locator('input[name="adoption"]').fill("0")
    page.locator("#ranking", has_text="With your weights").wait_for()
    assert "adoption=0" in page.url
    # growth alone: of alpha commits 0 and stars 1 (weights 1, 0.5), of beta commits 1
    first = page.locator("#ranking tbody tr").first
    assert first.inner_text().split()[:3] == ["1", "Beta", "1.0000"]
    shown = page.locator("#ranking").inner_text()
    page.reload()
    assert page.locator("#ranking").inner_text() == shown


def test_weights_are_moved_without_scripts_by_the_button(browse):
    page = browse("/scores?vector=hand", java_script_enabled=False).page
    page.locator('input[name="adoption"]').fill("0")
    page.get_by_role("button", name="Weigh anew").click()
    assert page.locator("#ranking tbody tr").first.inner_text().split()[:3] == ["1", "Beta", "1.0000"]


def test_a_filter_changes_the_list_at_once(browse):
    page = browse("/explore?metric=GITHUB_commits&window=over_all_time").page
    assert page.locator("#list tbody tr").count() == 2
    page.get_by_label("At least").fill("6")
    page.locator("#list", has_text="1 project by").wait_for()
    assert page.locator("#list tbody tr").count() == 1
    assert "min=6" in page.url


def test_status_reads_without_colour(browse):
    cells = browse("/status?to=2026-11-13").page.locator(".days tbody tr", has_text="commits").locator("td")
    assert cells.all_inner_texts()[2:] == ["not landed", "full", "p", "n", "·"]
