"""The consumer cluster: what readers may, who they are, and each fence with the others off."""

import base64
import hmac
import json
import secrets
import shutil
import signal
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path

import jwt
import psycopg2
import pyarrow as pa
import pytest
import requests
import trino
from psycopg2.extras import execute_values
from pyarrow.fs import FileSelector
from pyiceberg.io.pyarrow import PyArrowFileIO

from include.lake.catalog import open_catalog
from include.lake.exports import write_export
from include.lake.releases import publish
from include.lake.tables import ensure_table
from include.settings import load_settings
from tests.cluster.servers import BUCKET, DEPLOY, HOST, OWNER, READER, _free_ports
from tests.cluster.test_servers import ROWS

CONSUMER = DEPLOY / "trino" / "consumer"
DOC = DEPLOY.parent / "docs" / "consumer-cluster.md"
SHARED_SECRET = secrets.token_hex()
CLOSED = ("secret", "hidden", "canary")
TABLES = ("iceberg_tables", "iceberg_namespace_properties")
BIG = pa.table({"name": pa.array([f"{n * 2654435761 % 2**32}" for n in range(100_000)])})
NUMBERS = "unnest(sequence(1, 10000))"
BUSY = f"select count(*) from {NUMBERS} a(a), {NUMBERS} b(b), {NUMBERS} c(c) where sin(a + b * c) > 2"
LIGHT = "select count(*) from consumer.oso.shared_v1"


def hostile() -> list[tuple[str, str]]:
    """(what has to come of it, statement) for each line of hostile.sql."""
    found, expected = [], ""
    for line in (Path(__file__).parent / "hostile.sql").read_text().splitlines():
        if line.startswith("-- ") and ":" in line:
            expected = line[3:].split(":")[0]
        elif line and not line.startswith("--"):
            found.append((expected, line))
    return found


def run(connect, sql: str, user: str = "anonymous") -> list[list]:
    """All rows of a statement."""
    with connect(user=user) as connection:
        return connection.cursor().execute(sql).fetchall()


def outcome(connect, sql: str, user: str = "anonymous") -> str:
    """'ANSWER', 'LEAK' if the answer names what is closed, or the name of the error."""
    try:
        rows = str(run(connect, sql, user))
    except trino.exceptions.TrinoQueryError as refused:
        return refused.error_name
    return "LEAK" if any(word in rows for word in CLOSED) else "ANSWER"


def pointers(cluster) -> dict[str, list[tuple]]:
    """The rows of the catalog's tables."""
    with cluster.database() as connection, connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"select * from {table} order by 1, 2, 3")
            found[table] = cursor.fetchall()
    connection.close()
    return found


def point_back(cluster, former: dict[str, list[tuple]]) -> None:
    """Makes these the rows of the catalog's tables."""
    with cluster.database() as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"delete from {table}")
            if former[table]:
                execute_values(cursor, f"insert into {table} values %s", former[table])
    connection.close()


def objects(cluster) -> dict:
    """Every object of the storage: {path: (size, time)}."""
    fs = PyArrowFileIO(cluster.storage_properties("owner")).fs_by_scheme("s3", BUCKET)
    return {info.path: (info.size, info.mtime) for info in fs.get_file_info(FileSelector(BUCKET, recursive=True))}


@pytest.fixture(scope="module")
def world(cluster, tmp_path_factory):
    """Open and closed tables of both catalogs; afterwards the catalog is as it was."""
    former = pointers(cluster)
    settings = load_settings(cluster.settings_env() | {"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    lake, consumer = open_catalog(settings, "lake"), open_catalog(settings, "consumer")
    for name in ("raw.shared", "secret.canary"):
        ensure_table(lake, name, ROWS.schema, partition_by="_day").overwrite(ROWS)
    ensure_table(lake, "raw.big", BIG.schema).append(BIG)
    consumer.create_namespace("hidden")
    consumer.create_table("hidden.canary", ROWS.schema).append(ROWS)
    write_export(lake, "shared_v1", ROWS)
    publish(settings, ["exports.shared_v1"], run_id="r", code_sha="c", directory_sha="d")
    cluster.query("pipeline", "create schema if not exists lake.staging")
    cluster.query("pipeline", "create view lake.staging.shared as select name from lake.raw.shared")
    try:
        yield settings
    finally:
        point_back(cluster, former)


@pytest.fixture(scope="module")
def consumer(cluster, world):
    """`consumer(user=…)` connects to the consumer cluster."""
    return partial(cluster.connect, "consumer")


@contextmanager
def without(cluster, etc: Path, gone: tuple[str, ...], catalogs: dict[str, str], **small: str):
    """`connect(user=…)` to a Trino with the consumer's files and the owner's keys, without TLS and log-in.

    What begins with one of `gone` is left out; `catalogs` are its catalogs, and `small` limits replace the files'.
    """
    shutil.copytree(CONSUMER, etc, ignore=shutil.ignore_patterns("catalog", *(f"{name}*" for name in gone)))
    lines = (line.partition("=") for line in (CONSUMER / "config.properties").read_text().splitlines())
    left_out = ("http-server.https", "http-server.authentication", *gone)
    kept = [f"{name}={small.get(name, value)}" for name, _, value in lines if value and not name.startswith(left_out)]
    (etc / "config.properties").write_text("\n".join(kept))
    (etc / "catalog").mkdir()
    for name, text in catalogs.items():
        (etc / "catalog" / f"{name}.properties").write_text(text)
    storage = cluster.storage_env("reader")
    env = {f"READER_{name}": storage[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    env |= {"READER_USER": READER, "READER_PASSWORD": cluster.keys[READER], "TRINO_SHARED_SECRET": SHARED_SECRET}
    (port,) = _free_ports(1)
    server = cluster._start_trino(etc.name, port, OWNER, "owner", etc, **env)
    connect = partial(trino.dbapi.connect, host=HOST, port=port, timezone="UTC")
    try:
        server.wait_ready(lambda: run(connect, "select 1") == [[1]], 300)
        yield connect
    finally:
        cluster.servers.remove((server, signal.SIGTERM))
        server.stop()


READ_ONLY = "iceberg.security=READ_ONLY"


def catalog(name: str) -> str:
    """The catalog's file without its READ_ONLY."""
    text = (CONSUMER / "catalog" / f"{name}.properties").read_text()
    assert READ_ONLY in text
    return text.replace(READ_ONLY, "")


@pytest.fixture(scope="module")
def access_control(cluster, world, tmp_path_factory):
    """A Trino whose only fence is access control."""
    etc = tmp_path_factory.mktemp("fences") / "access-control-alone"
    with without(
        cluster, etc, ("password-authenticator",), {name: catalog(name) for name in ("lake", "consumer")}
    ) as connect:
        yield connect


@pytest.fixture(scope="module")
def fences(cluster, world, tmp_path_factory):
    """A Trino without access control and resource groups, with small limits, whose catalogs are all the lake.

    Each has one fence: READ_ONLY (`readonly`), the reader's storage keys (`storage`), the reader's database role
    (`database`); `lake` and `consumer` have none.
    """
    owner = catalog("lake")
    catalogs = {
        "lake": owner,
        "consumer": catalog("consumer"),
        "readonly": owner + READ_ONLY,
        "storage": owner.replace("ENV:AWS_ACCESS", "ENV:READER_AWS_ACCESS").replace("ENV:AWS_S", "ENV:READER_AWS_S"),
        "database": owner.replace("ENV:CATALOG_USER", "ENV:READER_USER").replace("ENV:CATALOG_P", "ENV:READER_P"),
    }
    small = {"query.max-cpu-time": "5s", "query.max-scan-physical-bytes": "100kB"}
    etc = tmp_path_factory.mktemp("fences") / "one-fence-each"
    with without(
        cluster, etc, ("password-authenticator", "access-control", "resource-groups"), catalogs, **small
    ) as connect:
        former = pointers(cluster)
        run(connect, "insert into lake.raw.shared (name) values ('forged')")
        assert pointers(cluster) != former, "where nothing is fenced nothing is written either: fences prove nothing"
        point_back(cluster, former)
        yield connect


def tried(connect, statements: list[str], users=("anonymous",)) -> list[str]:
    """What came of each statement, four at a time, by these readers in turn."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(partial(outcome, connect), statements, cycle(users)))


@pytest.mark.parametrize(
    "alone",
    [pytest.param(False, id="all fences"), pytest.param(True, id="access control alone", marks=pytest.mark.slow)],
)
def test_hostile_statements_write_nothing_and_read_nothing_outside(world, cluster, request, alone):
    connect = request.getfixturevalue("access_control" if alone else "consumer")
    expected, statements = zip(*hostile(), strict=True)
    assert len(statements) > 100
    before = pointers(cluster), objects(cluster)
    found = tried(connect, statements, ("anonymous", "alice", "internal"))
    wrong = [entry for entry in zip(expected, found, statements, strict=True) if entry[0] != entry[1]]
    assert not wrong, "\n".join(map(str, wrong))
    assert (pointers(cluster), objects(cluster)) == before


def writes(catalog: str) -> list[str]:
    """The hostile statements that would change something of the lake, against another catalog of the same lake."""
    verbs = ("create", "insert", "update", "delete", "truncate", "drop", "alter", "comment", "analyze", "merge")
    return [sql.replace("lake.", f"{catalog}.") for _, sql in hostile() if sql.startswith(verbs) and " lake." in sql]


def test_read_only_alone(fences, cluster):
    before, statements = (pointers(cluster), objects(cluster)), writes("readonly")
    found = tried(fences, statements)
    assert [entry for entry in zip(found, statements, strict=True) if entry[0] == "ANSWER"] == []
    assert (pointers(cluster), objects(cluster)) == before


def test_storage_keys_alone(fences, cluster):
    """Without any other fence pointers may change, but no object does."""
    pointed, before = pointers(cluster), objects(cluster)
    try:
        found = [outcome(fences, sql) for sql in writes("storage")]
        assert objects(cluster) == before
        assert found.count("ANSWER") < len(found) / 2
    finally:
        point_back(cluster, pointed)


def test_database_role_alone(fences, cluster):
    """Without any other fence files may be added, but no pointer changes, nor does a file that one leads to."""
    before, files, statements = pointers(cluster), objects(cluster), writes("database")
    found = [outcome(fences, sql) for sql in statements]
    assert pointers(cluster) == before
    assert files.items() <= objects(cluster).items()
    assert found.count("ANSWER") < len(found) / 2


def test_the_storage_keys_cannot_write(cluster):
    reader = PyArrowFileIO(cluster.storage_properties("reader"))
    assert reader.new_input(f"s3://{BUCKET}/ready").open().read() == b"1"
    with pytest.raises(OSError, match="(?i)denied|forbidden"):
        with reader.new_output(f"s3://{BUCKET}/mine").create(overwrite=True) as out:
            out.write(b"1")
    with pytest.raises(OSError, match="(?i)denied|forbidden"):
        reader.delete(f"s3://{BUCKET}/ready")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from iceberg_tables",
        "update iceberg_tables set metadata_location = 's3://lake/mine'",
        "insert into iceberg_namespace_properties values ('lake', 'mine', 'exists', 'true')",
        "create table mine (x int)",
        "create temporary table mine (x int)",
        "select * from unrelated",
        "select rolpassword from pg_authid",
        "select pg_read_file('postgresql.conf')",
    ],
)
def test_the_database_role_reads_two_tables_and_nothing_else(world, cluster, statement):
    with cluster.database() as owner, owner.cursor() as cursor:
        cursor.execute("create table unrelated (x int)")
    with cluster.database(READER) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from iceberg_tables, iceberg_namespace_properties")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
    with owner, owner.cursor() as cursor:
        cursor.execute("drop table unrelated")


def test_every_stage_is_open_to_look_at(world, cluster):
    assert cluster.query("consumer", "select count(*) from consumer.oso.shared_v1") == [[2]]
    assert cluster.query("consumer", "select count(*) from lake.raw.shared") == [[2]]
    assert cluster.query("consumer", "select count(*) from lake.exports.shared_v1") == [[2]]
    assert cluster.query("consumer", "select name from lake.staging.shared order by 1") == [["a"], [None]], "a view"
    schemas = {row[0] for row in cluster.query("consumer", "show schemas from consumer")}
    assert len(schemas) >= 2 and all(name.startswith("oso") for name in schemas), "the current release and pinned ones"


# --- who a reader is


def ask(cluster, method: str = "POST", path: str = "/v1/statement", http: bool = False, **options) -> requests.Response:
    """One request to the consumer, by TLS unless `http`."""
    base = f"http://{HOST}:{cluster.consumer_port}" if http else f"https://{HOST}:{cluster.consumer_https_port}"
    data = {"data": "select 1"} if method == "POST" else {}
    with cluster.tls() as session:
        return session.request(method, base + path, timeout=30, **data | options)


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | headers


def test_a_key_opens_until_another_is_given(cluster):
    def give(name: str) -> str:
        command = [CONSUMER / "key.sh", cluster.secrets / "password.db", name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def opens(key: str) -> bool:
        return ask(cluster, auth=("alice", key), headers={"X-Trino-User": "alice"}).status_code == 200

    def until(met) -> None:
        deadline = time.monotonic() + 30
        while not met():
            assert time.monotonic() < deadline, "the password file is not read again"
            time.sleep(0.5)

    bob, first = give("bob"), give("alice")
    until(lambda: opens(first))
    assert not opens(bob) and not opens("") and not opens(first + "x")
    second = give("alice")
    until(lambda: opens(second))
    assert not opens(first)
    stored = (cluster.secrets / "password.db").read_text()
    assert first not in stored and second not in stored and stored.count("$2y$10$") == 2


def test_tokens_of_others_are_refused(cluster):
    public = (cluster.secrets / "jwt.pub").read_text()
    ours = cluster.token("alice")
    head, body, _ = ours.split(".")
    other = jwt.encode({"sub": "alice", "exp": time.time() + 600}, "x" * 40, "HS256")
    unsigned = jwt.encode({"sub": "alice", "exp": time.time() + 600}, None, "none")
    confused = _hs256_with(public, {"sub": "alice", "exp": int(time.time()) + 600})
    late = cluster.token("alice", exp=time.time() - 60)
    early = cluster.token("alice", nbf=time.time() + 600)
    assert ask(cluster, headers=bearer(ours, **{"X-Trino-User": "alice"})).status_code == 200
    for token in (other, unsigned, confused, late, early, f"{head}.{body}.", ours[:-8] + "AAAAAAAA", ""):
        assert ask(cluster, headers=bearer(token, **{"X-Trino-User": "alice"})).status_code == 401, token
    assert ask(cluster, headers={"X-Trino-User": "alice"}).status_code == 401


def _hs256_with(key: str, claims: dict) -> str:
    """A token signed with the public key as if it were a shared one; PyJWT refuses to make it."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    text = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{text}.{part(hmac.digest(key.encode(), text.encode(), 'sha256'))}"


def test_nobody_is_another_or_lifts_a_limit(cluster):
    token = cluster.token("alice")
    for name, value, word in [
        ("X-Trino-User", "internal", "impersonate"),
        ("X-Trino-Session", "query_max_execution_time=1d", "session property"),
        ("X-Trino-Session", "lake.remove_orphan_files_min_retention=0s", "session property"),
        ("X-Trino-Role", "system=ROLE{admin}", "role"),
    ]:
        answer = ask(cluster, headers=bearer(token, **{"X-Trino-User": "alice", name: value}))
        with cluster.tls() as session:
            text = _end(session, answer, bearer(token, **{"X-Trino-User": "alice"}))
        assert "denied" in text.lower() and word in text, text


def _end(session: requests.Session, answer: requests.Response, headers: dict) -> str:
    """The text of a statement's last page."""
    while answer.ok and (following := answer.json().get("nextUri")):
        answer = session.get(following, headers=headers, timeout=30)
    return answer.text


def test_plain_http_is_for_the_nodes_alone(cluster):
    for headers in ({"X-Trino-User": "alice"}, bearer(cluster.token("alice"), **{"X-Trino-User": "alice"})):
        assert ask(cluster, http=True, headers=headers).status_code in (401, 403)
    for headers in ({}, {"X-Trino-Internal-Bearer": cluster.token("alice")}):
        assert ask(cluster, "GET", "/v1/task", http=True, headers=headers).status_code in (401, 403, 404)
        assert ask(cluster, "GET", "/v1/memory", http=True, headers=headers).status_code in (401, 403)
    assert ask(cluster, "GET", "/v1/info", http=True).status_code == 200, "for health checks"


def test_readers_see_their_own_queries_and_no_machinery(cluster):
    assert cluster.query("consumer", "select 'of alice'", user="alice") == [["of alice"]]
    mine, others = (ask(cluster, "GET", "/v1/query", headers=bearer(cluster.token(u))) for u in ("alice", "bob"))
    own = [query for query in mine.json() if query["query"] == "select 'of alice'"]
    assert own and "of alice" not in others.text
    other = ask(cluster, "GET", f"/v1/query/{own[0]['queryId']}", headers=bearer(cluster.token("bob")))
    assert other.status_code == 403 and "of alice" not in other.text
    token = bearer(cluster.token("internal"))
    for path in (
        "/v1/node",
        "/v1/thread",
        "/v1/jmx/mbean",
        "/metrics",
        "/v1/resourceGroupState/readers",
        "/ui/api/cluster",
    ):
        assert ask(cluster, "GET", path, headers=token).status_code in (401, 403, 404), path
    stop = {"data": '"SHUTTING_DOWN"', "headers": token | {"Content-Type": "application/json"}}
    assert ask(cluster, "PUT", "/v1/info/state", **stop).status_code == 403


def test_no_secret_is_in_a_log(cluster):
    keys = [cluster.keys[READER], cluster.keys["s3-reader"], (cluster.secrets / "shared-secret").read_text()]
    for log in [cluster.home / "trino-consumer.log", *(cluster.home / "trino-consumer").rglob("*.log")]:
        text = log.read_text(errors="replace")
        assert text and not [key for key in keys if key in text] and cluster.token("x")[:20] not in text, log


# --- what a reader may take


def test_limits(fences, consumer):
    assert outcome(consumer, f"select {'1 + ' * 40_000} 1") == "QUERY_TEXT_TOO_LARGE"
    slowly = "select count(*) from lake.raw.big, unnest(sequence(1, 1000)) u(n) where sin(n) > length(name)"
    assert outcome(fences, slowly) == "EXCEEDED_SCAN_LIMIT"
    assert outcome(fences, BUSY) == "EXCEEDED_CPU_LIMIT"


def test_the_published_limits_are_those_of_the_files():
    text = DOC.read_text()
    limits = [line for line in (CONSUMER / "config.properties").read_text().splitlines() if line.startswith("query.")]
    assert len(limits) > 5
    for line in limits:
        name, value = line.split("=")
        assert f"| `{name}` | {value} |" in text, line
    groups = json.loads((CONSUMER / "resource-groups.json").read_text())["rootGroups"]
    while groups:
        group = groups.pop()
        groups += group.get("subGroups", [])
        row = f"{group['hardConcurrencyLimit']} | {group['maxQueued']} | {group['softMemoryLimit']} |"
        assert f"| `{group['name']}` | {row}" in text, group["name"]


@contextmanager
def heavy(connect, at_once: int = 12):
    """A reader that keeps so many busy statements under way at once."""
    over, cursors = threading.Event(), [connect(user="heavy").cursor() for _ in range(at_once)]

    def keep_busy(cursor) -> None:
        while not over.is_set():
            try:
                cursor.execute(BUSY)
            except trino.exceptions.Error:
                pass

    with ThreadPoolExecutor(at_once) as pool:
        busy = [pool.submit(keep_busy, cursor) for cursor in cursors]
        try:
            yield
        finally:
            over.set()
            while not all(one.done() for one in busy):
                for cursor in cursors:
                    cursor.cancel()
                time.sleep(0.5)


def light(connect, times: int = 7) -> float:
    """Median seconds of a light statement of another reader."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        assert run(connect, LIGHT, "light") == [[2]]
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def slowed(connect, meanwhile) -> float:
    """How many times slower a light statement is while another reader runs heavy ones; `meanwhile()` runs then too."""
    before = light(connect)
    with heavy(connect):
        time.sleep(2)
        beside = light(connect)
        meanwhile()
    return beside / max(before, light(connect))


@pytest.mark.slow
def test_a_heavy_reader_slows_a_light_one_little_and_because_of_resource_groups(fences, consumer, cluster, capsys):
    def queued() -> None:
        token = bearer(cluster.token("heavy"))
        states = [query["state"] for query in ask(cluster, "GET", "/v1/query", headers=token).json()]
        assert states.count("QUEUED") >= 8 and 0 < sum(s in ("RUNNING", "PLANNING") for s in states) <= 2, states

    within, without = slowed(consumer, queued), slowed(fences, lambda: None)
    with capsys.disabled():
        print(f"\nbeside 12 heavy statements a light one takes {within:.1f} x, without resource groups {without:.1f} x")
    assert within <= 3


@pytest.mark.slow
def test_readers_go_on_beside_bombs_that_no_limit_of_memory_counts(consumer):
    """Endless loops and huge texts that the planner computes end with its time; nobody else notices but by waiting."""
    bombs = {
        "u1": "select length(lpad('x', 1500000000, 'x'))",
        "u2": "select length(lpad('y', 1500000000, 'y'))",
        "u3": "select length(lpad('z', 1500000000, 'z'))",
        "u4": "select regexp_like(rpad('a', 30000, 'a') || 'b', '^(a+)+$')",
        "u5": "with function f() returns bigint begin declare i bigint default 0; while true do set i = i + 1;"
        " end while; return i; end select f()",
    }
    with ThreadPoolExecutor(len(bombs)) as pool:
        under_way = [pool.submit(outcome, consumer, sql, user) for user, sql in bombs.items()]
        ended = [one.result() for one in under_way]
    assert ended[3:] == ["EXCEEDED_TIME_LIMIT"] * 2
    assert run(consumer, LIGHT) == [[2]]


@pytest.mark.slow
def test_a_worker_joins_and_works(fences, cluster, tmp_path):
    """With worker.properties, the shared secret and the reader's keys; without what tells who a reader is."""
    etc = tmp_path / "etc"
    shutil.copytree(CONSUMER, etc)
    (etc / "worker.properties").rename(etc / "config.properties")
    (port,) = _free_ports(1)
    coordinator = {"TRINO_COORDINATOR_URI": f"http://{HOST}:{fences.keywords['port']}"}
    server = cluster._start_trino(
        "worker", port, READER, "reader", etc, TRINO_SHARED_SECRET=SHARED_SECRET, **coordinator
    )
    nodes = "select count(*) from system.runtime.nodes where state = 'active'"
    try:
        server.wait_ready(lambda: run(fences, nodes) == [[2]], 300)
        assert run(fences, "select count(*) from lake.raw.shared") == [[2]]
    finally:
        cluster.servers.remove((server, signal.SIGTERM))
        server.stop()
