"""The demo leaves no process behind, whenever it is ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demo.processes import MARK, left_of

ROOT = Path(__file__).parents[2]
# up without having built anything
IDLE = "run.run_dags = run.show_sources = run.show_results = run.show_truth = lambda *_: None; "


@pytest.mark.parametrize(
    ("ending", "patch"),
    [(signal.SIGINT, IDLE), (signal.SIGTERM, "")],
    ids=["Ctrl-C while it stays up", "SIGTERM while a day lands"],
)
def test_a_demo_that_is_ended_leaves_no_process(tmp_path, ending, patch):
    code = f"import sys; from pathlib import Path; from demo import run; {patch}"
    code += "sys.exit(run.main(Path(sys.argv[1]), once=False))"
    env = os.environ | {MARK: str(tmp_path)}
    home, said = tmp_path / "home", tmp_path / "said.txt"
    with said.open("w") as out:
        demo = subprocess.Popen([sys.executable, "-c", code, str(home)], cwd=ROOT, env=env, stdout=out, stderr=out)

    def has_come() -> bool:
        return "everything stays up" in said.read_text() or any(home.glob("staging/oss_directory/*/*"))

    try:
        while not has_come():
            assert demo.poll() is None, said.read_text()
            time.sleep(0.2)
        assert any("airflow" in line for line in left_of(str(tmp_path), patience=0)), "the mark is not inherited"
        demo.send_signal(ending)
        assert demo.wait(60) == 0, said.read_text()
    finally:
        demo.kill()
    assert left_of(str(tmp_path)) == []
