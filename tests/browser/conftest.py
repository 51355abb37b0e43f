"""A real Chromium, driven by Playwright; without one the tests are skipped by name, or fail where REQUIRE_ALL=1."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import missing

SIZE = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def chromium():
    """The browser; it makes no request of its own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("no Chromium on the PATH; install one (apt-get install chromium)")
    # sandboxed frames stay blank in headless Chromium if each is a process of its own
    arguments = ["--no-sandbox", "--disable-features=IsolateSandboxedIframes", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shoot(tmp_path_factory):
    """Saves a screenshot of a page by name, into the folder SCREENSHOTS where it is set."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f"{name}.png")
