"""A real server keeps answering: slow and greedy clients, idle connections, new releases, what it must not say."""

import itertools
import resource
import socket
import threading
import time
from collections import defaultdict
from urllib.parse import urlsplit

import httpx
import pytest

from consumer import server
from consumer.keys import Keys
from include.settings import load_settings
from tests.consumer import in_thread
from tests.consumer.processes import served
from tests.consumer.releases import publish_rows
from tests.consumer.small import ROWS


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    publish_rows(load_settings({"OPENIMPACT_HOME": str(home)}), ROWS)
    return home


@pytest.fixture(scope="module")
def address(home):
    with served(home) as address:
        yield address


def connect(address):
    at = urlsplit(address)
    return socket.create_connection((at.hostname, at.port), timeout=60)


def read_all(connection):
    found = b""
    try:
        while block := connection.recv(65536):
            found += block
    except ConnectionResetError:
        pass
    return found


def test_a_body_of_a_gigabyte_is_refused_before_it_is_sent(address):
    with connect(address) as connection:
        connection.sendall(b"POST /api/v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\nx")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413") and b"larger than 256 KiB" in answer


def test_a_body_without_a_length_is_cut_off(address):
    block = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with connect(address) as connection:
        connection.sendall(b"POST /api/v1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with pytest.raises(OSError):
            for _ in range(16_384):
                connection.sendall(block)
                sent += len(block)
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize("flood", [b"X: y\r\n" * 200_000, b"X: " + b"y" * 1_000_000], ids=["many", "long"])
def test_a_flood_of_headers_is_cut_off(address, flood):
    with connect(address) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\n" + flood)
        except OSError:
            pass
        answer = read_all(connection)
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_two_thousand_idle_connections_stop_nobody(address):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    idle = []
    try:
        for _ in range(2000):
            connection = connect(address)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            idle.append(connection)
        for connection in idle:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert httpx.get(f"{address}/api/v1/projects").status_code == 200
        assert read_all(idle[0]) == b""  # closed by the server, since it was idle
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"", b""),
        (b"GET /healthz HTTP/1.1\r\nX: y", b"y"),
        (b"POST /api/v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n", b"y"),
    ],
    ids=["nothing", "head", "body"],
)
def test_a_request_that_comes_byte_by_byte_is_given_up(address, begun, more):
    with connect(address) as connection:
        connection.sendall(begun)
        with pytest.raises(OSError):
            for _ in range(int(server.REQUEST_S) * 3):
                time.sleep(1)
                connection.sendall(more or b"")
                if not more and read_all(connection) == b"":
                    raise ConnectionResetError
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_the_protocol_gives_up_what_does_not_end(home):
    """The same as the slow one, with patience of a second."""
    import asyncio

    import uvicorn

    class Hasty(server.Patient):
        request_s = 1

    async def app(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    async def life():
        config = uvicorn.Config(app, port=0, http=Hasty, lifespan="off", log_level="error")
        serving = uvicorn.Server(config)
        task = asyncio.create_task(serving.serve())
        while not serving.started:
            await asyncio.sleep(0.01)
        port = serving.servers[0].sockets[0].getsockname()[1]
        for begun in (b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
            writer.close()
        serving.should_exit = True
        await task

    asyncio.run(asyncio.wait_for(life(), 30))


def test_a_revoked_key_is_refused_within_a_second_and_no_key_is_in_the_log(home, address):
    keys = Keys(home)
    key = keys.add("ada")
    bearer = {"Authorization": f"Bearer {key}"}
    time.sleep(1)
    assert httpx.get(f"{address}/api/v1/limits", headers=bearer).json()["tier"] == "keyed"
    keys.revoke(key[3:11])
    time.sleep(1)
    assert httpx.get(f"{address}/api/v1/limits", headers=bearer).status_code == 401
    httpx.get(f"{address}/api/v1/projects", params={"key": key})
    assert key not in (home / "serve.log").read_text()
    keys.path.unlink()


def test_a_forwarded_address_counts_only_from_a_named_proxy(home):
    def left(address, forwarded):
        answer = httpx.get(f"{address}/api/v1/limits", headers={"X-Forwarded-For": forwarded})
        return int(answer.headers["ratelimit-remaining"])

    with served(home) as address:
        assert left(address, "192.0.2.1") == left(address, "192.0.2.2") + 1
    with served(home, "--trusted-proxies", "127.0.0.1") as address:
        assert left(address, "192.0.2.1") == left(address, "192.0.2.2")


ANSWERS_OF_EACH = 200


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("swaps", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_no_answer_fails_or_is_of_two_releases_while_they_are_swapped(tmp_path, monkeypatch, capsys, swaps):
    """Four ask as fast as they can, every other answer one that must be read from the bundle."""
    monkeypatch.setattr("consumer.app.FOLLOW_EVERY_S", 0.05)
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path)})

    def publish(number):
        rows = [{"project_id": f"{number}-{n}", "project_name": f"{number}-{n}"} for n in range(20)]
        return publish_rows(settings, {"projects_v1": rows}).release_id

    known = {(publish(0), "0")}
    wrong, seen, asked, stop = [], defaultdict(list), itertools.count(), threading.Event()

    def ask():
        with httpx.Client(base_url=address, timeout=60) as client:
            while not stop.is_set():
                number = next(asked)
                path = "/api/v1/projects" + f"?limit={20 + number % 5000}" * (number % 2)
                try:
                    answer = client.get(path)
                except httpx.HTTPError as error:
                    wrong.append(error)
                    continue
                if answer.status_code != 200:
                    wrong.append(answer.text[:200])
                    continue
                body = answer.json()
                release, rows = body["release"], [row["project_id"].split("-") for row in body["data"]]
                named = answer.headers["openimpact-release"] == release and release in answer.headers["etag"]
                if not named or len(rows) != 20 or len({of for of, _ in rows}) != 1:
                    wrong.append((answer.headers, answer.text))
                seen[release, rows[0][0]].append(number)

    def until_seen(release):
        end = time.monotonic() + 300
        while len(seen[release]) < ANSWERS_OF_EACH and not wrong:
            assert time.monotonic() < end, f"{release} was not served"
            time.sleep(0.01)

    with in_thread.served(settings) as address:
        askers = [threading.Thread(target=ask) for _ in range(4)]
        begin = time.monotonic()
        for asker in askers:
            asker.start()
        try:
            until_seen(*known)
            for number in range(1, swaps + 1):
                release = publish(number), str(number)
                known.add(release)
                until_seen(release)
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        seconds = time.monotonic() - begin
    answers = sum(map(len, seen.values()))
    with capsys.disabled():
        print(f"\n{swaps} swaps, {answers:,} answers in {seconds:.0f} s: {answers / seconds:.0f} a second")
    assert wrong == []
    assert seen.keys() == known and answers >= ANSWERS_OF_EACH * (swaps + 1)
