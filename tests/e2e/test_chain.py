"""Chain events from a node's answers to the events table, against the demo's world counted by hand-made rules.

Mainnet's node tells traces, the rollup's does not.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from demo import chain, connections
from demo.oracle.events import nid
from demo.server import DemoServer
from include import ingest
from include.sources import get_source
from include.sources.base import Window
from include.transform.runner import run_dbt
from tests.sources.standins import settings_in
from tests.sources.test_evm_rpc_traces import shares_of

FIRST, LAST = date(2025, 6, 10), date(2025, 6, 12)  # contracts are made on the first day
TARGETS = {"mainnet": {chain.MARKET, chain.CORAL}, "optimism": {chain.VAULT, chain.CORAL}}


def expected():
    """(event id, type, artifact, actor, amount) of every event of the days."""
    found = set()
    for network, listed in TARGETS.items():
        source, targets = network.upper(), set(listed)
        start, stop = chain.numbers(network, FIRST).start, chain.numbers(network, LAST).stop
        for number in range(start, stop):
            for sent in chain.transactions(network, number):
                who = nid("artifact", source, sent.sender)

                def add(kind, address, amount, *key, who=who, source=source):
                    key_id = nid("event", source, kind, *key)
                    found.add((key_id, kind, nid("artifact", source, address), who, amount))

                if sent.sender == chain.DEPLOYER and sent.to is None and sent.status:
                    targets.add(sent.created)
                    add("CONTRACT_DEPLOYED", sent.created, Decimal(1), sent.created)
                if sent.to in targets and not sent.is_system:
                    kind = "CONTRACT_INVOCATION" if sent.status else "TRANSACTION_FAILED"
                    add(kind, sent.to, Decimal(1), sent.hash, sent.to)
                    wei = 0 if sent.kind == 0x7E else sent.gas * sent.price + sent.l1_fee
                    add("TRANSACTION_FEE", sent.to, Decimal(wei).scaleb(-18), sent.hash, sent.to)
                if network == "mainnet":
                    made = {one.to for one in sent.inside if one.kind == "create2" and one.sender == chain.MARKET}
                    targets |= made
                    for address in made:
                        add("CONTRACT_DEPLOYED", address, Decimal(1), address)
                    for address in used_inside(sent) & targets - {sent.to}:
                        add("CONTRACT_INTERNAL_INVOCATION", address, Decimal(1), sent.hash, address)
                    for address, wei in shares_of(sent).items():
                        if address in targets:
                            add("FEE_SHARE", address, Decimal(wei).scaleb(-18), sent.hash, address)
    return found


def used_inside(sent):
    """Addresses that were called inside a transaction, by calls that lasted."""
    lost = [one.path for one in sent.inside if one.error]
    return {
        one.to
        for one in sent.inside
        if sent.status
        and one.kind in ("call", "delegatecall")
        and not any(one.path[: len(path)] == path for path in lost)
    }


def test_events_of_the_chains_are_those_of_the_world(tmp_path, monkeypatch):
    settings = settings_in(tmp_path)
    with DemoServer() as server:
        for name, value in connections(server.base_url).items():
            monkeypatch.setenv(name, value)
        ingest.ensure_raw_tables(settings)
        ingest.land(get_source("oss_directory"), Window.of(datetime.now(UTC).date()), settings)
        ingest.land(get_source("evm_rpc"), Window(FIRST, LAST + timedelta(days=1)), settings)
    arguments = ["build", "--select", "+int_events__evm", "--indirect-selection", "cautious"]
    status, tail = run_dbt(settings, [*arguments, "--exclude-resource-type", "unit_test"], tmp_path / "target")
    assert status == 0, tail
    statuses = {r["status"] for r in json.loads((tmp_path / "target/run_results.json").read_text())["results"]}
    assert statuses <= {"success", "pass"}
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        query = "select event_id, event_type, to_artifact_id, actor_id, amount from intermediate.int_events__evm"
        rows = db.sql(query).fetchall()
        days = db.sql(
            "select network, traces_status, blocks_traced, count(*) from staging.stg_evm_rpc__days "
            "where network in ('mainnet', 'optimism') group by all order by all"
        ).fetchall()
    assert len(rows) == len(set(rows)) > 300
    assert set(rows) == expected()
    # the deployer's on both chains, the factory's where traces tell; a router's calls of market and coral on three days
    assert sum(r[1] == "CONTRACT_DEPLOYED" for r in rows) == 3
    assert sum(r[1] == "CONTRACT_INTERNAL_INVOCATION" for r in rows) == 2 * 3 + 1
    shares = sum(r[4] for r in rows if r[1] == "FEE_SHARE" and r[4] in (Decimal("0.000025"), Decimal("0.000029")))
    assert shares == 3 * Decimal("0.000054")
    assert days == [("mainnet", "complete", 48, 3), ("optimism", "known_missing", 0, 3)]


@pytest.mark.parametrize("network", TARGETS)
def test_the_world_has_what_the_rules_are_about(network):
    sent = [s for n in chain.numbers(network, FIRST) for s in chain.transactions(network, n)]
    assert any(s.to in TARGETS[network] and not s.status for s in sent)
    assert any(s.created for s in sent) and any(s.is_system for s in sent) is (network == "optimism")
