"""Keys are shown once, kept as hashes, refused at once when they end, and cannot be guessed."""

import base64
import sqlite3
import stat
from contextlib import closing

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from consumer.__main__ import main
from consumer.app import create_app
from consumer.limits import WRONG_KEYS_A_MINUTE


def who(request):
    caller = request.state.caller
    facts = {"tier": caller.tier, "key_id": caller.key_id, "scopes": sorted(caller.scopes)}
    return JSONResponse(facts, headers={"Cache-Control": "no-store"})


@pytest.fixture
def client(empty, keys):
    app = create_app(empty)
    app.router.routes.append(Route("/who", who))
    return TestClient(app)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_told_by_bearer_or_as_the_password_of_basic(client, keys):
    key = keys.add("ada", scopes=["read"])
    known = {"tier": "keyed", "key_id": key[3:11], "scopes": ["read"]}
    assert client.get("/who", headers=bearer(key)).json() == known
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    assert client.get("/who", headers={"Authorization": f"Basic {basic}"}).json() == known
    assert client.get("/who").json() == {"tier": "anonymous", "key_id": None, "scopes": ["read", "sql"]}


def test_where_no_key_was_ever_made_any_key_is_like_none(client, keys):
    assert client.get("/who", headers=bearer("pyoso-wants-one")).json()["tier"] == "anonymous"
    assert not keys.path.exists()
    keys.revoke(keys.add("ada")[3:11])
    assert client.get("/who", headers=bearer("pyoso-wants-one")).status_code == 401


@pytest.mark.parametrize("change", ["last", "id", "cut", "longer", "empty"])
def test_a_wrong_key_is_refused_with_what_to_do(client, keys, change):
    key = keys.add("ada")
    wrong = {
        "last": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "id": f"oi_00000000{key[11:]}",
        "cut": key[:-1],
        "longer": key + "A",
        "empty": "",
    }[change]
    answer = client.get("/who", headers=bearer(wrong))
    assert answer.status_code == 401 and "unknown, expired or revoked" in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not wrong or wrong not in answer.text


def test_a_key_in_the_address_is_not_a_key(client, keys):
    key = keys.add("ada", tier="internal")
    assert client.get("/who", params={"key": key, "api_key": key, "access_token": key}).json()["tier"] == "anonymous"


def test_a_key_ends_when_it_is_revoked_or_expires(client, keys):
    revoked, expired = keys.add("ada"), keys.add("bob", days=1)
    assert client.get("/who", headers=bearer(revoked)).status_code == 200
    keys.revoke(revoked[3:11])
    with closing(sqlite3.connect(keys.path)) as db, db:
        db.execute("update keys set expires_at = '2026-01-01T00:00:00+00:00' where name = 'bob'")
    for key in (revoked, expired):
        assert client.get("/who", headers=bearer(key)).status_code == 401
    assert [key.status for key in keys.all()] == ["revoked", "expired"]


def test_what_is_kept_is_a_hash_in_a_file_of_the_owner_alone(keys):
    key = keys.add("ada")
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    for file in keys.path.parent.glob("keys.db*"):
        assert key[12:].encode() not in file.read_bytes()


def test_an_address_has_ten_wrong_keys_a_minute_and_no_more(client, keys):
    right = keys.add("ada")
    for _ in range(WRONG_KEYS_A_MINUTE):
        assert client.get("/who", headers=bearer("wrong")).status_code == 401
    for key in ("wrong", right):
        refused = client.get("/who", headers=bearer(key))
        assert refused.status_code == 429 and refused.headers["retry-after"] == "60"
        assert "10 wrong keys" in refused.json()["detail"]
    assert client.get("/who").json()["tier"] == "anonymous"


def test_keys_are_made_listed_and_ended_in_a_shell(keys, monkeypatch, capsys):
    monkeypatch.setenv("OPENIMPACT_HOME", str(keys.path.parent))
    assert main(["keys", "add", "ada", "--scopes", "sql", "--days", "7"]) == 0
    key = capsys.readouterr().out.strip()
    assert keys.find(key).scopes == {"sql"}
    assert main(["keys", "revoke", key[3:11]]) == 0
    assert main(["keys", "list"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{key[3:11]}\tada\tkeyed\tsql\trevoked\t20") and key not in shown
    assert main(["keys", "revoke", "00000000"]) == 1
    assert main(["keys", "add", "eve", "--scopes", "write"]) == 1
    assert "choose of read, sql" in capsys.readouterr().err
