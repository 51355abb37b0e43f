"""The hand-written release of the pages, served in process."""

from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.site.pages.world import publish_pages


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The release, its bundle, and a browser-like client that follows no redirect; `text(path)` is a page of 200."""
    contact = {"OPENIMPACT_SECURITY_CONTACT": "mailto:safe@example.org"}
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("site"))} | contact)
    release = publish_pages(settings)
    serving = Serving(settings)
    app = create_app(serving, {"anonymous": Tier(10_000_000, None, None)})
    with TestClient(app, follow_redirects=False, headers={"accept": "text/html"}) as client:

        def text(path: str) -> str:
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            return answer.text

        yield SimpleNamespace(release=release, serving=serving, bundle=serving.bundle, client=client, text=text)
