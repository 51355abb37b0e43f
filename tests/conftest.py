"""What several folders of tests share: the recorded answers of the upstreams, which live outside the project."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECORDINGS = Path(os.environ.get("RECORDINGS", ROOT.parent / "shared" / "recordings")).resolve()


def missing(what: str) -> None:
    """Skips the test by name, or fails it where REQUIRE_ALL=1."""
    (pytest.fail if os.environ.get("REQUIRE_ALL") == "1" else pytest.skip)(what)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder; without it the test is skipped by name, or fails where REQUIRE_ALL=1."""
    if not RECORDINGS.is_dir():
        missing(f"no recordings in {RECORDINGS}")
    return RECORDINGS
