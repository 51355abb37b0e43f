"""Every upstream that misbehaves: what passes leaves the totals of a clean run, what lasts is a sentence, never a part.

What only one upstream can do (limits inside a 200, pages that drift, fields of another form) is in its own tests.
"""

import io
import logging
import tarfile
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from demo import chain, connections
from demo.bigquery import BigQuery
from demo.open_collective import PATH
from demo.server import DemoServer, Fault
from include.errors import BadCredentials, OpenImpactError, RateLimited, TryLater
from include.http import HttpClient
from include.sources import all_sources, get_source
from include.sources.base import Batch, Context, Coverage, Listed, Tracked, Window, parse_connection
from tests.sources.bigquery_day import day_tables
from tests.sources.standins import DAY, acme_archive, acme_directory, acme_github, acme_ledger

NOW = datetime(2025, 10, 20, 7, tzinfo=UTC)
CANARY = "canary-0123456789abcdef"
LISTED = (
    *(Listed("acme", "github_repo", "acme/rocket"), Listed("tools", "github_owner", "toolsmith")),
    *(Listed("parcels", "npm", name) for name in ("loomkit", "steady-lathe", "@Coral/net")),
    *(Listed("fund", "open_collective", "acme"), Listed("acme", "pypi", "acme-kit")),
    *(
        Listed("coral", "blockchain", chain.CORAL.lower(), network, ("contract",))
        for network in ("mainnet", "optimism")
    ),
)
EVERY = {source.name: source for source in all_sources()}
FILES = {"oss_directory", "github_archive", "ecb_rates"}
LEFT_TO_THE_TASK = {(name, fault) for name in FILES for fault in ("a cut body", "HTML with 200")}  # read as they come
LEFT_TO_THE_TASK |= {(name, "403 with Retry-After") for name in ("npm", "npm_manifests")}  # a ban
HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
DEEP = b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One server for all; acme's archive and directory are served as files."""
    folder = tmp_path_factory.mktemp("files")
    hours, packed = acme_archive(folder / "archive"), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(acme_directory(folder / "directory"), "oss-directory")

    def body_of(path: str, seed: int) -> bytes | None:
        if path == "/oss-directory.tar.gz":
            return packed.getvalue()
        file = hours / path.rpartition("/")[2]
        return file.read_bytes() if file.is_file() else real(path, seed)

    with pytest.MonkeyPatch.context() as patch, DemoServer(github_api=acme_github()) as server:
        from demo import server as module

        real = module.body_of
        patch.setattr(module, "body_of", body_of)
        server.apis[PATH] = acme_ledger().answer
        server.bigquery = BigQuery(day_tables().get)
        yield server


@pytest.fixture
def server(running, monkeypatch):
    """No fault yet, and little patience: 0.2 s for an answer, 1 MiB of JSON."""
    import include.http
    from include.sources import _bigquery_client

    monkeypatch.setattr(include.http, "TIMEOUT_S", (1.0, 0.2))
    monkeypatch.setattr(include.http, "LONGEST_ANSWER", 1 << 20)
    monkeypatch.setattr(_bigquery_client, "TIMEOUT_S", (1.0, 0.2))
    running.faults.clear()
    running.logins.clear()
    running.github.left.clear()
    running.github.refused_tokens.clear()
    yield running
    running.faults.clear()


def fetch(name: str, server: DemoServer, waits: list[float], password: str = CANARY) -> dict:
    """Rows and coverage of one fetch, sorted."""
    source = get_source(name)
    connection = parse_connection(connections(server.base_url), source.connection, ())
    if name == "github_archive":
        connection = replace(connection, urls=connection.urls[:1])
    if name != "bigquery":  # its password is a key
        connection = replace(connection, password=password)
    http = HttpClient(connection.login, connection.password, sleep=waits.append)
    context = Context(
        connection=connection, http=http, now=NOW,
        listed=tuple(one for one in LISTED if one.kind in source.lists),
        tracked=Tracked(frozenset({"acme/rocket"}), frozenset({"toolsmith"})) if source.tracks == "github" else None,
    )  # fmt: skip
    found: dict[str, list] = {}
    for item in source.fetch(Window.of(day_of(name)), context):
        if isinstance(item, Batch):
            found.setdefault(item.stream, []).extend(map(repr, item.rows.to_pylist()))
        elif isinstance(item, Coverage):
            found.setdefault("coverage", []).append(repr(item))
        else:
            found.setdefault("others", []).append(repr(item))
    return {stream: sorted(rows) for stream, rows in found.items()}


def day_of(name: str) -> date:
    """DAY, or today for a source of now."""
    return NOW.date() if get_source(name).window == "now" else DAY


@pytest.fixture(scope="module")
def clean(running):
    """`clean(name)`: what a run without faults gives, asked for once."""
    found: dict[str, dict] = {}

    def of(name: str) -> dict:
        if name not in found:
            running.faults.clear()
            found[name] = fetch(name, running, [])
            assert found[name]["coverage"] and len(found[name]) > 1
        return found[name]

    return of


PASSING = {
    "429 with Retry-After": Fault(1, status=429, headers={"Retry-After": "2.5"}),
    "429 without": Fault(1, status=429),
    "403 with Retry-After": Fault(1, status=403, headers={"Retry-After": "2.5"}),
    "503 for a fifth of the answers": Fault(2, of=10, status=503),
    "502 in HTML": Fault(1, status=502, body=HTML),
    "a reset": Fault(2, drop=True),
    "a hang": Fault(1, hang_s=0.5),
    "a slow body": Fault(1, slow_s=0.03),
    "a cut body": Fault(1, keep=0.5),
    "HTML with 200": Fault(1, body=HTML),
}
BOMBS = {"deep": DEEP, "huge": b'{"data": "' + b"x" * (2 << 20) + b'"}'}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("name", EVERY)
def test_what_passes_leaves_the_totals_of_a_clean_run(name, fault, server, clean, waits, caplog):
    caplog.set_level(logging.DEBUG)
    whole = clean(name)
    waits.clear()
    server.faults.add("*", replace(PASSING[fault]))
    if (name, fault) in LEFT_TO_THE_TASK:
        with pytest.raises(TryLater) as caught:
            fetch(name, server, waits)
        waits += [(caught.value.retry_at - NOW).total_seconds()] if isinstance(caught.value, RateLimited) else []
    assert fetch(name, server, waits) == whole
    if fault.endswith("with Retry-After"):
        assert [wait for wait in waits if 2.4 < wait <= 2.5]
    assert CANARY not in caplog.text + repr(whole)


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("name", sorted(EVERY.keys() - FILES))
def test_a_bomb_of_json_is_asked_for_again_and_then_told(name, bomb, server, clean, waits):
    whole = clean(name)
    server.faults.add("*", Fault(1, body=BOMBS[bomb]))
    if (name, bomb) != ("bigquery", "huge"):  # Google's client has no limit; to it this is an answer without a job
        assert fetch(name, server, waits) == whole
    server.faults.clear()
    server.faults.add("*", Fault(-1, body=BOMBS[bomb]))
    with pytest.raises(OpenImpactError):
        fetch(name, server, waits)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(-1, status=503), TryLater),
        (Fault(-1, status=429, headers={"Retry-After": "3600"}), RateLimited),
        (Fault(-1, drop=True), TryLater),
        (Fault(-1, keep=0.5), OpenImpactError),
        (Fault(-1, body=HTML), OpenImpactError),
        (Fault(-1, hang_s=0.3), TryLater),
        (Fault(-1, status=403), OpenImpactError),
        (Fault(-1, status=401), BadCredentials),
    ],
    ids=["503", "429", "reset", "cut", "html", "hang", "403", "revoked"],
)
@pytest.mark.parametrize("name", EVERY)
def test_what_lasts_is_told_and_shows_no_secret(name, fault, error, server, waits, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults.add("*", replace(fault))
    with pytest.raises(error) as caught:
        fetch(name, server, waits)
    assert len(str(caught.value)) > 40
    assert name == "bigquery" or CANARY in "".join(server.logins)
    assert CANARY not in caplog.text + str(caught.value) + repr(caught.value.__cause__)
    if error is RateLimited:
        assert waits == [] and 3590 < (caught.value.retry_at - datetime.now(UTC)).total_seconds() <= 3600


@pytest.mark.parametrize("name", ["github_api", "github_repositories"])
def test_one_of_three_tokens_that_is_spent_or_revoked_costs_nothing(name, server, clean, waits):
    whole = clean(name)
    server.github.left.update({("two", "graphql"): 0, ("two", "core"): 0})
    assert fetch(name, server, waits, "one,two,three") == whole
    server.github.left.clear()
    server.github.refused_tokens.add("two")
    assert fetch(name, server, waits, "one,two,three") == whole
    assert "Bearer two" in server.logins and waits == []
