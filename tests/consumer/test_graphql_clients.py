"""Real clients, unmodified, against a real server; and the audits of graphql-http."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(scope="module")
def node():
    """Runs one of the scripts of clients/ with the packages of its package.json; gives what it printed, by line."""
    if not shutil.which("npm"):
        missing("no Node.js with npm for the clients in JavaScript")
    packages = (CLIENTS / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openimpact"
    folder = cache / f"graphql-clients-{hashlib.sha256(packages).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_bytes(packages)
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode:
            missing(f"npm could not install {CLIENTS / 'package.json'}: {done.stderr[-300:]}")
        (folder / "installed").touch()

    def run(script, *arguments):
        shutil.copy(CLIENTS / script, folder)
        done = subprocess.run(
            ["node", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize("path", ["/api/v1/graphql", "/v1/graphql"])
def test_every_audit_of_graphql_over_http_passes(node, address, path):
    (printed,) = node("conformance.mjs", address + path)
    audits = json.loads(printed)
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61


def test_graphql_request_asks_and_is_told_what_is_wrong(node, address):
    answer, error = node("graphql_request.mjs", f"{address}/api/v1/graphql")
    assert json.loads(answer) == {
        "oso_projectsV1": [
            {"projectName": "alpha", "codeMetricsByProjectV1": {"starCount": 10}},
            {"projectName": "beta", "codeMetricsByProjectV1": {"starCount": 30}},
        ]
    }
    assert error == "Cannot query field 'nothing' on type 'Query'."


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_apollo_sends_the_text_of_a_query_once_and_then_its_hash(node, address, method, world):
    (printed,) = node("apollo.mjs", f"{address}/v1/graphql", method)
    ran = json.loads(printed)
    beta = {"__typename": "code_metrics_by_project_v1", "project_id": "p2", "star_count": 30}
    alpha = {"__typename": "code_metrics_by_project_v1", "project_id": "p1", "star_count": 10}
    assert ran["answers"] == [[beta], [beta, alpha]]
    assert ran["sent"][-1] == f"{method} hash"
    assert ran["sent"] in (
        [f"{method} hash", "POST hash text", f"{method} hash"],
        [f"{method} hash", "GET hash text", f"{method} hash"],
        [f"{method} hash", f"{method} hash"],
    )


def test_gql_reads_the_schema_and_checks_a_query_against_it(address):
    try:
        import gql
    except ImportError:
        missing("no gql: install requirements-dev.txt")
    from gql.transport.requests import RequestsHTTPTransport

    transport = RequestsHTTPTransport(url=f"{address}/api/v1/graphql")
    with gql.Client(transport=transport, fetch_schema_from_transport=True) as session:
        query = gql.gql("query($n: [String!]) { oso_projectsV1(where: {projectName: {_in: $n}}) { displayName } }")
        query.variable_values = {"n": ["gamma"]}
        assert session.execute(query) == {"oso_projectsV1": [{"displayName": "Gamma"}]}
        with pytest.raises(Exception, match="Cannot query field 'nothing'"):
            session.execute(gql.gql("{ nothing }"))
