"""The programs that check what is shipped, and one set of secrets for all tests of this folder."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing


def program(name: str, hint: str) -> str:
    """Path of a program beside Python or on PATH; without it the test is skipped by name."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or missing(f"{name} is neither beside Python nor on PATH; {hint}.")


@pytest.fixture(scope="session")
def secrets(tmp_path_factory) -> Path:
    """The folder that deploy/secrets.sh makes."""
    program("openssl", "install openssl")
    folder = tmp_path_factory.mktemp("cluster") / "secrets"
    subprocess.run([ROOT / "deploy" / "secrets.sh", folder, "localhost", "127.0.0.1"], check=True, capture_output=True)
    return folder
