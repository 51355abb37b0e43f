"""Days of the demo's ledgers from the API to events, against a count of the made-up books themselves."""

import hashlib
import math
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import duckdb
import pytest

from demo import connections, ecb, open_collective
from demo.server import DemoServer
from include import ingest, transform
from include.lake.catalog import open_catalog
from include.sources import get_source
from include.sources.base import Window
from tests.sources.standins import settings_in

DAYS = (
    date(2025, 5, 9),
    date(2025, 5, 10),
    date(2025, 5, 15),
    date(2025, 10, 27),
)  # a Saturday; fees with rows and without
OWN = {*open_collective.LISTED, *open_collective.CHILDREN}
RATES_AT_FIRST = date(2025, 5, 1)  # more than 7 days before all of them
FEE_FIELDS = ("hostFee", "platformFee", "paymentProcessorFee")


def nid(*parts):
    return hashlib.sha256("".join(f"{len(p)}:{p}," for p in parts).encode()).hexdigest()[:32]


def dollars(amount, in_host_currency, day, rated):
    """Hundredths of USD: the ledger's, else the host's, else by the bank's rate; None where it has none."""
    for money in (amount, in_host_currency):
        if money["currency"] == "USD":
            return abs(round(money["valueInCents"]))
    own, currency = abs(round(amount["valueInCents"])), amount["currency"]
    quoted = [d for d in (day - timedelta(days=n) for n in range(8)) if ecb.rate("USD", d)]
    if not rated or not quoted:
        return None
    units = 1 if currency == "EUR" else Fraction(ecb.rate(currency, quoted[0]))
    return math.floor(own * Fraction(ecb.rate("USD", quoted[0])) / units + Fraction(1, 2))


def events_of(t, day, rated):
    """(type, rest of the key, sign, hundredths of USD) of one ledger row."""
    gift = t["order"] is not None or t["kind"] == "ADDED_FUNDS"
    credit, usd = t["type"] == "CREDIT", dollars(t["amount"], t["amountInHostCurrency"], day, rated)
    if (t["kind"] or "").endswith("_FEE"):
        yield "FEE", (), 1, usd
    elif gift and credit != t["isRefund"]:
        yield "CREDIT", (), 1 if credit else -1, usd
    elif gift and not credit:  # given to others
        yield "DEBIT", (), 1, dollars(t["netAmount"], t["netAmountInHostCurrency"], day, rated)
    elif t["expense"] and credit == t["isRefund"]:
        yield "DEBIT", (), -1 if credit else 1, usd
    if gift and credit and not t["isRefund"]:
        for name in FEE_FIELDS:
            if t[name]["valueInCents"]:
                yield "FEE", (name,), 1, dollars(t[name], t[name], day, rated)


def expected(rated):
    """Artifact, day and hundredths of USD by event id; `rated` with the bank's rates."""
    found = {}
    for t in open_collective.api().transactions:
        slug, day = t["account"]["slug"], date.fromisoformat(t["createdAt"][:10])
        if slug in OWN and day in DAYS and not t["deleted"]:
            for kind, rest, sign, usd in events_of(t, day, rated):
                key = nid("event", "OPEN_COLLECTIVE", kind, t["id"], *rest)
                found[key] = (artifact(slug), day, None if usd is None else sign * usd)
    return found


def artifact(slug):
    return nid("artifact", "OPEN_COLLECTIVE", slug)


EVENTS = "select event_id, to_artifact_id, event_day, amount from intermediate.int_events__open_collective"
COVERAGE = """select artifact_id, day, status, reason from intermediate.int_coverage__entity_days
    where source = 'OPEN_COLLECTIVE'"""


def read(settings, *queries):
    with duckdb.connect(str(settings.duckdb_path), read_only=True) as db:
        return [db.execute(query).fetchall() for query in queries]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Settings, and what a build found while the rates ended too early; the second one computed what changed."""
    settings, today = settings_in(tmp_path_factory.mktemp("funding")), Window.of(datetime.now(UTC).date())
    with DemoServer() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in connections(server.base_url).items():
            patch.setenv(name, value)
        ingest.land(get_source("oss_directory"), today, settings)
        for day in DAYS:
            ingest.land(get_source("open_collective"), Window.of(day), settings)
        with pytest.MonkeyPatch.context() as early:
            early.setattr(ecb, "LAST_DAY", RATES_AT_FIRST)
            ecb.history.cache_clear()
            ingest.land(get_source("ecb_rates"), today, settings)
        ecb.history.cache_clear()
        ingest.ensure_raw_tables(settings)
        transform.build(settings, "first")
        before = read(settings, EVENTS, COVERAGE)
        ingest.land(get_source("ecb_rates"), today, settings)
    assert transform.build(settings, "second")["rebuild_from"] != "all"
    return settings, before


def in_cents(rows):
    return {key: (artifact, day, None if usd is None else int(usd * 100)) for key, artifact, day, usd in rows}


def test_every_event_of_the_books_is_there_with_its_dollars_and_no_other(built):
    settings, (before, _) = built
    after, kinds = read(settings, EVENTS, "select distinct event_type from intermediate.int_events__open_collective")
    assert in_cents(after) == expected(rated=True)
    assert in_cents(before) == expected(rated=False)
    assert sorted(kinds) == [("CREDIT",), ("DEBIT",), ("FEE",)]
    assert any((usd or 0) < 0 for *_, usd in in_cents(after).values())
    assert any(usd is None for *_, usd in in_cents(before).values())


def test_a_day_whose_money_has_no_rate_is_part_until_the_rate_lands(built):
    settings, (_, before) = built
    (after,) = read(settings, COVERAGE)
    unpriced = {(a, day) for a, day, usd in expected(rated=False).values() if usd is None}
    assert {(a, day) for a, day, status, reason in before if status == "part"} == unpriced
    assert all(reason.startswith("no rate to USD for ") for *_, status, reason in before if status == "part")
    assert {(a, day, "full", None) for a in map(artifact, OWN) for day in DAYS} == set(after)


def test_late_rates_reach_back_to_the_first_day_that_they_change(built):
    settings, _ = built
    query = "select min(event_day), max(run_id), count(artifact_id) from intermediate.int_rebuild__others"
    assert read(settings, query) == [[(date(2025, 5, 2), "second", 0)]]
    table = open_catalog(settings, "lake").load_table("exports.timeseries_events_by_artifact_v1")
    rows = table.scan(selected_fields=("event_id", "amount")).to_arrow().to_pylist()
    published = {row["event_id"]: round(row["amount"] * 100) for row in rows}
    assert published == {key: usd for key, (*_, usd) in expected(rated=True).items()}


def test_a_child_is_an_artifact_of_its_parents_projects(built):
    query = """select artifact_source_id, project_name, match_rule from exports.artifacts_by_project_v1
        where artifact_source = 'OPEN_COLLECTIVE'"""
    wanted = {
        (slug, project, "explicit") for slug, (*_, projects) in open_collective.LISTED.items() for project in projects
    }
    wanted |= {(slug, project, "explicit") for slug, projects in open_collective.GONE.items() for project in projects}
    for child, (parent, _) in open_collective.CHILDREN.items():
        wanted |= {(child, project, "owner") for project in open_collective.LISTED[parent][2]}
    assert set(read(built[0], query)[0]) == wanted


def test_what_is_odd_about_the_accounts_is_told(built):
    query = "select project_name, identity, issue, url from exports.mapping_issues_v1 where kind = 'open_collective'"
    site = "https://opencollective.com"
    assert sorted(read(built[0], query)[0]) == [
        ("coralnet", "reefhub", "shared", "https://www.opencollective.com/reefhub"),
        ("fadeout", "fadeout-fans", "undeclared", f"{site}/fadeout-fans"),
        ("ghost-ship", "ghost-ship-fund", "dead", f"{site}/ghost-ship-fund"),
        ("mirrorfish", "reefhub", "shared", f"{site}/reefhub"),
        ("paper-only", "fadeout-fans", "undeclared", f"{site}/fadeout-fans"),
        ("pressroom", "pressroom-friends", "undeclared", f"{site}/pressroom-friends"),
    ]


def test_the_slug_that_nobody_has_is_not_complete_and_the_others_are(built):
    query = "select listed_slug, is_complete, rows_read from staging.stg_open_collective__coverage where ledger_day = "
    (rows,) = read(built[0], f"{query} '{DAYS[0]}'")
    assert {slug for slug, whole, _ in rows if not whole} == {"ghost-ship-fund"}
    assert ("pollux", True, 0) in rows and ("ghost-ship-fund", False, None) in rows


def test_accounts_that_only_link_are_kept_apart(built):
    (found,) = read(built[0], "select distinct account_slug, evidence from staging.stg_open_collective__matches")
    assert sorted(found) == [("fadeout-fans", "matched"), ("pressroom-friends", "matched")]
