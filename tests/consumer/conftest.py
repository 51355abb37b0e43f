"""A served release whose values are worked out by hand, once a run."""

from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from consumer import keys as keys_module
from consumer.app import create_app
from consumer.keys import Keys
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer import processes
from tests.consumer.graphql_world import publish_world
from tests.consumer.in_thread import served
from tests.consumer.releases import publish_rows


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
    with processes.served(world.settings.home) as address:
        yield address


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """What serves a release whose tables have no rows."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_rows(settings, {})
    return Serving(settings)


@pytest.fixture
def keys(empty, monkeypatch):
    """The keys of `empty`, none so far, never from a cache."""
    monkeypatch.setattr(keys_module, "CACHED_S", 0)
    keys = Keys(empty.settings.home)
    keys.path.unlink(missing_ok=True)
    return keys


@pytest.fixture(scope="session")
def sql_release(tmp_path_factory):
    """Settings and release of three projects with awkward names, whose stars are known, unknown and infinite."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("sql"))})
    names = {"a": ("able", "\xe4\u2028\u0085b"), "b": ("it's", "=1+1"), "c": ("\xe4", "c")}
    projects = [
        {"project_id": key, "project_name": name, "display_name": shown} for key, (name, shown) in names.items()
    ]
    stars = [
        {"project_id": key, "metric_id": "stars", "amount": amount, "quality": quality}
        for key, amount, quality in (("a", 7.0, "ok"), ("b", None, "unknown"), ("c", float("inf"), "ok"))
    ]
    return settings, publish_rows(settings, {"projects_v1": projects, "key_metrics_by_project_v1": stars})


@pytest.fixture(scope="session")
def sql_url(sql_release):
    """The address of a server of `sql_release` in a thread, so that a test can change its limits."""
    with served(sql_release[0]) as address:
        yield address
