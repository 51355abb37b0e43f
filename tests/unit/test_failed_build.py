"""Why a build failed: what may pass by itself is told apart from what a person must mend."""

import json
from pathlib import Path

import pytest

from include.errors import SuspectData, Unavailable
from include.settings import load_settings
from include.transform import runner

WORK = {"rebuild_from": "all", "snapshots": {}}
LOST = 'Database Error in model b\n  TrinoQueryError(type=INTERNAL_ERROR, name=REMOTE_HOST_GONE, message="x")'
WRONG = 'Database Error in model a\n  TrinoUserError(type=USER_ERROR, name=TYPE_MISMATCH, message="x")'


def built(monkeypatch, home: Path, results: dict[str, tuple[str, str | None]] | None, tail: str = ""):
    """A build whose dbt failed with `results` {model: (status, message)}; None is a dbt that did not start."""

    def run_dbt(settings, arguments, target, progress, env):
        target.mkdir(parents=True, exist_ok=True)
        if results is not None:
            nodes = [
                {"unique_id": f"model.openimpact.{name}", "status": status, "message": message}
                for name, (status, message) in results.items()
            ]
            (target / "run_results.json").write_text(json.dumps({"results": nodes}))
        return 1, tail

    monkeypatch.setattr(runner, "run_dbt", run_dbt)
    return runner.build_layer(load_settings({"OPENIMPACT_HOME": str(home)}), "all", WORK, "run")


@pytest.mark.parametrize(
    "message",
    [
        LOST,
        'TrinoExternalError(type=EXTERNAL, name=ICEBERG_COMMIT_ERROR, message="x")',
        "HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded",
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        "error 404: b'Query not found'",
    ],
)
def test_servers_that_are_away_are_tried_again(monkeypatch, tmp_path, message):
    with pytest.raises(Unavailable, match=r"^1 of 2 dbt nodes failed: b \(error\)\. Trino or what it needs was away"):
        built(monkeypatch, tmp_path, {"a": ("success", None), "b": ("error", message)})


def test_a_wrong_statement_and_a_failed_test_are_not(monkeypatch, tmp_path):
    with pytest.raises(SuspectData, match=r"^2 of 2 dbt nodes failed: a \(error\), b \(fail\)"):
        built(monkeypatch, tmp_path, {"a": ("error", WRONG), "b": ("fail", "Got 2 results")})


def test_a_dbt_that_does_not_start_is_not_told_by_the_results_of_another_run(monkeypatch, tmp_path):
    with pytest.raises(Unavailable):
        built(monkeypatch, tmp_path, {"b": ("error", LOST)})
    with pytest.raises(SuspectData, match=r"^dbt did not run\."):
        built(monkeypatch, tmp_path, None, tail="Compilation Error")
    with pytest.raises(Unavailable, match=r"^dbt did not run\. Trino or what it needs was away"):
        built(monkeypatch, tmp_path, None, tail="HTTPConnectionPool(host='127.0.0.1', port=1): Max retries exceeded")
