"""A real Chromium, driven by Playwright; without one the tests are skipped by name, or fail where REQUIRE_ALL=1."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import missing

SIZE = {"width": 1280, "height": 800}
AXE = "axe-core@4.14.1"


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


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which finds what keeps people with a disability out; taken from npm once a machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openimpact"
    file = cache / f"{AXE}.min.js"
    if not file.exists():
        if not shutil.which("npm"):
            missing("no npm for axe-core")
        cache.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "pack", "--silent", AXE], cwd=cache, capture_output=True, text=True, timeout=120)
        if done.returncode:
            missing(f"npm could not fetch {AXE}: {done.stderr[-300:]}")
        with tarfile.open(cache / done.stdout.strip()) as package:
            file.write_bytes(package.extractfile("package/axe.min.js").read())
    return file.read_text()
