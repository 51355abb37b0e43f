"""Ledgers as the API tells them: windows, pages, money, refusals, drift, and what is asked for."""

import csv
import gzip
import json
import logging
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import graphql
import pytest

from demo import connections, open_collective
from demo.open_collective import PATH, Api, account, transaction
from demo.server import DemoServer, Fault
from include.errors import BadCredentials, ContractBroken, FixNeeded, RateLimited, SuspectData, Unavailable
from include.http import Answer, HttpClient
from include.sources import _open_collective_parse as parse
from include.sources import get_source
from include.sources import open_collective as module
from include.sources.base import Batch, Connection, Context, Coverage, Listed, Rejected, Window, parse_connection
from tests.sources.standins import DAY

SOURCE = get_source("open_collective")
SECRET = "pt-5ecret-abcdef"  # noqa: S105
NOON = f"{DAY}T12:00:00.000Z"
URL = "http://oc.example/graphql/v2"


class Direct:
    """The API without a network: remembers what was asked, and lets a test change each answer."""

    def __init__(self, api, change=lambda number, value: value):
        self.api, self.change, self.asked, self.headers, self.paces = api, change, [], [], []

    def json(self, url, *, body, headers, accept, per_minute):
        self.asked.append((url, body))
        self.headers.append(headers)
        self.paces.append(per_minute)
        status, answer = self.api.answer(json.dumps(body).encode())
        assert status in (200, *accept)
        return Answer(status, self.change(len(self.asked), json.loads(answer)), {})


class Landed:
    """What one fetch yielded, by kind."""

    def __init__(self, items):
        self.rows, self.rejected, self.coverage = {}, [], {}
        for item in items:
            if isinstance(item, Batch):
                self.rows.setdefault(item.stream, []).extend(item.rows.to_pylist())
            elif isinstance(item, Rejected):
                self.rejected.append(item)
            elif isinstance(item, Coverage):
                self.coverage[item.stream, item.part] = item

    def ids(self):
        return [row["legacy_id"] for row in sorted(self.rows.get("transactions", []), key=lambda r: r["legacy_id"])]

    def status(self, slug):
        line = self.coverage["transactions", slug]
        return line.status, line.expected, line.observed


def listed(*slugs, **others):
    found = [Listed(f"of-{slug}", "open_collective", slug) for slug in slugs]
    return tuple(found + [Listed("site", kind, identity) for kind, identity in others.items()])


def fetch(http, *slugs, day=DAY, url=URL, token=None, artifacts=None, progress=lambda *_: None):
    context = Context(
        connection=Connection(urls=(url,), password=token),
        http=http,
        now=datetime(2026, 6, 1, tzinfo=UTC),
        listed=artifacts or listed(*slugs),
        progress=progress,
    )
    return Landed(SOURCE.fetch(Window.of(day), context))


ACME, GIVER = account("acme", host="haven"), account("giver", "INDIVIDUAL")


def ledger(*rows, accounts=()):
    return Api([ACME, GIVER, *accounts], list(rows))


def gift(number, at=NOON, cents=100, of=ACME, **more):
    return transaction(number, of, GIVER, cents, at, **more)


def pages_of(monkeypatch, size, overlap):
    monkeypatch.setattr(module, "PAGE", size)
    monkeypatch.setattr(module, "OVERLAP", overlap)


# what is asked


QUESTIONS = {
    "accounts": parse.accounts_query(parse.BATCH),
    "one ledger": parse.ledger_query(1),
    "ledgers": parse.ledger_query(parse.BATCH),
    "matches": parse.MATCHES_QUERY,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_valid_by_the_public_schema(problems, name):
    assert problems("open_collective", QUESTIONS[name]) == []


def test_the_check_of_questions_finds_mistakes(problems):
    text = "query ($x: Int!) { account(slug: $x) { slugg } accounts(type: [CLUB]) { totalCount } }"
    assert len(problems("open_collective", text)) == 3


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_keeps_to_the_limits_of_size(name):
    question = graphql.parse(QUESTIONS[name], max_tokens=1500)
    assert len(question.definitions[0].selection_set.selections) <= 100
    with pytest.raises(graphql.GraphQLSyntaxError):
        graphql.parse(QUESTIONS[name] * 25, max_tokens=1500)


@pytest.mark.parametrize(("token", "pace", "sent"), [(None, 10, None), (SECRET, 100, SECRET)])
def test_the_pace_and_the_header_follow_from_the_token(token, pace, sent):
    http = Direct(ledger())
    fetch(http, "acme", token=token)
    assert set(http.paces) == {pace}
    assert {h.get("Personal-Token") for h in http.headers} == {sent}


# the window


def test_a_day_is_closed_at_both_ends():
    last = f"{DAY}T23:59:59.999Z"
    before, after = f"{DAY - timedelta(days=1)}T23:59:59.999Z", f"{DAY + timedelta(days=1)}T00:00:00.000Z"
    api = ledger(gift(1, before), gift(2, f"{DAY}T00:00:00.000Z"), gift(3, last), gift(4, after))
    landed = fetch(Direct(api), "acme")
    assert landed.ids() == [2, 3]
    assert landed.status("acme") == ("complete", 2, 2)
    assert fetch(Direct(api), "acme", day=DAY + timedelta(days=1)).ids() == [4]


def test_a_quiet_account_is_a_true_zero_with_coverage():
    assert fetch(Direct(ledger()), "acme").status("acme") == ("complete", 0, 0)


def test_rows_of_the_other_side_and_of_strangers_stay_out():
    stranger = account("stranger")
    api = ledger(gift(1), transaction(2, GIVER, ACME, -100, NOON), gift(3, of=stranger), accounts=[stranger])
    assert fetch(Direct(api), "acme").ids() == [1]


def test_a_deleted_row_is_gone_when_the_day_is_read_again():
    api = ledger(gift(1), gift(2))
    assert fetch(Direct(api), "acme").ids() == [1, 2]
    api.transactions[0]["deleted"] = True
    assert fetch(Direct(api), "acme").ids() == [2]


PARTY = account("acme-party", "EVENT", parent={key: ACME[key] for key in ("id", "slug", "type")})


def test_children_come_along_unless_the_address_says_no():
    api = ledger(gift(1), gift(2, of=PARTY), accounts=[PARTY])
    landed = fetch(Direct(api), "acme")
    assert [(r["account_slug"], r["listed_slug"]) for r in landed.rows["transactions"]] in (
        [("acme", "acme"), ("acme-party", "acme")],
        [("acme-party", "acme"), ("acme", "acme")],
    )
    assert {(r["slug"], r["parent_slug"]) for r in landed.rows["accounts"]} == {("acme", None), ("acme-party", "acme")}
    http = Direct(api)
    alone = fetch(http, "acme", url=f"{URL}?children=false")
    assert alone.ids() == [1] and [r["slug"] for r in alone.rows["accounts"]] == ["acme"]
    assert {url for url, _ in http.asked} == {URL}


def test_an_account_listed_twice_and_a_child_listed_itself_count_once():
    api = ledger(gift(1), gift(2, of=PARTY), accounts=[PARTY])
    artifacts = (*listed("acme", "acme-party"), Listed("another", "open_collective", "acme"))
    landed = fetch(Direct(api), artifacts=artifacts)
    assert landed.ids() == [1, 2]
    assert landed.status("acme-party") == ("complete", 1, 1)


# money as it is


def test_money_stays_as_the_ledger_says_it():
    yen = account("yen", currency="JPY", host="haven")
    row = transaction(
        7, yen, None, 100_000.0000000002, NOON, None, rate=0.00625, host_currency="EUR", fees=(-50, -49.5, 0)
    )
    landed = fetch(Direct(ledger(row, accounts=[yen])), "yen").rows["transactions"][0]
    wanted = {
        **{"type": "CREDIT", "kind": None, "is_refund": False, "legacy_id": 7, "public_id": "tx_0000007"},
        **{"created_at": datetime(2025, 9, 1, 12, tzinfo=UTC), "cleared_at": None},
        **{"amount_cents": 100_000, "amount_currency": "JPY", "host_amount_cents": 625, "host_amount_currency": "EUR"},
        **{"host_currency_fx_rate": 0.00625, "host_fee_cents": -50, "host_fee_currency": "EUR"},
        **{"platform_fee_cents": -50, "payment_processor_fee_cents": 0, "tax_amount_currency": "JPY"},
        **{"account_slug": "yen", "opposite_account_id": None, "host_slug": "haven", "expense_id": None},
    }
    assert {key: landed[key] for key in wanted} == wanted
    assert json.loads(landed["_payload"])["amount"] == {"valueInCents": 100_000.0000000002, "currency": "JPY"}


def test_a_refund_is_a_row_of_its_own_that_names_the_other():
    first = gift(1)
    back = transaction(2, ACME, GIVER, -100, NOON, isRefund=True, refundTransaction={"id": first["id"]})
    first |= {"isRefunded": True, "refundTransaction": {"id": back["id"]}}
    rows = {r["legacy_id"]: r for r in fetch(Direct(ledger(first, back)), "acme").rows["transactions"]}
    assert (rows[1]["is_refunded"], rows[2]["is_refund"], rows[2]["amount_cents"]) == (True, True, -100)
    assert rows[2]["refund_transaction_id"] == rows[1]["id"]


# accounts that cannot be read


class Refusing(Api):
    """Refuses the ledgers of some accounts, `times` each."""

    def __init__(self, api, refused, code="InternalServerError", times=99):
        super().__init__(api.accounts, api.transactions)
        self.left, self.code = {account(slug)["id"]: times for slug in refused}, code

    def ledger(self, account=(), **more):
        if self.left.get(account[0]["id"], 0) > 0:
            self.left[account[0]["id"]] -= 1
            raise open_collective.Refused(self.code, "no")
        return super().ledger(account=account, **more)


FIVE = [account(f"five-{n}") for n in range(5)]
FIVE_SLUGS = [a["slug"] for a in FIVE]


def five(**more):
    return ledger(*(gift(n + 1, of=a) for n, a in enumerate(FIVE)), accounts=FIVE)


def test_an_account_that_does_not_exist_costs_only_itself():
    landed = fetch(Direct(five()), *FIVE_SLUGS, "nobody")
    assert landed.ids() == [1, 2, 3, 4, 5]
    gone = landed.coverage["accounts", "nobody"]
    assert (gone.status, gone.expected, gone.observed) == (
        "missing",
        1,
        0,
    ) and "no account has this slug" in gone.reason
    assert ("transactions", "nobody") not in landed.coverage


@pytest.mark.parametrize("code", ["InternalServerError", "Forbidden"])
def test_one_ledger_that_is_refused_for_good_is_missing_and_the_others_land(code):
    landed = fetch(Direct(Refusing(five(), ["five-2"], code)), *FIVE_SLUGS)
    assert landed.ids() == [1, 2, 4, 5]
    assert landed.status("five-2") == ("missing", None, 0)
    assert landed.coverage["transactions", "five-2"].reason == f"{code}: no"


def test_a_ledger_that_is_refused_once_is_asked_again():
    landed = fetch(Direct(Refusing(five(), ["five-1", "five-4"], times=1)), *FIVE_SLUGS)
    assert landed.ids() == [1, 2, 3, 4, 5]


def test_too_many_refused_ledgers_fail_the_day():
    with pytest.raises(SuspectData, match=r"ledgers of 2 of 5 accounts on 2025-09-01 cannot be read, above 10 %"):
        fetch(Direct(Refusing(five(), ["five-0", "five-1"])), *FIVE_SLUGS)


def test_accounts_that_are_gone_in_a_crowd_are_not_believed():
    with pytest.raises(SuspectData, match="only 1 of the registry's 4 accounts were found"):
        fetch(Direct(ledger()), "acme", "a", "b", "c")


def test_a_private_other_side_is_null_and_no_damage():
    def hide(number, value):
        if number == 2:
            value["data"]["t0"]["nodes"][0]["oppositeAccount"] = None
            value["errors"] = [{"message": "private", "path": ["t0", "nodes", 0, "oppositeAccount"]}]
        return value

    landed = fetch(Direct(ledger(gift(1)), hide), "acme")
    assert landed.status("acme") == ("complete", 1, 1)
    assert landed.rows["transactions"][0]["opposite_account_slug"] is None


def test_a_row_that_came_as_null_is_rejected_and_the_ledger_damaged():
    def lose(number, value):
        if number == 2:
            value["data"]["t0"]["nodes"][0] = None
            value["errors"] = [
                {"message": "boom", "path": ["t0", "nodes", 0, "amount"], "extensions": {"code": "Oops"}}
            ]
        return value

    landed = fetch(Direct(ledger(gift(1), gift(2)), lose), "acme")
    assert landed.status("acme") == ("damaged", 2, 1) and len(landed.rejected) == 1
    assert "Oops: boom" in landed.coverage["transactions", "acme"].reason


# pages


def numbers(api, count):
    api.transactions = [gift(n, f"{DAY}T{n // 60:02}:{n % 60:02}:00.000Z") for n in range(1, count + 1)]
    return api


@pytest.mark.parametrize("count", [29, 30, 31, 55, 56, 300])
def test_pages_are_read_to_the_end(monkeypatch, count):
    pages_of(monkeypatch, 30, 5)
    landed = fetch(Direct(numbers(ledger(), count)), "acme")
    assert landed.ids() == list(range(1, count + 1))
    assert landed.status("acme") == ("complete", count, count)


def test_rows_of_one_instant_in_any_order_are_all_read(monkeypatch):
    pages_of(monkeypatch, 30, 5)
    api = ledger(*(gift(n) for n in range(1, 200)))
    assert fetch(Direct(api), "acme").ids() == list(range(1, 200))


def test_a_ledger_that_changes_between_pages_is_read_again(monkeypatch):
    pages_of(monkeypatch, 30, 5)
    api = numbers(ledger(), 80)

    def change(number, value):
        if number == 2:  # after the first page
            api.transactions[0]["deleted"] = True
            api.transactions.append(gift(81, f"{DAY}T23:00:00.000Z"))
        return value

    assert fetch(Direct(api, change), "acme").ids() == list(range(2, 82))


class Repeating(Api):
    """Gives the first page whatever the offset."""

    def ledger(self, offset=0, **more):
        return super().ledger(offset=0, **more)


class Moving(Api):
    """Counts differently each time."""

    count = 0

    def ledger(self, **more):
        self.count += 1
        return super().ledger(**more) | {"totalCount": 80 + self.count}


class Uncounted(Api):
    """Has no count any more."""

    def ledger(self, **more):
        return super().ledger(**more) | {"totalCount": None}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Repeating, "30 distinct rows of 80 were answered, 3 times"), (Moving, "3 times"), (Uncounted, "no totalCount")],
)
def test_a_ledger_whose_pages_cannot_be_trusted_lands_nothing(monkeypatch, kind, reason):
    pages_of(monkeypatch, 30, 5)
    api = numbers(ledger(), 80)
    landed = fetch(Direct(kind(api.accounts, api.transactions)), "acme")
    assert landed.ids() == [] and landed.status("acme") == ("missing", None, 0)
    assert reason in landed.coverage["transactions", "acme"].reason


# faults of the network


@pytest.fixture(scope="module")
def server():
    with DemoServer() as one:
        yield one


@pytest.fixture
def acme(server):
    server.apis = {PATH: ledger(gift(1), gift(2)).answer}
    server.faults.clear()
    yield server
    server.faults.clear()


def over_http(server, waits, token=None, *slugs):
    http = HttpClient(password=token, sleep=waits.append, monotonic=lambda: 1e9)
    return fetch(http, *(slugs or ("acme",)), url=server.base_url + PATH, token=token)


TROUBLE = {
    "429 with a fraction": Fault(1, status=429, headers={"Retry-After": "23.417"}),
    "429 without a wait": Fault(2, status=429),
    "a burst of 503": Fault(3, status=503),
    "a closed connection": Fault(2, drop=True),
    "a cut answer": Fault(1, keep=0.5),
    "a page of HTML": Fault(1, body=b"<html>down for a moment</html>"),
    "an empty answer": Fault(1, body=b""),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_passing_trouble_changes_nothing(acme, name):
    acme.faults.add(PATH, Fault(**vars(TROUBLE[name])))
    waits = []
    landed = over_http(acme, waits)
    assert landed.ids() == [1, 2] and landed.status("acme") == ("complete", 2, 2)
    if "fraction" in name:
        assert 23.417 in waits


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(-1, status=503), Unavailable),
        (Fault(-1, drop=True), Unavailable),
        (Fault(-1, body=b"<html>"), Unavailable),
        (Fault(-1, keep=0.5), Unavailable),
        (Fault(-1, status=429), RateLimited),
        (Fault(-1, status=429, headers={"Retry-After": "3600.5"}), RateLimited),
        (Fault(-1, status=401), BadCredentials),
        (Fault(-1, status=404), ContractBroken),
    ],
)
def test_lasting_trouble_fails_the_day(acme, fault, error):
    acme.faults.add(PATH, fault)
    with pytest.raises(error):
        over_http(acme, [])


def said(code, message="nothing doing"):
    return json.dumps({"errors": [{"message": message, "extensions": {"code": code}}]}).encode()


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (b'{"error": {"message": "slow down"}}', Unavailable, "slow down"),
        (said("RateLimitExceeded"), RateLimited, "retries later"),
        (said("InvalidToken"), BadCredentials, "Make a new token"),
        (said("GRAPHQL_VALIDATION_FAILED", 'Cannot query field "kind"'), ContractBroken, 'Cannot query field "kind"'),
        (b'{"data": null}', Unavailable, "data is null"),
        (b'{"data": null, "errors": [{"message": "x", "path": ["t99"]}]}', Unavailable, "Error: x"),
        (b"[]", ContractBroken, "is no GraphQL API"),
        (b'"hello"', ContractBroken, "is no GraphQL API"),
        (b"{}", ContractBroken, "is no GraphQL API"),
    ],
)
def test_errors_that_come_with_200_fail_the_day_and_are_quoted(acme, body, error, text):
    acme.faults.replaced(PATH, body)
    with pytest.raises(error, match=text):
        over_http(acme, [])


def test_a_refused_question_is_quoted(acme):
    acme.apis = {PATH: lambda asked: (400, said("GRAPHQL_VALIDATION_FAILED", "Unknown argument"))}
    with pytest.raises(ContractBroken, match=r"GRAPHQL_VALIDATION_FAILED: Unknown argument.*_open_collective_parse"):
        over_http(acme, [])


# drift


REQUIRED = {"id", "type", "createdAt", "amount", "account"}


def drifting(name, value):
    def change(number, answer):
        for node in answer["data"].get("t0", {}).get("nodes", []) if number == 2 else []:
            if value is ...:
                node.pop(name)
            else:
                node[name] = value
        return answer

    return Direct(ledger(gift(1)), change)


@pytest.mark.parametrize("name", parse.ASKED)
def test_a_field_that_vanished_is_null_and_named_or_the_row_is_rejected(name):
    landed = fetch(drifting(name, ...), "acme")
    if name in REQUIRED:
        assert name in landed.rejected[0].reason and landed.status("acme") == ("damaged", 1, 0)
    else:
        assert landed.status("acme") == ("damaged", 1, 1)
        assert landed.coverage["transactions", "acme"].reason == f"not answered: {name}"


@pytest.mark.parametrize("name", parse.ASKED)
def test_a_field_of_another_form_rejects_the_row(name):
    landed = fetch(drifting(name, ["odd"]), "acme")
    assert len(landed.rejected) == 1 and landed.status("acme") == ("damaged", 1, 0)
    assert len(landed.rejected[0].sample) <= 200


@pytest.mark.parametrize(
    "amount",
    [
        {"valueInCents": "100", "currency": "USD"},
        {"valueInCents": None, "currency": "USD"},
        {"valueInCents": 1e300, "currency": "USD"},
        {"valueInCents": 100, "currency": "<b>"},
        {"valueInCents": True, "currency": "USD"},
        {"currency": "USD"},
    ],
)
def test_an_amount_that_is_no_money_rejects_the_row(amount):
    landed = fetch(drifting("amount", amount), "acme")
    assert landed.ids() == [] and len(landed.rejected) == 1


def test_an_unknown_field_and_an_unknown_kind_survive():
    def change(number, answer):
        if number == 2:
            answer["data"]["t0"]["nodes"][0] |= {"newField": {"deep": [1]}, "kind": "MOON_TAX"}
        return answer

    (row,) = fetch(Direct(ledger(gift(1)), change), "acme").rows["transactions"]
    assert row["kind"] == "MOON_TAX" and json.loads(row["_payload"])["newField"] == {"deep": [1]}


def test_rows_of_other_days_are_rejected_when_the_window_is_not_kept():
    landed = fetch(drifting("createdAt", "2025-08-01T00:00:00.000Z"), "acme")
    assert "outside the day" in landed.rejected[0].reason and landed.status("acme") == ("damaged", 1, 0)


# accounts beyond the registry


def test_links_of_unlisted_accounts_are_matched_and_never_declared():
    links = [
        ("GITHUB", "https://github.com/Acme/Rocket.git"),
        ("WEBSITE", "http://www.acme.example/"),
        ("WEBSITE", "javascript:alert(1)"),
        ("GITHUB", "https://[bad"),
        ("GITHUB", "https://github.com/acme/rocket"),
    ]
    friend, other = account("friends", links=links), account("other", links=[("GITHUB", "https://github.com/x/y")])
    named = account("acme-two", links=links)
    api = ledger(*(gift(n, of=a) for n, a in enumerate((friend, other, named))), accounts=[friend, other, named])
    artifacts = (
        *listed("acme-two", github_repo="acme/rocket", website="acme.example"),
        Listed("owner-of", "github_owner", "acme"),
    )
    landed = fetch(Direct(api), artifacts=artifacts)
    assert sorted(
        (r["slug"], r["project_name"], r["kind"], r["identity"], r["evidence"]) for r in landed.rows["matches"]
    ) == [
        ("friends", "owner-of", "github_owner", "acme", "matched"),
        ("friends", "site", "github_repo", "acme/rocket", "matched"),
        ("friends", "site", "website", "acme.example", "matched"),
    ]
    assert {r["link"] for r in landed.rows["matches"]} == {links[0][1], links[1][1]}
    assert {r["listed_slug"] for r in landed.rows["transactions"]} == {"acme-two"}


def test_a_search_that_fails_costs_no_ledger():
    class NoSearch(Api):
        def search(self, **_):
            raise open_collective.Refused("Timeout", "too slow")

    api = ledger(gift(1))
    landed = fetch(Direct(NoSearch(api.accounts, api.transactions)), "acme")
    assert landed.ids() == [1]
    assert landed.coverage["matches", "links"].status == "missing"


# secrets and mistakes


def test_the_token_is_sent_as_a_header_of_its_own_and_shows_nowhere(acme, caplog, monkeypatch):
    from demo.server import _Handler

    seen, post = [], _Handler.do_POST
    monkeypatch.setattr(_Handler, "do_POST", lambda self: (seen.append(dict(self.headers)), post(self))[1])
    caplog.set_level(logging.DEBUG)
    acme.faults.unavailable(PATH, times=2)
    acme.faults.limited(PATH)
    landed = over_http(acme, [], SECRET)
    assert landed.ids() == [1, 2]
    assert {h.get("Personal-Token") for h in seen} == {SECRET} and not any("Authorization" in h for h in seen)
    acme.faults.replaced(PATH, said("InvalidToken", f"the token {SECRET} is wrong"))
    with pytest.raises(BadCredentials) as caught:
        over_http(acme, [], SECRET)
    assert SECRET not in str(caught.value) and SECRET not in caplog.text
    assert SECRET not in repr(Connection(urls=(URL,), password=SECRET))


def test_a_token_echoed_in_a_refusal_of_one_account_is_masked():
    class Echo(Refusing):
        def ledger(self, **more):
            try:
                return super().ledger(**more)
            except open_collective.Refused:
                raise open_collective.Refused("Forbidden", f"not with {SECRET}") from None

    landed = fetch(Direct(Echo(five(), ["five-1"])), *FIVE_SLUGS, token=SECRET)
    assert landed.coverage["transactions", "five-1"].reason == "Forbidden: not with ***"


@pytest.mark.parametrize("token", ["a\nb", "a b", "ключ"])
def test_a_token_with_odd_characters_is_refused_without_showing_it(token):
    with pytest.raises(FixNeeded, match="is no token") as caught:
        fetch(Direct(ledger()), "acme", token=token)
    assert token not in str(caught.value)


def test_a_login_in_the_connection_is_a_mistake():
    connection = parse_connection({"AIRFLOW_CONN_OPEN_COLLECTIVE": "https://me:pw@x.example"}, "open_collective", ())
    context = Context(connection=connection, http=None, now=datetime.now(UTC), listed=listed("acme"))
    with pytest.raises(FixNeeded, match="no login"):
        list(SOURCE.fetch(Window.of(DAY), context))


def test_without_a_directory_it_asks_for_one():
    with pytest.raises(FixNeeded, match="Land oss_directory first"):
        list(
            SOURCE.fetch(Window.of(DAY), Context(connection=Connection(urls=(URL,)), http=None, now=datetime.now(UTC)))
        )


def test_a_directory_without_accounts_still_has_coverage():
    landed = fetch(Direct(ledger()), artifacts=listed(github_repo="acme/rocket"))
    assert set(landed.coverage) == {("matches", "links")} and landed.rows == {}


# the demo's world, and reality


@pytest.fixture(scope="module")
def world(server):
    server.faults.clear()
    server.apis = {PATH: open_collective.api().answer}
    return server


@pytest.mark.parametrize("day", [date(2025, 5, 9), date(2025, 5, 16), date(2025, 6, 20), date(2025, 10, 27)])
def test_a_day_of_the_demo_is_whole_and_costs_few_requests(world, day):
    world.apis = {PATH: open_collective.api().answer}
    world.requests.clear()
    slugs = [*open_collective.LISTED, *open_collective.GONE]
    connection = parse_connection(connections(world.base_url), "open_collective", ())
    steps = []
    http = HttpClient(password=connection.password, sleep=lambda s: None)
    landed = fetch(
        http,
        *slugs,
        day=day,
        url=connection.urls[0],
        token=connection.password,
        progress=lambda done, total, label="": steps.append((done, total)),
    )
    own = set(open_collective.LISTED) | set(open_collective.CHILDREN)
    wanted = Counter(
        (t["account"]["slug"], t["amount"]["currency"])
        for t in open_collective.api().transactions
        if t["createdAt"][:10] == str(day) and t["account"]["slug"] in own and not t["deleted"]
    )
    assert Counter((r["account_slug"], r["amount_currency"]) for r in landed.rows["transactions"]) == wanted
    assert len(slugs) == 11 and world.requests[PATH] <= (6 if day == open_collective.DRIVE else 3)
    assert steps == sorted(steps) and steps[-1][0] == steps[-1][1]
    assert [part for (stream, part), line in landed.coverage.items() if line.status != "complete"] == [
        "ghost-ship-fund"
    ]


def recorded(folder):
    """The API over the recorded accounts and ledger rows."""
    with gzip.open(folder / "open_collective/accounts.csv.gz", "rt") as text:
        people = {a["id"]: a for a in csv.DictReader(text)}
    with gzip.open(folder / "open_collective/transactions-2015-2016.csv.gz", "rt") as text:
        lines = list(csv.DictReader(text))
    api = Api([])
    shown = {}
    for number, a in people.items():
        kind = "INDIVIDUAL" if a["type"] == "USER" else a["type"]
        above = people.get(a["ParentCollectiveId"])
        parent = {"id": account(above["slug"])["id"], "slug": above["slug"], "type": above["type"]} if above else None
        shown[number] = account(a["slug"], kind, a["currency"], host="host", parent=parent)
        api.accounts.append(shown[number])
    for t in lines:
        fees = [
            float(t[f] or 0)
            for f in ("hostFeeInHostCurrency", "platformFeeInHostCurrency", "paymentProcessorFeeInHostCurrency")
        ]
        at = datetime.fromisoformat(t["createdAt"]).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        sides = shown[t["CollectiveId"]], shown.get(t["FromCollectiveId"])
        row = transaction(
            int(t["id"]), *sides, int(t["amount"]), at, t["kind"] or None,
            rate=float(t["hostCurrencyFxRate"] or 1), host_currency=t["hostCurrency"], fees=tuple(fees),
            isRefund=t["isRefund"] == "t", deleted=bool(t["deletedAt"]), type=t["type"],
        )  # fmt: skip
        api.transactions.append(row)
    return api, lines, people


def test_the_recorded_ledger_lands_row_by_row(recordings):
    api, lines, people = recorded(recordings)
    own = {i for i, a in people.items() if a["slug"] in ("railsgirlsatl", "apex", "opensourced", "brusselstogether")}
    live = [t for t in lines if t["CollectiveId"] in own and not t["deletedAt"]]
    assert len(live) == 297  # 100 + 100 + 71 + 26, counted with zgrep and awk
    days = Counter(t["createdAt"][:10] for t in live)
    for day, _ in days.most_common(40):
        landed = fetch(
            Direct(api), "railsgirlsatl", "apex", "opensourced", "brusselstogether", day=date.fromisoformat(day)
        )
        wanted = sorted((int(t["id"]), int(t["amount"]), t["currency"]) for t in live if t["createdAt"][:10] == day)
        rows = landed.rows["transactions"]
        assert sorted((r["legacy_id"], r["amount_cents"], r["amount_currency"]) for r in rows) == wanted
        assert landed.rejected == []


# before the commit


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ({"amount_cents": 5, "type": "DEBIT"}, "transactions.amount_cents"),
        ({"created_at": datetime(2025, 9, 2, tzinfo=UTC)}, "transactions.created_at"),
        ({"type": "LOAN"}, "transactions.type"),
        ({}, None),
    ],
)
def test_the_suite_refuses_what_no_ledger_holds(tmp_path, change, failure):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from include.quality.open_collective import failures

    (row,) = fetch(Direct(ledger(gift(1))), "acme").rows["transactions"]
    pq.write_table(
        pa.Table.from_pylist([row | change], schema=module.TRANSACTIONS.schema), tmp_path / "transactions.parquet"
    )
    found = failures(tmp_path, DAY)
    assert (found == []) if failure is None else any(f.startswith(failure) for f in found)
