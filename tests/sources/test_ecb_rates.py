"""The European Central Bank's rates: the file as it comes, and as it must not."""

import hashlib
import logging
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from demo import ecb
from demo.server import DemoServer, Fault
from include.errors import ContractBroken, RateLimited, SuspectData, Unavailable
from include.http import HttpClient
from include.sources import get_source
from include.sources.base import Batch, Connection, Context, Coverage, Previous, Rejected, Unchanged, Window
from include.sources.ecb_rates import parse_csv

NOW = datetime(2025, 10, 28, 17, tzinfo=UTC)
FILE = "/eurofxref-hist.zip"


@pytest.fixture(scope="module")
def running():
    with DemoServer() as one:
        yield one


@pytest.fixture
def server(running):
    running.faults.clear()
    return running


def fetch(place, **more):
    url = place if isinstance(place, str) else place.base_url + FILE
    made = {"connection": Connection(urls=(url,)), "http": HttpClient(sleep=lambda _: None), "now": NOW}
    return list(get_source("ecb_rates").fetch(Window.of(NOW.date()), Context(**(made | more))))


def rates(items):
    rows = [row for i in items if isinstance(i, Batch) for row in i.rows.to_pylist()]
    return {(row["currency"], row["rate_on"]): row["rate"] for row in rows}


def lines(items):
    return {i.part: i for i in items if isinstance(i, Coverage)}


def test_every_quoted_rate_is_one_row_and_nothing_is_filled_in(server):
    found = rates(fetch(server))
    friday, saturday, monday = date(2025, 9, 5), date(2025, 9, 6), date(2025, 9, 8)
    assert found[("USD", friday)] == Decimal(ecb.rate("USD", friday)) and ("USD", saturday) not in found
    assert found[("JPY", monday)] == Decimal(ecb.rate("JPY", monday))
    assert not [day for _, day in found if day == date(2025, 4, 21)]  # Easter Monday
    assert max(day for currency, day in found if currency == "RUB") == date(2025, 3, 3)


def test_coverage_counts_the_days_that_a_currency_was_not_quoted(server):
    found = lines(fetch(server))
    # 2024-12-30 to 2025-10-27 has 216 weekdays, 4 of them holidays: 01-01, 04-18, 04-21, 05-01
    assert (found["USD"].expected, found["USD"].observed, found["USD"].reason) == (212, 212, None)
    # to 2025-03-03: 46 weekdays, one holiday
    assert (found["RUB"].observed, found["RUB"].reason) == (45, "not quoted on 167 days of the file")
    assert found[hashlib.sha256(ecb.history()).hexdigest()].observed == 5 * 212 + 45


def test_the_file_that_was_landed_last_is_not_landed_again(server):
    sha = hashlib.sha256(ecb.history()).hexdigest()
    previous = Previous(date(2025, 10, 27), {("rates", sha): 5 * 212 + 45})
    (only,) = fetch(server, previous=previous)
    assert isinstance(only, Unchanged) and "landed on 2025-10-27" in only.reason
    assert rates(fetch(server, previous=previous, force=True))


def test_a_file_that_lost_its_history_is_refused_unless_told(server):
    server.faults.replaced(FILE, ecb.packed("Date,USD,\n2025-10-27,1.1,\n"))
    previous = Previous(date(2025, 10, 27), {("rates", "sha"): 1105, ("rates", "USD"): 212})
    with pytest.raises(SuspectData, match=r"1 rates, below 80 % of the last landing's 1,105.*allow_shrink"):
        fetch(server, previous=previous)
    assert len(rates(fetch(server, previous=previous, allow_shrink=True))) == 1


def test_a_local_file_works_and_a_missing_one_is_a_sentence(tmp_path):
    (tmp_path / "x.zip").write_bytes(ecb.history())
    assert rates(fetch(f"file://{tmp_path}/x.zip"))
    with pytest.raises(ContractBroken, match="nothing is at .*Check AIRFLOW_CONN_ECB_RATES"):
        fetch(f"file://{tmp_path}/y.zip")


@pytest.mark.parametrize(
    "body", [b"<html>sorry</html>", b"", ecb.history()[:2000], ecb.history().replace(b"PK\x03\x04", b"PK\x03\x05")]
)
def test_a_page_a_cut_and_a_damaged_file_are_tried_again_later(server, body):
    server.faults.replaced(FILE, body)
    with pytest.raises(Unavailable, match="cut, damaged or no zip"):
        fetch(server)


def test_faults_of_the_way_are_sat_out_or_left_to_the_retry(server):
    server.faults.limited(FILE, retry_after=2)
    server.faults.unavailable(FILE, times=2)
    assert rates(fetch(server))
    server.faults.truncated(FILE)
    with pytest.raises(Unavailable, match="broke off"):
        fetch(server)
    server.faults.add(FILE, Fault(-1, status=429))
    with pytest.raises(RateLimited):
        fetch(server)


def test_other_zips_are_refused(server):
    server.faults.add(FILE, Fault(body=ecb.packed("x", "readme.txt")))
    with pytest.raises(ContractBroken, match="holds 0 csv files"):
        fetch(server)


def test_a_bomb_is_not_unpacked(server, monkeypatch):
    monkeypatch.setattr("include.sources.ecb_rates.LARGEST_CSV", 1 << 20)
    server.faults.replaced(FILE, ecb.packed("Date,USD,\n" + " " * (2 << 20)))
    with pytest.raises(ContractBroken, match="larger than 1 MiB"):
        fetch(server)


def test_a_secret_reaches_no_log_and_no_message(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults.unavailable(FILE, times=-1)
    with pytest.raises(Unavailable) as caught:
        fetch(f"{server.base_url}{FILE}?key=s3cret", http=HttpClient("me", "s3cret", sleep=lambda _: None))
    ours = "".join(r.getMessage() for r in caplog.records if r.name.startswith("openimpact"))
    assert "s3cret" not in ours + str(caught.value)


def test_a_bad_cell_costs_itself_and_a_bad_line_itself():
    text = (
        "Date,USD,JPY,\r\n2025-01-03,1.0299,161.95,\r\n2025-01-02,x,N/A,\r\n2025-01-02,1.03,160,\r\nsoon,1,2,\r\n"
        "2025-01-01,1.1\r\n2024-12-31,-1,1e99,\r\n2024-12-30,NaN,0.123456789,\r\n\r\n"
    )
    rows, rejected, days, rated = parse_csv(text)
    assert rows == [("USD", date(2025, 1, 3), Decimal("1.0299")), ("JPY", date(2025, 1, 3), Decimal("161.95"))]
    assert [(r.part, r.reason.partition(":")[0]) for r in rejected] == [
        ("2025-01-02", "USD"),
        ("2025-01-02", "the day is there twice"),
        ("soon", "Invalid isoformat string"),
        ("2025-01-01", "the line is cut"),
        ("2024-12-31", "USD"),
        ("2024-12-31", "JPY"),
        ("2024-12-30", "USD"),
        ("2024-12-30", "JPY"),
    ]
    assert (days, rated) == (4, {"USD": 1, "JPY": 1})


@pytest.mark.parametrize("text", ["", "Day,USD\n", "Date,USD,USD,\n2025-01-01,1,1,\n", "Date,,\n", "Date,USD,\n"])
def test_another_form_of_the_file_is_a_broken_contract(text):
    with pytest.raises(ContractBroken, match="the csv"):
        parse_csv(text)


def test_rejected_rows_and_items_are_of_the_stream(server):
    text = "Date,USD,\n2025-01-03,1.0299,\n2025-01-02,x,\n"
    server.faults.replaced(FILE, ecb.packed(text))
    (bad,) = [i for i in fetch(server) if isinstance(i, Rejected)]
    assert (bad.stream, bad.part, bad.sample) == ("rates", "2025-01-02", "x")
