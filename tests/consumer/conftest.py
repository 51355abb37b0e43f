"""A served release whose values are worked out by hand, once a run."""

import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.conftest import ROOT
from tests.consumer.graphql_world import publish_world


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The release, what serves it, and a client; `oso` and `hasura` give the body of an answer by GraphQL."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("world"))})
    release = publish_world(settings)
    serving = Serving(settings)
    with TestClient(create_app(serving, {"anonymous": Tier(10_000_000, None, None)})) as client:

        def ask(path):
            def one(query, **variables):
                return client.post(path, json={"query": query, "variables": variables}).json()

            return one

        yield SimpleNamespace(
            settings=settings,
            release=release,
            serving=serving,
            client=client,
            oso=ask("/api/v1/graphql"),
            hasura=ask("/v1/graphql"),
        )


@pytest.fixture(scope="session")
def address(world):
    """The address of a server process of its own that serves the same release."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "consumer", "serve", "--port", str(port)]
    environment = os.environ | {"OPENIMPACT_HOME": str(world.settings.home)}
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{address}/healthz").is_success:
                    break
            except httpx.ConnectError:
                assert server.poll() is None, "the server ended"
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)
