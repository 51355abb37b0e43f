"""The demo leaves no process behind, whenever it is ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo import run
from include.settings import load_settings
from tests.consumer.releases import publish_rows
from tests.consumer.small import ROWS
from tests.demo.processes import MARK, left_of

ROOT = Path(__file__).parents[2]
# up without having built anything
IDLE = "run.run_dags = run.show_sources = run.show_results = run.show_truth = run.show_queries = lambda *_: None; "


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


def test_every_query_that_is_shown_is_answered_by_the_served_release(tmp_path, capsys):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    publish_rows(settings, ROWS | {"code_metrics_by_project_v1": [{"project_name": "ant", "commit_count_6_months": 3}]})
    with run.consumer(tmp_path, os.environ | {"OPENIMPACT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}) as url:
        run.show_queries(url)
    assert capsys.readouterr().out.count("curl ") == 3
