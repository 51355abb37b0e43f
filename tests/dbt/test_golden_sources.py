"""Golden examples G12, G13 and G14 of the catalogue and days of snapshots; values worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from demo.oracle.events import nid
from tests.dbt.harness import build, fill, project

DAY = timedelta(days=1)
WEEK, LAST = date(2022, 7, 18), date(2026, 3, 31)
CHAIN_DAY = date(2026, 3, 2)
R1, R2 = (nid("artifact", "GITHUB", f"repo:{n}") for n in (1, 2))


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


def paid():
    """The transactions of G13 that cost something, by whom they called; t3 calls K, and L from inside."""
    called = [("t1", "K", 7), ("t2", "K", 4), ("t3", "K", 4), ("t3", "L", 4), ("t4", "K", 0)]
    fees = [(to, "OPTIMISM", sent, CHAIN_DAY, Decimal(wei * 10**10).scaleb(-18)) for sent, to, wei in called]
    return [*fees, ("M", "MAINNET", "t1", CHAIN_DAY, Decimal(1))]


def march(*numbers):
    return [date(2026, 3, n) for n in numbers]


# (repository, day of March, stars); S holds both
COUNTS = [(1, 1, 5), (1, 2, 7), (2, 2, 0), (1, 12, 4)]
# of these days of March deps.dev's are known; those missing are the 5th and the 11th
KNOWN = {"busy": ([2, 3, 4, 9, 10], [6, 7, 8, 12]), "quiet": ([9, 10], [12]), "lone": ([9, 10], [12])}
DEPENDENTS = [(2, "busy", n) for n in ("a", "b", "quiet")]
DEPENDENTS += [(9, "busy", n) for n in ("b", "c", "quiet")] + [(9, "quiet", "b")]


def stocks():
    """Stars of two repositories that were counted now and then, and two snapshots of who depends on D's packages."""
    counted = [("GITHUB", "repo_stats", (R1, R2)[n - 1], date(2026, 3, day), "full") for n, day, _ in COUNTS]
    counted += [
        ("DEPS_DEV", "dependents", name, day, status)
        for name, days_ in KNOWN.items()
        for status, numbers in zip(("full", "part"), days_, strict=True)
        for day in march(*numbers)
    ]
    asked = [(2, "busy"), *((9, name) for name in KNOWN)]
    return counted, {
        "int_artifacts__github_repositories": [(R1, date(2026, 3, 1)), (R2, date(2026, 3, 1))],
        "int_entities__members": [("project", "S", R1), ("project", "S", R2)],
        "stg_github_repositories__repositories": [(n, date(2026, 3, day), stars, 1, 2, 3) for n, day, stars in COUNTS],
        "int_artifacts__matches": [("npm", name, name) for name in KNOWN],
        "stg_bigquery__dependent_days": [(date(2026, 3, day), name) for day, name in asked],
        "stg_bigquery__dependents": [(date(2026, 3, day), *names) for day, *names in DEPENDENTS],
    }


def tables():
    packages, downloads = npm()
    calls, callers = chains()
    money, givers = ledger()
    counted, snapshots = stocks()
    whole_march = days(date(2026, 3, 1), LAST)
    npm_born, chain_born, oc_born = WEEK, CHAIN_DAY, date(2026, 3, 1)
    members = [
        ("NPM", "artifact", "busy", "busy", "NPM", npm_born),
        ("NPM", "artifact", "quiet", "quiet", "NPM", WEEK + 7 * DAY),
        *((source, "project", "X", "K", "OPTIMISM", chain_born) for source in ("OPTIMISM", "EVM", "EVM_ETH")),
        *((source, "project", "X", "M", "MAINNET", chain_born) for source in ("MAINNET", "EVM", "EVM_ETH")),
        *((source, "project", "Y", "L", "OPTIMISM", chain_born) for source in ("OPTIMISM", "EVM", "EVM_ETH")),
        *(("OPTIMISM", "project", "W", a, "OPTIMISM", chain_born) for a in "KL"),
        ("BASE", "project", "Z", "N", "BASE", None),
        *(("DEPS_DEV", "artifact", name, name, "DEPS_DEV", march(2)[0]) for name in KNOWN),
        *(("DEPS_DEV", "project", "D", name, "DEPS_DEV", march(2)[0]) for name in ("busy", "quiet")),
        *(("OPEN_COLLECTIVE", "artifact", a, a, "OPEN_COLLECTIVE", oc_born) for a in ("acme", "even")),
        *(("OPEN_COLLECTIVE", "project", "P", a, "OPEN_COLLECTIVE", oc_born) for a in ("acme", "acme-events")),
    ]
    chain_days = [("OPTIMISM", "transactions"), ("OPTIMISM", "traces"), ("MAINNET", "transactions")]
    return snapshots | {
        "int_activity__transaction_fees": paid(),
        "int_artifacts__evm_listed": [("base",)],
        "int_entities__others": members,
        "int_entities__internal": [("P", a, b) for a in ("acme", "acme-events") for b in ("acme", "acme-events")],
        "int_activity__artifact_days": packages + calls + money,
        "int_activity__actor_days": callers + [(*row, None) for row in givers],
        "int_coverage__entity_days": downloads
        + counted
        + [(source, family, None, CHAIN_DAY, "full") for source, family in chain_days]
        + [("OPEN_COLLECTIVE", "ledger", a, d, "full") for a in ("acme", "acme-events", "even") for d in whole_march],
        "int_coverage__npm_versions": [("busy", npm_born, LAST)],
        "int_coverage__as_of": [
            ("downloads", WEEK + 13 * DAY, "NPM"),
            ("versions", LAST, "NPM"),
            ("ledger", LAST, "OPEN_COLLECTIVE"),
            ("repo_stats", march(12)[0], "GITHUB"),
            ("dependents", march(12)[0], "DEPS_DEV"),
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
        ("gas_fees_internal", 0.00000015, 0.00000004),
    ],
)
def test_g13_a_day_of_a_chain(series, metric, x, y):
    for entity, amount in (("X", x), ("Y", y)):
        expected = {} if amount is None else {"2026-03-02": (pytest.approx(amount, rel=1e-9), "ok", 1)}
        assert series(entity, "OPTIMISM", metric, "daily") == expected


def test_a_transaction_that_calls_two_contracts_of_a_project_costs_once_and_only_on_a_chain_with_traces(series):
    for window in ("daily", "over_30_day_period"):
        found = series("W", "OPTIMISM", "gas_fees_internal", window)
        assert found["2026-03-02"][0] == pytest.approx(0.00000015, rel=1e-9)
    for source in ("MAINNET", "EVM"):
        assert series("X", source, "gas_fees_internal", "daily") == {}


def test_a_count_holds_for_a_week_and_is_partial_where_a_repository_lacks_that_of_the_day(series):
    late = {f"2026-03-{day:02}": (7, "partial", 0) for day in range(3, 9)}
    found = series(R1, "GITHUB", "stars_total", "daily")
    assert found == {"2026-03-01": (5, "ok", 1), "2026-03-02": (7, "ok", 1), **late, "2026-03-12": (4, "ok", 1)}
    found = series("S", "GITHUB", "stars_total", "daily")
    alone = {"2026-03-01": (5, "partial", 0.5), "2026-03-12": (4, "partial", 0.5)}
    assert found == {"2026-03-02": (7, "ok", 1), **late, **alone}


def test_a_count_of_nothing_is_a_number(series):
    zeros = {f"2026-03-{day:02}": (0, "partial", 0) for day in range(3, 9)}
    assert series(R2, "GITHUB", "stars_total", "daily") == {"2026-03-02": (0, "ok", 1), **zeros}


@pytest.mark.parametrize(("metric", "amount"), [("forks_total", 2), ("watchers_total", 4), ("open_issues_total", 6)])
def test_every_count_of_the_repositories_is_added_up(series, metric, amount):
    assert series("S", "GITHUB", metric, "daily")["2026-03-02"] == (amount, "ok", 1)


def test_dependents_count_once_without_own_packages_until_the_next_snapshot(series):
    def quality(day, ok):
        return ("partial", 0) if day in (5, 6, 7, 8, 11, 12) else ok

    def expected(amounts, first_ok):
        return {
            f"2026-03-{day:02}": (amounts[day > 8], *quality(day, first_ok if day < 9 else ("ok", 1)))
            for day in range(2, 13)
            if amounts[day > 8] is not None
        }

    for entity, amounts, first_ok in (
        ("busy", (3, 3), ("ok", 1)),
        ("quiet", (None, 1), None),
        ("lone", (None, 0), None),
        ("D", (2, 2), ("partial", 0.5)),
    ):
        assert series(entity, "DEPS_DEV", "dependents", "daily") == expected(amounts, first_ok), entity


def test_the_key_number_of_a_stock_is_that_of_the_newest_day_with_that_of_the_day_before(series):
    query = """select entity_id, cast(sample_date as varchar), amount, previous_amount, quality, coverage from met_key
        where window_name = 'daily' and metric in ('stars_total', 'dependents') order by 1"""
    found = {row[0]: row[1:] for row in series.db.execute(query).fetchall()}
    assert found == {
        R1: ("2026-03-12", 4, None, "ok", 1),
        R2: ("2026-03-12", None, None, "unknown", 0),
        "S": ("2026-03-12", 4, None, "partial", 0.5),
        "busy": ("2026-03-12", 3, 3, "partial", 0),
        "quiet": ("2026-03-12", 1, 1, "partial", 0),
        "lone": ("2026-03-12", 0, 0, "partial", 0),
        "D": ("2026-03-12", 2, 2, "partial", 0),
    }


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
