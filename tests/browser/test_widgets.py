"""Widgets as readers see them: a frame on another site, pictures in both themes, the comparison by keyboard alone."""

import functools
import http.server
import threading

import pytest

from include.settings import load_settings
from tests.consumer.processes import served
from tests.consumer.releases import publish_rows
from tests.site.pages.world import ROWS
from tests.site.widgets.conftest import ADDED

COMMITS = "GITHUB_commits_over_30_day_period"
WEEKLY = "GITHUB_commits_weekly"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    rows = {name: ROWS.get(name, []) + ADDED.get(name, []) for name in {**ROWS, **ADDED}}
    publish_rows(load_settings({"OPENIMPACT_HOME": str(home)}), rows)
    with served(home) as address:
        yield address


@pytest.fixture
def elsewhere(tmp_path):
    """Another site: a function from the HTML of its page to its address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def write(html):
        (tmp_path / "page.html").write_text(
            f"<!doctype html><link rel=icon href=data:,><title>Another site</title>{html}"
        )
        return f"http://localhost:{server.server_port}/page.html"

    yield write
    server.shutdown()
    server.server_close()


@pytest.fixture
def opened(chromium, address):
    """Opens a page whose errors, and requests to other hosts, fail the test; options are those of a browser context."""
    contexts, wrong = [], []

    def open_page(**options):
        contexts.append(chromium.new_context(base_url=address, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda asked: asked.url.startswith((address, "http://localhost", "data:")) or wrong.append(asked.url),
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def test_a_frame_of_another_site_shows_the_chart(opened, address, elsewhere):
    page = opened()
    page.goto(elsewhere(f'<iframe src="{address}/embed/project/alpha/{WEEKLY}" width="720" height="360"></iframe>'))
    frame = page.frame_locator("iframe")
    frame.get_by_role("img", name="8 on 26 Oct 2026, ok").wait_for()
    assert "As of 2026-10-26" in frame.locator("body").inner_text()
    height = frame.locator("html").evaluate("one => one.scrollHeight")
    assert height <= 360


@pytest.mark.parametrize(("scheme", "paper"), [("light", [251, 250, 247]), ("dark", [15, 21, 29])])
def test_a_badge_in_a_picture_follows_the_page(opened, address, elsewhere, scheme, paper):
    badge = f"{address}/badges/project/alpha/{COMMITS}.svg"
    page = opened(color_scheme=scheme)
    page.goto(
        elsewhere(
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{badge}?theme=dark">'
            f'<img crossorigin src="{badge}" alt="badge"></picture>'
        )
    )
    colour = page.locator("img").evaluate(
        """async (image) => {
            await image.decode();
            const canvas = document.createElement("canvas");
            const drawn = canvas.getContext("2d");
            drawn.drawImage(image, 0, 0);
            return [...drawn.getImageData(3, 3, 1, 1).data].slice(0, 3);
        }"""
    )
    assert colour == paper
    assert page.locator("img").evaluate("image => image.naturalHeight") == 20


def test_the_comparison_is_made_by_keyboard_alone(opened, shoot):
    page = opened(viewport={"width": 1280, "height": 900})
    page.goto(f"/compare?projects=alpha&metric={WEEKLY}")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "add":
            break
    page.keyboard.type("bet")
    page.locator("#names option[value=beta]").first.wait_for(state="attached")
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?projects=alpha,beta&**")
    page.get_by_role("img", name="Beta & Söhne: 4 on 26 Oct 2026, ok").wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Look closer":
            break
    page.keyboard.press("Enter")
    page.locator(".uplot canvas").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Zoom in"
    page.keyboard.press("Enter")
    shoot(page, "compare-closer")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_comparison_needs_no_script_and_no_sideways_scrolling(opened, shoot, width):
    page = opened(java_script_enabled=False, viewport={"width": width, "height": 800}, color_scheme="dark")
    page.goto("/compare")
    page.get_by_label("Add a project").fill("alpha")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/compare?projects=alpha&**")
    page.goto(f"/compare?projects=alpha,beta,hostile&metric={WEEKLY}&mode=indexed")
    assert page.get_by_role("img", name="Commits per week").count() == 1
    for _ in range(2):  # removes two
        page.get_by_text("remove", exact=True).first.click()
    page.get_by_text("One project is chosen").wait_for()
    shoot(page, f"compare-{width}")


def test_nothing_is_wider_than_a_phone(opened):
    for path in (
        f"/compare?projects=alpha,beta&metric={WEEKLY}",
        f"/share/project/alpha/{COMMITS}",
        f"/embed/project/alpha/{WEEKLY}",
    ):
        page = opened(viewport={"width": 360, "height": 800})
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
