"""Days of the demo's ledgers from the API to events, against a count of the made-up books themselves."""

import hashlib
import json
from datetime import date, datetime, time

import duckdb
import pytest

from demo import connections, open_collective
from demo.server import DemoServer
from include import ingest
from include.sources import get_source
from include.sources.base import Window
from include.transform.plan import plan
from include.transform.runner import run_dbt
from tests.sources.standins import settings_in

DAYS = (date(2025, 5, 9), date(2025, 5, 15), date(2025, 10, 27))  # rows that carry their fees, and rows for fees
OWN = {*open_collective.LISTED, *open_collective.CHILDREN}
FEE_FIELDS = ("hostFee", "platformFee", "paymentProcessorFee")


def nid(*parts):
    return hashlib.sha256("".join(f"{len(p)}:{p}," for p in parts).encode()).hexdigest()[:32]


def cents(amount, in_host_currency):
    """Hundredths of USD, None where neither currency is USD."""
    found = [m for m in (amount, in_host_currency) if m["currency"] == "USD"]
    return abs(round(found[0]["valueInCents"])) if found else None


def events_of(t):
    """(type, rest of the key, sign, hundredths of USD) of one ledger row."""
    gift = t["order"] is not None or t["kind"] == "ADDED_FUNDS"
    credit, usd = t["type"] == "CREDIT", cents(t["amount"], t["amountInHostCurrency"])
    if (t["kind"] or "").endswith("_FEE"):
        yield "FEE", (), 1, usd
    elif gift and credit != t["isRefund"]:
        yield "CREDIT", (), 1 if credit else -1, usd
    elif gift and not credit:  # given to others
        yield "DEBIT", (), 1, cents(t["netAmount"], t["netAmountInHostCurrency"])
    elif t["expense"] and credit == t["isRefund"]:
        yield "DEBIT", (), -1 if credit else 1, usd
    if gift and credit and not t["isRefund"]:
        for name in FEE_FIELDS:
            if t[name]["valueInCents"]:
                yield "FEE", (name,), 1, cents(t[name], t[name])


def expected():
    """Artifact, day and hundredths of USD by event id."""
    found = {}
    for t in open_collective.api().transactions:
        slug, day = t["account"]["slug"], date.fromisoformat(t["createdAt"][:10])
        if slug in OWN and day in DAYS and not t["deleted"]:
            for kind, rest, sign, usd in events_of(t):
                key = nid("event", "OPEN_COLLECTIVE", kind, t["id"], *rest)
                found[key] = (nid("artifact", "OPEN_COLLECTIVE", slug), day, None if usd is None else sign * usd)
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    settings = settings_in(tmp_path_factory.mktemp("funding"))
    with DemoServer() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in connections(server.base_url).items():
            patch.setenv(name, value)
        ingest.land(get_source("oss_directory"), Window.of(datetime.now().date()), settings)
        for day in DAYS:
            ingest.land(get_source("open_collective"), Window.of(day), settings)
    ingest.ensure_raw_tables(settings)
    snapshots = {"OPENIMPACT_SNAPSHOTS": json.dumps(plan(settings)["snapshots"])}
    models = ("event_types", "path:models/staging/open_collective", "int_events__open_collective")
    status, said = run_dbt(settings, ["build", "--select", *models], settings.dbt_target / "funding", env=snapshots)
    assert status == 0, said
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        yield db


def test_every_event_of_the_books_is_there_with_its_dollars_and_no_other(database):
    query = "select event_id, to_artifact_id, event_day, amount from intermediate.int_events__open_collective"
    rows = database.execute(query).fetchall()
    found = {key: (artifact, day, None if usd is None else int(usd * 100)) for key, artifact, day, usd in rows}
    assert found == expected()
    kinds = database.execute("select distinct event_type from intermediate.int_events__open_collective").fetchall()
    assert sorted(kinds) == [("CREDIT",), ("DEBIT",), ("FEE",)]
    assert any(usd is None for *_, usd in found.values()) and any((usd or 0) < 0 for *_, usd in found.values())


def test_the_columns_are_those_of_the_other_events():
    from pathlib import Path

    import yaml

    folder = Path(__file__).parents[2] / "dbt/models/intermediate/events"
    both = [yaml.safe_load((folder / f"int_events__{name}.yml").read_text()) for name in ("github", "open_collective")]
    assert len({tuple(c["name"] for c in one["models"][0]["columns"]) for one in both}) == 1


def test_the_slug_that_nobody_has_is_not_complete_and_the_others_are(database):
    rows = database.execute(
        "select listed_slug, is_complete, rows_read from staging.stg_open_collective__coverage where ledger_day = ?",
        [datetime.combine(DAYS[0], time())],
    ).fetchall()
    assert {slug for slug, whole, _ in rows if not whole} == {"ghost-ship-fund"}
    assert ("pollux", True, 0) in rows and ("ghost-ship-fund", False, None) in rows


def test_accounts_that_only_link_are_kept_apart(database):
    found = database.execute(
        "select distinct account_slug, evidence from staging.stg_open_collective__matches"
    ).fetchall()
    assert sorted(found) == [("fadeout-fans", "matched"), ("pressroom-friends", "matched")]
