"""Everybody is told what they may use, and held to it; what is counted does not tell who asked what."""

import sqlite3
from contextlib import closing

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Meter, Tier, address_of

TIERS = {"anonymous": Tier(3, 10, 1), "keyed": Tier(5, 20, 2), "internal": Tier(None, None, None)}


def costly(request):
    caller = request.state.caller
    caller.check("sql")
    caller.spend(rows=10, seconds=0.25)
    return JSONResponse({"spent": caller.spent}, headers={"Cache-Control": "no-store"})


@pytest.fixture
def app(empty, keys):
    app = create_app(empty, TIERS)
    app.router.routes.append(Route("/costly/{what}", costly))
    return app


@pytest.fixture
def client(app):
    return TestClient(app, client=("192.0.2.1", 1))


def test_the_fourth_request_of_three_a_minute_is_refused_with_the_numbers_and_how_to_get_a_key(app, client):
    left = [client.get("/nothing").headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get("/nothing")
    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 60
    assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-policy"]) == ("3", "3;w=60")
    body = refused.json()
    assert (body["tier"], body["limit"], body["window_s"]) == ("anonymous", 3, 60)
    assert "may ask 3 times a minute" in body["detail"] and "for a key" in body["detail"]
    assert TestClient(app, client=("192.0.2.2", 1)).get("/nothing").status_code == 404
    assert client.get("/healthz").status_code == 200
    assert client.get("/healthz/more").status_code == 429
    assert client.get("/static/nothing").status_code == 404, "a page's style and fonts are not requests of its reader"


def test_a_key_has_its_own_limit_wherever_it_comes_from(app, client, keys):
    bearer = {"Authorization": f"Bearer {keys.add('ada')}"}
    other = TestClient(app, client=("192.0.2.2", 1))
    found = [who.get("/nothing", headers=bearer).status_code for who in (client, other) * 3]
    assert found == [404] * 5 + [429]
    internal = {"Authorization": f"Bearer {keys.add('us', tier='internal')}"}
    assert {client.get("/nothing", headers=internal).status_code for _ in range(20)} == {404}


def test_a_budget_of_rows_ends_with_the_day(client, keys):
    assert client.get("/costly/a").json() == {"spent": [10, 0.25]}
    refused = client.get("/costly/a")
    assert refused.status_code == 429 and "Today's 10 rows of the tier anonymous" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 86_401


def test_a_key_that_is_not_for_sql_is_told_so(client, keys):
    bearer = {"Authorization": f"Bearer {keys.add('ada', scopes=['read'])}"}
    refused = client.get("/costly/a", headers=bearer)
    assert refused.status_code == 403 and "needs the scope sql" in refused.json()["detail"]


def test_use_is_counted_by_day_caller_and_route_and_nothing_tells_who_asked_what(empty, keys):
    app = create_app(empty, TIERS)
    app.router.routes.append(Route("/costly/{what}", costly))
    key = keys.add("ada")
    with TestClient(app, client=("192.0.2.77", 1)) as client:
        client.get("/costly/secret-project", headers={"Authorization": f"Bearer {key}"})
        client.get("/costly/secret-project")
        client.get("/healthz")
    assert {row[1:] for row in keys.usage()} == {
        (key[3:11], "/costly/{what}", 1, 10, 0.25),
        ("anonymous", "/costly/{what}", 1, 10, 0.25),
        ("anonymous", "/healthz", 1, 0, 0.0),
    }
    with closing(sqlite3.connect(keys.path)) as db:
        dump = "\n".join(db.iterdump())
    assert "192.0.2.77" not in dump and "secret-project" not in dump
    assert [one.last_used for one in keys.all()] == [keys.usage()[0][0]]
    assert Meter(keys, TIERS).spent(key[3:11]) == (10, 0.25)


@pytest.mark.parametrize(
    "host, counted",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("somebody", "somebody"),
    ],
)
def test_an_address_of_ipv6_counts_as_its_household(host, counted):
    assert address_of({"client": (host, 1)}) == counted
