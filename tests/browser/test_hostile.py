"""Whatever a name, a description, an address or a label says: no page runs it, and no page asks another host."""

import re
from html.parser import HTMLParser
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.browser.hostile import PAYLOADS, publish_hostile
from tests.consumer.processes import served

KEYS = [f"{place:032x}" for place in range(len(PAYLOADS))]
PAGES = [
    "/",
    *(f"/projects?sort=name&page={number}" for number in (1, 2, 3, 4)),
    "/projects?sort=GITHUB_active_developers_over_30_day_period",
    "/collections?sort=name",
    f"/collections/{KEYS[0]}",
    "/metrics",
    "/metrics/GITHUB_active_developers_over_30_day_period",
    "/explore",
    "/scores",
    "/status",
    "/data",
    "/data/projects_v1",
    "/about",
    "/methods",
    "/api",
    f"/compare?projects={KEYS[0]},{KEYS[1]}",
    *(f"/projects/{key}" for key in KEYS[::20]),
    *(f"/metrics/{key}" for key in KEYS[::40]),
    *(f"/embed/project/{key}/GITHUB_commits_weekly" for key in KEYS[::40]),
    *(f"/search?q={quote(payload, safe='')}" for payload in PAYLOADS[::10]),
    *(f"/nowhere/{quote(payload, safe='')}" for payload in PAYLOADS[::20]),
]
REPORT = """
    window.refused = [];
    addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_hostile(settings)
    return settings


@pytest.fixture(scope="module")
def address(settings):
    with served(settings.home) as address:
        yield address


@pytest.fixture(scope="module")
def client(settings):
    """A client in process, which may ask without a limit."""
    app = create_app(Serving(settings), {"anonymous": Tier(10_000_000, None, None)})
    with TestClient(app, headers={"accept": "text/html"}) as client:
        yield client


def test_there_are_200_payloads_and_each_is_in_the_release(client):
    assert len(set(PAYLOADS)) == 200
    told = client.get("/api/v1/projects?limit=1000").json()["data"]
    assert sorted(row["display_name"] for row in told) == sorted(PAYLOADS)


def test_no_page_runs_what_a_name_says_nor_asks_another_host(chromium, address):
    page = chromium.new_page(base_url=address)
    dialogs, asked = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(REPORT)
    for path in PAGES:
        answer = page.goto(path)
        assert answer.status in (200, 400, 404), path
        page.mouse.move(300, 300)
        assert page.url.startswith(address), path
        assert page.evaluate("window.refused") == [], path
        assert page.evaluate("[...document.scripts].map((one) => new URL(one.src).origin)") == [
            address
        ] * page.evaluate("document.scripts.length"), path
    assert dialogs == []
    assert [url for url in asked if not url.startswith(address)] == []
    page.close()


class Markup(HTMLParser):
    """Collects what of a page could act: elements that load or run, attributes of events, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        self.found += [f"{tag} {name}" for name in names if name.startswith("on") or name == "style"]
        self.found += [
            tag for _ in [tag] if tag in ("iframe", "object", "base", "embed", "style", "math", "img", "image")
        ]
        for name, value in attrs:
            if name in ("href", "src", "action") and not re.match(r"(https?://|/|\?|#)", value or ""):
                self.found.append(f"{tag} {name}={value}")
            if name == "src" and not (value or "").startswith("/"):
                self.found.append(f"{tag} {name}={value}")


def test_the_page_of_every_payload_holds_no_markup_of_it(client):
    for place, (key, payload) in enumerate(zip(KEYS, PAYLOADS, strict=True)):
        others = (f"/metrics/{key}", f"/search?q={quote(payload, safe='')}") if place % 5 == 0 else ()
        for path in (f"/projects/{key}", *others):
            answer = client.get(path)
            parser = Markup()
            parser.feed(answer.text)
            assert answer.status_code == 200, path
            assert parser.found == [], (path, payload)


@pytest.mark.parametrize(
    "path",
    [
        "/projects/{}/feed.atom",
        "/badges/project/{}/GITHUB_active_developers_over_30_day_period.svg",
        "/charts/project/{}/GITHUB_commits_weekly.svg",
    ],
)
def test_pictures_and_feeds_of_every_payload_are_well_formed_and_hold_no_script(client, path):
    for key in KEYS[::3]:
        answer = client.get(path.format(key))
        assert answer.status_code == 200, answer.text
        elements = list(ElementTree.fromstring(answer.content).iter())
        tags = {element.tag.rpartition("}")[2] for element in elements}
        assert not tags & {"script", "foreignObject", "image", "iframe", "style", "a"}
        assert not [name for element in elements for name in element.attrib if name.startswith("on")]
