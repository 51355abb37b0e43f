"""The pages for users of Open Source Observer and of other clients run as they stand, and what they list is so."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from importlib.util import find_spec

import httpx
import pytest

from include.settings import load_settings
from tests.conftest import ROOT, missing
from tests.consumer.processes import served
from tests.consumer.releases import CONTRACTS, publish_rows
from tests.consumer.test_sql_api import pyoso_folder

PAGE = (ROOT / "docs/migration-from-oso.md").read_text()
WHERE = "http://localhost:8000"
CONTRACT = "0x2416092f143378750bb29b79ed961ab195cceea5"


def blocks(name):
    """The fenced blocks of a page: name of the page, line, language, text, text of the block of JSON after it."""
    text = (ROOT / "docs" / f"{name}.md").read_text()
    found = list(re.finditer(r"^```(\w+)\n(.*?)^```\n", text, re.MULTILINE | re.DOTALL))
    for block, following in zip(found, [*found[1:], None], strict=True):
        json_after = following[2] if following and following[1] == "json" else "{}"
        yield f"{name}:{text[: block.start()].count(chr(10)) + 1}", block[1], block[2], json_after


BLOCKS = [block for page in ("migration-from-oso", "clients") for block in blocks(page)]
RUN = {
    "sh": ["sh", "-c"],
    "js": ["node", "--input-type=module", "-e"],
    "python": [sys.executable, "-c"],
    "r": ["Rscript", "-e"],
}
SLOW = {"r"}  # not slow, but not on every machine


def of(*languages):
    return [
        pytest.param(*block[1:], id=block[0], marks=[pytest.mark.slow] if block[1] in SLOW else [])
        for block in BLOCKS
        if block[1] in languages
    ]


def nid(*parts):
    """An id as dbt/macros/nid.sql makes it."""
    return hashlib.sha256("".join(f"{len(part)}:{part}," for part in parts).encode()).hexdigest()[:32]


def project(name):
    given = {"project_source": "OSS_DIRECTORY", "project_namespace": "oso", "project_name": name}
    return {"project_id": nid("project", *given.values())} | given


def collection(name):
    given = {"collection_source": "OSS_DIRECTORY", "collection_namespace": "oso", "collection_name": name}
    return {"collection_id": nid("collection", *given.values())} | given


def artifact(source, name, namespace=""):
    return {
        "artifact_id": f"{source} {name}",
        "artifact_source": source,
        "artifact_namespace": namespace,
        "artifact_name": name,
    }


def metric(full_name):
    """The columns that name a metric, from a name such as GITHUB_commits_daily."""
    source, name, window = re.fullmatch(
        r"(GITHUB|BASE|OPTIMISM|INK)_(\w+)_(daily|weekly|monthly|over_all_time)", full_name
    ).groups()
    identity = {"metric_id": nid("metric", source, name, window), "metric_name": full_name}
    return identity | {"metric": name, "metric_source": source, "window": window}


def number(full_name, entity, day, amount):
    return metric(full_name) | entity | {"sample_date": day, "amount": amount, "unit": "count", "quality": "ok"}


def event(kind, source, to, by, day, amount=1.0):
    when = {"time": datetime(2025, *day, tzinfo=UTC), "event_type": kind, "event_source": source, "amount": amount}
    return when | {"to_artifact_id": to["artifact_id"], "from_artifact_id": by["artifact_id"] if by else None}


OSO, WEVM, UNISWAP = project("opensource-observer"), project("wevm"), project("uniswap")
PROJECTS = [OSO, WEVM, UNISWAP, project("merkle-manufactory")]
COLLECTIONS = [collection(name) for name in ("ethereum-github", "op-retrofunding-4", "arb-stylus")]
REPOS = [artifact("GITHUB", *name) for name in (("oso", "opensource-observer"), ("viem", "wevm"), ("v4", "uniswap"))]
PERSON, PAYER = artifact("GITHUB", "ada"), artifact("OPEN_COLLECTIVE", "payer")
ACCOUNT, DEPLOYER = artifact("OPEN_COLLECTIVE", "uniswap"), artifact("OPTIMISM", "0xdeb")
ON_OPTIMISM, ON_ARBITRUM = artifact("OPTIMISM", CONTRACT), artifact("ARBITRUM_ONE", "0xa4b")
OWNED = [(OSO, REPOS[0]), (WEVM, REPOS[1]), (UNISWAP, REPOS[2]), (UNISWAP, ACCOUNT), (UNISWAP, ON_OPTIMISM)]
OWNED += [(UNISWAP, ON_ARBITRUM), (UNISWAP, artifact("DEFILLAMA", "uniswap-v4"))]
TYPES = {"GITHUB": "REPOSITORY", "OPEN_COLLECTIVE": "COLLECTIVE", "DEFILLAMA": "ADDRESS"}
DAY = date(2025, 2, 28)
SERIES = [
    *(number(f"GITHUB_{name}_daily", OSO, DAY, 3.0) for name in ("stars", "forks", "commits", "contributors")),
    number("GITHUB_commits_daily", WEVM, DAY, 4.0),
    number("GITHUB_active_developers_monthly", UNISWAP, date(2025, 2, 1), 5.0),
    *(number(f"{chain}_transactions_daily", UNISWAP, DAY, 6.0) for chain in ("BASE", "OPTIMISM", "INK")),
    number("BASE_contract_invocations_daily", UNISWAP, DAY, 7.0),
]
OF_COLLECTIONS = [
    number("GITHUB_commits_daily", COLLECTIONS[0], DAY, 7.0),
    number("BASE_gas_fees_weekly", COLLECTIONS[1], date(2025, 2, 24), 0.5),
]
OF_ARTIFACTS = [number("OPTIMISM_contract_invocations_daily", {"artifact_id": ON_OPTIMISM["artifact_id"]}, DAY, 8.0)]
KEY = [
    number(f"GITHUB_{name}_over_all_time", one, DAY, n)
    for one, n in ((OSO, 100.0), (WEVM, 200.0))
    for name in ("stars", "forks")
]
METRICS = {name: metric(name) for name in (row["metric_name"] for row in SERIES + OF_COLLECTIONS + OF_ARTIFACTS + KEY)}
EVENTS = [
    *(event("COMMIT_CODE", "GITHUB", REPOS[1], PERSON, (month, 1), 10.0) for month in (1, 2, 3)),
    event("ISSUE_OPENED", "GITHUB", REPOS[0], PERSON, (3, 2)),
    event("RELEASE_PUBLISHED", "GITHUB", REPOS[0], None, (3, 3)),
    event("CREDIT", "OPEN_COLLECTIVE", ACCOUNT, PAYER, (3, 4), 50.0),
    event("CONTRACT_DEPLOYED", "OPTIMISM", ON_OPTIMISM, DEPLOYER, (1, 4)),
]


def only(table, rows):
    """The columns of the rows that the table has."""
    return [{key: value for key, value in row.items() if key in CONTRACTS[table]["columns"]} for row in rows]


def entity_rows(kind, rows, key_rows=()):
    series, key = f"timeseries_metrics_by_{kind}", f"key_metrics_by_{kind}"
    given = {f"{series}_v0": rows, f"{series}_v1": rows, f"{key}_v0": key_rows, f"{key}_v1": key_rows}
    return {table: only(table, found) for table, found in given.items()}


def named(one):
    return one | {"display_name": one["project_name"].replace("-", " ").title()}


ROWS = {
    "models_v1": [
        {"model_name": name, "description": "A table.", "depends_on": []} for name in ("projects_v1", "metrics_v0")
    ],
    "sources_v1": [{"source": "GITHUB", "provider": "archive", "family": "commits", "as_of": DAY, "status": "ok"}],
    "projects_v1": [named(one) | {"websites": []} for one in PROJECTS],
    "collections_v1": [one | {"display_name": one["collection_name"]} for one in COLLECTIONS],
    "projects_by_collection_v1": [one | into for one in PROJECTS for into in COLLECTIONS],
    "artifacts_v1": [
        *(one | {"artifact_type": TYPES.get(one["artifact_source"], "CONTRACT")} for _, one in OWNED),
        *(one | {"artifact_type": "USER"} for one in (PERSON, PAYER, DEPLOYER)),
    ],
    "artifacts_by_project_v1": [owner | one for owner, one in OWNED],
    "artifacts_by_collection_v1": [into | one for into in COLLECTIONS for _, one in OWNED],
    "repositories_v0": [
        {"project_id": owner["project_id"], "star_count": stars, "language": "TypeScript"}
        | one
        | {"artifact_url": f"https://github.com/{one['artifact_namespace']}/{one['artifact_name']}"}
        for (owner, one), stars in zip(OWNED[:3], (100, 200, None), strict=True)
    ],
    "metrics_v1": [
        row | {"levels": ["artifact", "project", "collection"]} for row in only("metrics_v1", METRICS.values())
    ],
    "metrics_v0": [row | {"metric_source": "OSO"} for row in only("metrics_v0", METRICS.values())],
    **entity_rows("project", SERIES, KEY),
    **entity_rows("collection", OF_COLLECTIONS),
    **entity_rows("artifact", OF_ARTIFACTS),
    "code_metrics_by_project_v1": [
        named(one) | {"event_source": "GITHUB", "star_count": stars, "quality": "ok" if stars else "unknown"}
        for one, stars in ((OSO, 100), (WEVM, 200), (UNISWAP, None))
    ],
    "onchain_metrics_by_project_v1": [
        named(one)
        | {"event_source": chain, "transaction_count_6_months": 4000, "address_count_90_days": 900, "quality": "ok"}
        for one in (WEVM, UNISWAP)
        for chain in ("OPTIMISM", "BASE")
    ],
    "funding_metrics_by_project_v1": [
        named(UNISWAP) | {"event_source": "OPEN_COLLECTIVE", "total_funding_received": 50.0, "quality": "ok"}
    ],
    "package_metrics_by_project_v1": [named(WEVM) | {"event_source": "NPM", "dependent_count": 9, "quality": "ok"}],
    "timeseries_events_by_artifact_v0": EVENTS,
    "timeseries_events_by_artifact_v1": [one | {"event_id": str(n)} for n, one in enumerate(EVENTS)],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a server of ROWS."""
    home = tmp_path_factory.mktemp("home")
    publish_rows(load_settings({"OPENIMPACT_HOME": str(home)}), ROWS)
    with served(home) as address:
        yield address


def test_every_block_of_the_pages_is_run_or_known_not_to_be():
    languages = {language for _, language, _, _ in BLOCKS}
    assert languages == {"sql", "graphql", "json", *RUN}
    pairs = zip(BLOCKS, BLOCKS[1:], strict=False)
    assert all(before[1] == "graphql" for before, block in pairs if block[1] == "json")


@pytest.mark.parametrize(("language", "text", "_"), of("sql"))
def test_a_query_in_sql_gives_rows(url, language, text, _):
    answer = httpx.post(f"{url}/api/v1/sql", json={"query": text}, timeout=60)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["data"]
    assert rows and any(value is not None for value in rows[0]), answer.text


@pytest.mark.parametrize(("language", "text", "variables"), of("graphql"))
def test_a_query_in_graphql_gives_rows(url, language, text, variables):
    path = "/api/v1/graphql" if "oso_" in text else "/v1/graphql"
    answer = httpx.post(url + path, json={"query": text, "variables": json.loads(variables)}, timeout=60).json()
    assert "errors" not in answer, answer
    assert all(answer["data"].values()), answer


@pytest.mark.parametrize(("language", "text", "_"), of(*RUN))
def test_a_program_prints_what_it_was_given(url, language, text, _):
    if "polars" in text and not find_spec("polars"):
        missing("polars is not installed")
    if not shutil.which(RUN[language][0]):
        missing(f"{RUN[language][0]} is not installed")
    environment = os.environ | ({"PYTHONPATH": str(pyoso_folder("0.10.0"))} if "pyoso" in text else {})
    command = [*RUN[language], text.replace(WHERE, url)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert any(said in ran.stdout for said in ("opensource-observer", "2025-02-28")), ran.stdout


def test_the_metrics_that_differ_are_listed_in_the_words_of_the_catalogue():
    with (ROOT / "dbt/seeds/metric_catalogue.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["oso_name"]]
    listed = [
        f"| `{row['oso_name']}` | `{row['metric']}` | {row['differs'] or 'the name'} |"
        for row in rows
        if row["differs"] or row["oso_name"] != row["metric"]
    ]
    found = re.search(r"<!-- metrics -->\n(.*?)<!-- /metrics -->", PAGE, re.DOTALL)[1].splitlines()
    assert found == ["| OSO's name | here | what differs |", "|---|---|---|", *listed]


def test_a_table_that_is_said_to_be_absent_is_absent_and_every_other_one_is_there():
    part = re.search(r"^### Tables that a release does not have\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]
    rows = [line.split("|") for line in part.splitlines() if line.startswith("| `")]
    absent = {name for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    assert len(absent) >= 10 and not absent & CONTRACTS.keys()
    named_tables = set(re.findall(r"\b[a-z_]+_v[01]\b", PAGE.replace("_v1_bool_exp", "_v1")))
    assert named_tables - absent <= CONTRACTS.keys()
