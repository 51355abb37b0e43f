"""The site as files: the same words as the server's pages, and no link that leads nowhere."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from consumer.site.export import MARK, export, file_of, links, relinked, unpinned
from include.errors import FixNeeded


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def words(html: str) -> list[str]:
    """What a reader sees of a page, word by word, the addresses of its own left out."""
    parser = _Text()
    parser.feed(html)
    return [re.sub(r"(http://(export\.invalid|testserver)|\.\.?/)\S*", "", word) for word in parser.words]


@pytest.fixture(scope="module")
def exported(tools, tmp_path_factory):
    """The folder of an export, and the addresses that did not answer."""
    folder = tmp_path_factory.mktemp("export") / "site"
    return folder, export(tools.serving, folder)


@pytest.fixture(scope="module")
def crawled(tools):
    """Every page of the served site by its address, reached by links, and where each is linked from."""
    waiting, pages, wrong = ["/"], {}, []
    seen = {*waiting}
    while waiting:
        at = waiting.pop()
        answer = tools.client.get(at)
        if answer.status_code != 200:
            wrong.append((at, answer.status_code))
        if "text/html" not in answer.headers["content-type"]:
            continue
        pages[at] = answer.text
        for link in links(answer.text, urlsplit(str(answer.url)).path):
            # a page that answers a question links to more of them than have an end
            if link not in seen and ("?" not in link or "?" not in at):
                seen.add(link)
                waiting.append(link)
    return pages, wrong


def test_every_link_of_every_served_page_answers(crawled):
    pages, wrong = crawled
    assert not wrong
    for path in ("/status", "/data", "/explore", "/scores", "/api", "/about", "/methods", "/projects/alpha"):
        assert path in pages


def test_every_link_of_the_export_leads_to_a_file_of_it(exported):
    folder, broken = exported
    assert not broken
    pages = [*folder.rglob("*.html")]
    assert len(pages) > 20
    for file in pages:
        text = file.read_text()
        assert "export.invalid" not in text
        for _, link, _ in re.findall(r'(\s(?:href|src|action)=")([^"#]*)(["#])', text):
            if link and not urlsplit(link).scheme:
                target = (file.parent / unquote(unescape(link))).resolve()
                assert target.is_file() and target.is_relative_to(folder.resolve()), f"{file}: {link}"


def test_export_and_server_show_the_same_words(exported, crawled):
    folder, _ = exported
    compared = 0
    for at, text in crawled[0].items():
        file = folder / file_of(at, "text/html")
        if file.exists() and not at.startswith("/search"):
            assert words(file.read_text()) == words(text), at
            compared += 1
    assert compared > 20


def test_an_export_is_replaced_whole_and_nothing_else_is_touched(tools, exported, tmp_path):
    folder, _ = exported
    assert (folder / MARK).read_text() == f"release {tools.serving.bundle.release_id}\n"
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    with pytest.raises(FixNeeded, match="not an export"):
        export(tools.serving, other)
    assert [path.name for path in tmp_path.rglob("*")] == ["other", "mine.txt"]


@pytest.mark.parametrize(
    ("link", "media", "file"),
    [
        ("/", "text/html", "index.html"),
        ("/projects/alpha", "text/html", "projects/alpha/index.html"),
        ("/projects/%C3%A4%2F..", "text/html", "projects/%C3%A4%2F../index.html"),
        ("/projects/..", "text/html", "projects/%2E%2E/index.html"),
        ("/projects?page=2", "text/html", "projects/=page=2/index.html"),
        ("/projects/%3Dpage%3D2", "text/html", "projects/%3Dpage%3D2/index.html"),
        ("/api/v1/freshness", "application/json", "api/v1/freshness.json"),
        ("/api/v1/timeseries.csv?project=a&metric=b", "text/csv", "api/v1/timeseries/=project=a&metric=b.csv"),
        ("/static/0/site.css", "text/css", "static/0/site.css"),
    ],
)
def test_an_address_becomes_a_file_below_the_folder(link, media, file):
    assert file_of(link, media) == file
    assert Path("/x", file).resolve().is_relative_to("/x")


FILES = {
    "/": "index.html",
    "/search": "search/index.html",
    "/projects/a%2Fb": "projects/a%2Fb/index.html",
    "/explore": "explore/index.html",
}


@pytest.mark.parametrize(
    ("link", "relative", "absolute"),
    [
        ("/projects/a%2Fb#code", "../projects/a%252Fb/index.html#code", "https://x.org/o/projects/a%252Fb/#code"),
        ("?min=1", "index.html", "https://x.org/o/explore/"),
        ("/", "../index.html", "https://x.org/o/"),
        ("/projects/a%2Fb?release=r1", "../projects/a%252Fb/index.html", "https://x.org/o/projects/a%252Fb/"),
        ("/explore?release=r0", "../search/index.html", "https://x.org/o/search/"),
        ("/graphql", "../search/index.html", "https://x.org/o/search/"),
        ("https://else.org/a", "https://else.org/a", "https://else.org/a"),
        ("#list", "#list", "#list"),
    ],
)
def test_links_lead_from_file_to_file_or_below_an_address(link, relative, absolute):
    text = f'<form data-live="list" action="/explore"></form><a class="x" href="{link}">'
    assert relinked(text, "/explore", FILES, "r1", None) == (
        f'<form action="index.html"></form><a class="x" href="{relative}">'
    )
    assert f'href="{absolute}"' in relinked(text, "/explore", FILES, "r1", "https://x.org/o")


def test_whole_addresses_in_words_lead_below_the_address_too():
    text = "<code>&lt;img src=&#34;http://export.invalid/projects/a%2Fb&#34;&gt;</code>"
    found = relinked(text, "/", FILES, "r1", "https://x.org")
    assert found == "<code>&lt;img src=&#34;https://x.org/projects/a%252Fb/&#34;&gt;</code>"


def test_the_release_that_is_exported_is_left_out_of_addresses():
    assert unpinned("/data?release=r1", "r1") == "/data"
    assert unpinned("/explore?min=1&release=r1&page=2", "r1") == "/explore?min=1&page=2"
    assert unpinned("/data?release=r0", "r1") == "/data?release=r0"
