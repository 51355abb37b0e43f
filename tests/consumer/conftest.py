"""A served release whose values are worked out by hand, once a run."""

from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.graphql_world import publish_world


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The release, what serves it, and a client; `oso` and `hasura` give the body of an answer by GraphQL."""
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("world"))})
    release = publish_world(settings)
    serving = Serving(settings)
    with TestClient(create_app(serving)) as client:

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
