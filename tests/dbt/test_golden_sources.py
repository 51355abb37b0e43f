"""Golden examples G12, G13 and G14 of the catalogue through the metric models; values worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from tests.dbt.harness import build, fill, project

DAY = timedelta(days=1)
WEEK, LAST = date(2022, 7, 18), date(2026, 3, 31)
CHAIN_DAY = date(2026, 3, 2)


def days(first, last):
    return [first + DAY * n for n in range((last - first).days + 1)]


def npm():
    """G12: the busy package's week with a hole on Friday, the quiet one's week after, four versions of 2026."""
    busy = dict(zip(days(WEEK, WEEK + 6 * DAY), (100, 110, 120, 130, None, 60, 50), strict=True))
    quiet = dict(zip(days(WEEK + 7 * DAY, WEEK + 13 * DAY), (5, 0, 3, 4, 1, 0, 2), strict=True))
    versions = {"01-01": False, "01-10": True, "01-31": False, "03-02": False}
    counted = [("busy", d, n) for d, n in busy.items() if n is not None] + [("quiet", d, n) for d, n in quiet.items()]
    events = [(name, day, "PACKAGE_DOWNLOADED", False, n, "NPM", False, None) for name, day, n in counted]
    events += [
        ("busy", date.fromisoformat(f"2026-{day}"), "PACKAGE_VERSION_PUBLISHED", False, 1, "NPM", is_prerelease, None)
        for day, is_prerelease in versions.items()
    ]
    return events, [("NPM", "downloads", name, day, "full") for name, day, _ in counted]


# (from, to, success, fee in wei); t5 creates and fails, so that it is no event
OPTIMISM = [
    ("u1", "K", True, 7 * 10**10),
    ("u2", "K", False, 4 * 10**10),
    ("u1", "K", True, 4 * 10**10),
    ("u3", "K", True, 0),
]


def chains():
    """G13 on OPTIMISM; on MAINNET, which tells no traces, u1 calls M of X."""
    calls = [("OPTIMISM", *one) for one in OPTIMISM] + [("MAINNET", "u1", "M", True, 10**18)]
    sums: dict[tuple, Decimal] = {}
    people: set[tuple] = set()
    for source, sender, to, success, fee in calls:
        kind = "CONTRACT_INVOCATION" if success else "TRANSACTION_FAILED"
        for type_, amount in ((kind, Decimal(1)), ("TRANSACTION_FEE", Decimal(fee).scaleb(-18))):
            key = (to, CHAIN_DAY, type_, False, source)
            sums[key] = sums.get(key, Decimal(0)) + amount
        if success:
            people.add((to, f"{source}/{sender}", CHAIN_DAY, kind, False, 1, 1, True, sender))
    shares = {"K": 135 * 10**9, "L": 10**10}
    sums |= {(to, CHAIN_DAY, "FEE_SHARE", False, "OPTIMISM"): Decimal(wei).scaleb(-18) for to, wei in shares.items()}
    sums["L", CHAIN_DAY, "CONTRACT_INTERNAL_INVOCATION", False, "OPTIMISM"] = Decimal(1)
    return [(*key[:4], amount, key[4], False, None) for key, amount in sums.items()], sorted(people)


# G14: (day, type, giver, USD); acme-events is of the same project
LEDGER = [
    ("03-02", "CREDIT", "b1", "100"),
    ("03-02", "FEE", "host", "10"),
    ("03-07", "CREDIT", "b2", "55.00"),
    ("03-07", "CREDIT", "b3", "500"),
    ("03-09", "CREDIT", "b1", "-100"),
    ("03-10", "DEBIT", "payee", "120"),
    ("03-11", "DEBIT", "payee", "-20"),
    ("03-12", "CREDIT", "acme-events", "30"),
    ("03-06", "CREDIT", "b4", "6.88"),
]


def ledger():
    """G14, and an account `even` that gets 10 and gives them back the same day."""
    rows = [("acme", date.fromisoformat(f"2026-{d}"), kind, who, Decimal(usd)) for d, kind, who, usd in LEDGER]
    rows += [("even", date(2026, 3, 4), "CREDIT", None, Decimal(0))]
    events = [(a, day, kind, False, usd, "OPEN_COLLECTIVE", False, who) for a, day, kind, who, usd in rows]
    gifts = [row for row in rows if row[2] == "CREDIT" and row[3]]
    givers = [(a, who, day, kind, False, 1, usd, usd > 0) for a, day, kind, who, usd in gifts]
    return events, givers


def tables():
    packages, downloads = npm()
    calls, callers = chains()
    money, givers = ledger()
    march = days(date(2026, 3, 1), LAST)
    npm_born, chain_born, oc_born = WEEK, CHAIN_DAY, date(2026, 3, 1)
    members = [
        ("NPM", "artifact", "busy", "busy", "NPM", npm_born),
        ("NPM", "artifact", "quiet", "quiet", "NPM", WEEK + 7 * DAY),
        *((source, "project", "X", "K", "OPTIMISM", chain_born) for source in ("OPTIMISM", "EVM", "EVM_ETH")),
        *((source, "project", "X", "M", "MAINNET", chain_born) for source in ("MAINNET", "EVM", "EVM_ETH")),
        *((source, "project", "Y", "L", "OPTIMISM", chain_born) for source in ("OPTIMISM", "EVM", "EVM_ETH")),
        ("BASE", "project", "Z", "N", "BASE", None),
        *(("OPEN_COLLECTIVE", "artifact", a, a, "OPEN_COLLECTIVE", oc_born) for a in ("acme", "even")),
        *(("OPEN_COLLECTIVE", "project", "P", a, "OPEN_COLLECTIVE", oc_born) for a in ("acme", "acme-events")),
    ]
    chain_days = [("OPTIMISM", "transactions"), ("OPTIMISM", "traces"), ("MAINNET", "transactions")]
    return {
        "int_artifacts__evm_listed": [("base",)],
        "int_entities__others": members,
        "int_entities__internal": [("P", a, b) for a in ("acme", "acme-events") for b in ("acme", "acme-events")],
        "int_activity__artifact_days": packages + calls + money,
        "int_activity__actor_days": callers + [(*row, None) for row in givers],
        "int_coverage__entity_days": downloads
        + [(source, family, None, CHAIN_DAY, "full") for source, family in chain_days]
        + [("OPEN_COLLECTIVE", "ledger", a, d, "full") for a in ("acme", "acme-events", "even") for d in march],
        "int_coverage__npm_versions": [("busy", npm_born, LAST)],
        "int_coverage__as_of": [
            ("downloads", WEEK + 13 * DAY, "NPM"),
            ("versions", LAST, "NPM"),
            ("ledger", LAST, "OPEN_COLLECTIVE"),
            *((family, CHAIN_DAY, source) for source, family in chain_days),
        ],
    }


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """series(entity, source, metric, window) -> {ISO sample date: (amount, quality, coverage)}."""
    folder = tmp_path_factory.mktemp("golden") / "dbt"
    project(folder)
    fill(folder / "transform.duckdb", tables())
    build(folder, LAST + DAY)
    with duckdb.connect(str(folder / "transform.duckdb"), read_only=True) as db:
        db.execute("set search_path = 'metrics'")

        def find(entity, source, metric, window):
            query = """select cast(sample_date as varchar), amount, quality, coverage from metrics.met_series
                where entity_id = ? and metric_source = ? and metric = ? and window_name = ?"""
            return {row[0]: row[1:] for row in db.execute(query, [entity, source, metric, window]).fetchall()}

        find.db = db
        yield find


def test_g12_a_week_with_a_hole_is_partial_and_the_hole_has_no_row(series):
    assert series("busy", "NPM", "downloads", "weekly")["2022-07-18"] == (570, "partial", pytest.approx(6 / 7))
    assert "2022-07-22" not in series("busy", "NPM", "downloads", "daily")


def test_g12_true_zeros_count_as_known(series):
    assert series("quiet", "NPM", "downloads", "weekly") == {"2022-07-25": (15, "ok", 1)}
    daily = series("quiet", "NPM", "downloads", "daily")
    assert {day[-2:]: row[0] for day, row in daily.items()} == {"25": 5, "27": 3, "28": 4, "29": 1, "31": 2}


def test_g12_prereleases_are_no_package_releases(series):
    assert series("busy", "NPM", "package_releases", "yearly")["2026-01-01"][0] == 3
    assert series("busy", "NPM", "package_releases", "monthly")["2026-01-01"] == (2, "ok", 1)


@pytest.mark.parametrize(
    ("metric", "x", "y"),
    [
        ("transactions", 3, None),
        ("active_addresses", 2, None),
        ("new_addresses", 2, None),
        ("returning_addresses", None, None),
        ("active_contracts", 1, None),
        ("contract_invocations", 3, 1),
        ("contracts_deployed", None, None),
        ("gas_fees", 0.00000015, None),
        ("gas_fees_amortized", 0.000000135, 0.00000001),
    ],
)
def test_g13_a_day_of_a_chain(series, metric, x, y):
    for entity, amount in (("X", x), ("Y", y)):
        expected = {} if amount is None else {"2026-03-02": (pytest.approx(amount, rel=1e-9), "ok", 1)}
        assert series(entity, "OPTIMISM", metric, "daily") == expected


def test_on_all_chains_an_address_is_one_actor_and_a_chain_without_traces_counts_as_none(series):
    assert series("X", "EVM", "active_addresses", "daily") == {"2026-03-02": (2, "ok", 1)}
    assert series("X", "EVM", "active_contracts", "daily") == {"2026-03-02": (2, "ok", 1)}
    assert series("X", "EVM", "transactions", "daily") == {"2026-03-02": (4, "ok", 1)}
    assert series("X", "EVM", "gas_fees", "daily") == {"2026-03-02": (pytest.approx(1.00000015, rel=1e-12), "ok", 1)}
    assert series("X", "EVM", "contract_invocations", "daily") == {"2026-03-02": (4, "partial", 0.5)}
    assert series("X", "MAINNET", "contract_invocations", "daily") == {}


def test_a_listed_chain_that_told_nothing_is_unknown_and_has_no_metric_that_needs_traces(series):
    query = "select distinct metric, amount, quality, coverage from met_key where metric_source = 'BASE'"
    metrics = [
        "transactions",
        "gas_fees",
        "active_contracts",
        "active_addresses",
        "new_addresses",
        "returning_addresses",
        "failed_transaction_share",
    ]
    assert sorted(series.db.execute(query).fetchall()) == [(metric, None, "unknown", 0) for metric in sorted(metrics)]


@pytest.mark.parametrize(
    ("metric", "account", "project_"),
    [
        ("funding_received", 591.88, 561.88),
        ("funding_spent", 100, 100),
        ("funding_fees", 10, 10),
        ("funding_net", 481.88, 451.88),
        ("backers", 4, 3),
        ("new_backers", 4, 3),
    ],
)
def test_g14_a_month_of_a_ledger(series, metric, account, project_):
    for entity, amount in (("acme", account), ("P", project_)):
        assert series(entity, "OPEN_COLLECTIVE", metric, "monthly") == {"2026-03-01": (amount, "ok", 1)}
        assert series(entity, "OPEN_COLLECTIVE", metric, "over_30_day_period")["2026-03-31"][0] == amount


def test_g14_who_takes_the_gift_back_was_a_backer_until_then(series):
    rolling = series("acme", "OPEN_COLLECTIVE", "backers", "over_30_day_period")
    found = {day[-2:]: row[0] for day, row in rolling.items()}
    assert [found[day] for day in ("02", "05", "06", "07", "08", "09", "11", "12")] == [1, 1, 2, 4, 4, 3, 3, 4]
    assert series("acme", "OPEN_COLLECTIVE", "backers", "weekly")["2026-03-02"][0] == 4


def test_a_signed_sum_has_a_row_where_something_happened_though_it_is_nothing(series):
    assert series("even", "OPEN_COLLECTIVE", "funding_received", "daily") == {"2026-03-04": (0, "ok", 1)}
    found = series("even", "OPEN_COLLECTIVE", "funding_received", "over_30_day_period")
    assert list(sorted(found)) == [day.isoformat() for day in days(date(2026, 3, 4), LAST)]
    assert {row[0] for row in found.values()} == {0}
    assert series("even", "OPEN_COLLECTIVE", "backers", "daily") == {}
