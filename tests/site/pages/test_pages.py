"""The pages show the numbers of the release, lead to one address each, and say what is wrong."""

import csv
import re
from html import unescape
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from consumer.app import create_app
from consumer.serving import Serving
from consumer.site import static
from consumer.site.export import links
from include.settings import load_settings
from tests.conftest import ROOT
from tests.site.pages.world import ALPHA, TWINS

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = (
    "/",
    "/projects",
    "/projects/alpha",
    "/projects/gamma",
    "/collections",
    "/collections/both",
    "/collections/hollow",
    "/artifacts/github/org/alpha",
    "/artifacts/npm/%40org/alpha-kit",
    "/metrics",
    "/metrics/GITHUB_commits_over_30_day_period",
    "/metrics/GITHUB_commits_weekly",
    "/search?q=alpha+kit",
    "/search",
)


def words_of(html: str) -> str:
    """The text of a page, its spaces made one."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_its_release_and_has_no_inline_script_or_style(site, path):
    html = site.text(path)
    assert site.release.release_id in html
    assert not re.findall(r"<script(?! src=)|<style|\sstyle=|\son\w+=", html)
    assert html.count("<h1") == 1
    assert "None" not in words_of(html)


def test_a_project_shows_its_numbers_with_day_quality_and_change(site):
    words = words_of(site.text("/projects/alpha"))
    assert "Commits 30 days 1.23 M +23 % · as of 2026-11-01" in words
    assert "Active developers 30 days 7 partial as of 2026-11-01" in words
    assert "Stars in all not known" in words
    assert "Downloads 30 days 0 as of 2026-11-01" in words
    assert "Funding received not measured" in words


def test_the_exact_value_of_a_short_number_is_at_hand(site):
    html = site.text("/projects/alpha")
    assert 'title="1,234,567">1.23 M<' in html
    assert "25 % of the days this number needs were seen whole" in html


def test_a_window_without_a_case_is_no_zero(site):
    row = re.search(r"Time to merge median.*?</tr>", site.text("/projects/alpha"), re.S)[0]
    assert "no case" in words_of(row)


def test_numbers_of_a_page_are_those_of_the_api(site):
    told = site.client.get("/api/v1/projects/beta").json()["data"]
    html = site.text("/projects/beta")
    assert {row["metric_name"]: row["amount"] for row in told}[
        "OPEN_COLLECTIVE_funding_received_over_180_day_period"
    ] == -12.5
    assert 'title="-12.5 USD"' in html


def test_the_table_behind_a_chart_tells_zero_from_not_measured(site):
    table = re.search(r"<h3>Commits per week</h3>.*?</figure>", site.text("/projects/alpha"), re.S)[0]
    rows = [words_of(row).strip() for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)[1:]]
    assert rows == [
        "2026-10-26 8 ok",
        "2026-10-19 3 partial",
        "2026-10-12 not measured unknown",
        "2026-10-05 0 ok",
        "2026-09-28 5 ok",
        "2026-09-21 0 ok",
        "2026-09-14 0 ok",
        "2026-09-07 0 ok",
        "2026-08-31 0 partial",
    ]


def test_absent_families_are_named_in_one_line(site):
    assert "No npm package is listed. No contract or address is listed." in words_of(site.text("/projects/beta"))


def test_links_of_projects_lead_to_the_web_only_and_endorse_nothing(site):
    html = site.text("/projects/alpha") + site.text("/artifacts/npm/%40org/alpha-kit")
    assert "javascript:" not in html
    assert '<a href="https://alpha.example/" rel="nofollow ugc noopener">alpha.example</a>' in html


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/projects/Alpha", "/projects/alpha"),
        (f"/projects/{ALPHA}", "/projects/alpha"),
        ("/projects/org/alpha", "/projects/alpha"),
        ("/projects/https://github.com/org/alpha", "/projects/alpha"),
        ("/projects/@org/alpha-kit", "/projects/alpha"),
        ("/projects/org/old-gamma", "/projects/gamma"),
        ("/projects/Alpha?release=current", "/projects/alpha?release=current"),
        ("/collections/BOTH", "/collections/both"),
        ("/artifacts/GITHUB/Org/Alpha", "/artifacts/github/org/alpha"),
        ("/metrics/commits", "/metrics/GITHUB_commits_over_30_day_period"),
        ("/metrics/github_commits_weekly", "/metrics/GITHUB_commits_weekly"),
    ],
)
def test_every_other_spelling_leads_to_the_one_address(site, asked, to):
    answer = site.client.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (301, to)


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("alpha", "/projects/alpha"),
        ("ALPHA", "/projects/alpha"),
        ("https://github.com/org/alpha", "/artifacts/github/org/alpha"),
        ("@org/alpha-kit", "/artifacts/npm/%40org/alpha-kit"),
        ("GITHUB_commits_weekly", "/metrics/GITHUB_commits_weekly"),
    ],
)
def test_one_exact_hit_of_a_search_is_shown_at_once(site, asked, to):
    answer = site.client.get("/search", params={"q": asked})
    assert (answer.status_code, answer.headers["location"]) == (302, to)


def test_a_search_forgives_a_wrong_letter_and_says_where_nothing_is_alike(site):
    assert 'href="/projects/alpha"' in site.text("/search?q=alpah")
    assert "Nothing is called like “zzzzzz”" in site.text("/search?q=zzzzzz")
    assert site.client.get("/search", params={"q": "a" * 301}).status_code == 400


def test_projects_of_one_name_have_their_ids_as_addresses(site):
    answer = site.client.get("/projects/twin")
    assert answer.status_code == 400
    assert all(f'href="/projects/{key}"' in answer.text for key in TWINS)
    assert site.client.get(f"/projects/{TWINS[0]}").status_code == 200


def test_the_day_since_which_a_source_tells_no_more_is_marked_in_the_charts_of_what_it_told(site):
    note = "12 Oct 2026: pushes carry no commits"
    assert site.text("/projects/alpha").count(f"<title>{note}</title>") == 1
    pictures = [f"/charts/project/alpha/GITHUB_{name}_weekly.svg" for name in ("commits", "time_to_merge_median")]
    assert [note in site.text(picture) for picture in pictures] == [True, False]
    assert note not in site.text(f"{pictures[0]}?from=2026-10-19")
    assert note in site.text("/compare?projects=alpha,beta&metric=GITHUB_commits_weekly")


def test_every_reason_for_which_nothing_is_told_any_more_can_be_marked():
    with (ROOT / "dbt" / "seeds" / "archive_caps.csv").open() as file:
        reasons = {
            row["reason"]: row["from_day"]
            for row in csv.DictReader(file)
            if row["status"] == "none" and row["to_day"] == "9999-12-31"
        }
    assert reasons and all(reason.endswith(f" since {day}") for reason, day in reasons.items())


@pytest.mark.parametrize("page", ["/projects/alpha", "/artifacts/github/org/alpha"])
def test_what_can_be_done_with_a_chart_is_there(site, page):
    found = [link for link in links(site.text(page), page) if "GITHUB_commits_weekly" in link]
    assert len(found) == 7
    assert {link: site.client.get(link).status_code for link in found} == dict.fromkeys(found, 200)


def test_an_artifact_of_several_projects_lets_the_reader_choose(site):
    answer = site.client.get("/projects/org/shared")
    assert answer.status_code == 400
    assert 'href="/projects/alpha"' in answer.text and 'href="/projects/beta"' in answer.text


def test_a_page_that_is_not_there_suggests_names_to_people_and_tells_programs_in_json(site):
    answer = site.client.get("/projects/alpah")
    assert answer.status_code == 404
    assert '<a href="/projects/alpha">alpha</a>' in answer.text
    told = site.client.get("/projects/alpah", headers={"accept": "application/json"})
    assert told.headers["content-type"] == "application/problem+json"
    assert site.client.get("/api/v1/projects/alpah").headers["content-type"] == "application/problem+json"
    assert "Nothing is at /nowhere." in words_of(site.client.get("/nowhere").text)


def test_before_the_first_release_a_page_says_what_comes(tmp_path):
    app = create_app(Serving(load_settings({"OPENIMPACT_HOME": str(tmp_path)})))
    answer = TestClient(app).get("/projects/alpha", headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "Nothing was released yet." in words_of(answer.text)


def test_what_fails_here_is_said_without_its_details(site, monkeypatch):
    monkeypatch.setattr("consumer.site.home.page", lambda *_, **__: 1 / 0)
    answer = TestClient(site.client.app, raise_server_exceptions=False).get(
        "/?release=current", headers={"accept": "text/html"}
    )
    assert answer.status_code == 500
    assert "This failed here" in answer.text and "ZeroDivision" not in answer.text


def test_a_leaderboard_sorts_by_any_metric_and_puts_the_unknown_last(site):
    def order(query):
        return re.findall(r'<th scope="row"><a href="/projects/(\w+)"', site.text(f"/collections/both{query}"))

    assert order("") == ["gamma", "alpha", "beta"]
    assert order("?order=asc") == ["alpha", "gamma", "beta"]
    assert order("?sort=GITHUB_commits_over_30_day_period") == ["alpha", "beta", "gamma"]
    assert order("?sort=name&order=desc") == ["gamma", "beta", "alpha"]
    assert order("?q=söh") == ["beta"]
    assert "No project here has “%” in its name." in words_of(site.text("/collections/both?q=%25"))


@pytest.mark.parametrize("query", ["sort=nothing", "order=up", "page=0", "page=x"])
def test_a_wrong_state_of_a_leaderboard_is_refused_with_what_is_possible(site, query):
    answer = site.client.get(f"/projects?{query}")
    assert answer.status_code == 400
    assert query.split("=")[1] in words_of(answer.text)


def test_a_metric_says_what_it_means_how_it_is_computed_and_how_well_it_was_seen(site):
    words = words_of(site.text("/metrics/GITHUB_commits_over_30_day_period"))
    assert "What commits means." in words
    assert "select commits from events" in words
    assert "Alpha had 1,234,567 over 30 days until 2026-11-01" in words
    assert "it is ok for 2." in words
    assert "commits archive 2026-09-01 2026-11-01 ok CC-BY-4.0" in words
    assert "metrics: 1 models, 3 tests" in words


def test_the_feed_has_the_whole_weeks_newest_first(site):
    feed = ElementTree.fromstring(site.client.get("/projects/alpha/feed.atom").content)
    entries = [
        (entry.find(f"{ATOM}title").text, entry.find(f"{ATOM}content").text) for entry in feed.findall(f"{ATOM}entry")
    ]
    assert entries[0] == ("Alpha: 2026-10-26 to 2026-11-01", "Commits: 8")
    assert entries[1] == ("Alpha: 2026-10-19 to 2026-10-25", "Commits: 3 (partial)")
    assert entries[2] == ("Alpha: 2026-10-12 to 2026-10-18", "Commits: not measured")
    assert 'href="/projects/alpha/feed.atom"' in site.text("/projects/alpha")


def test_every_address_of_the_sitemap_is_there(site):
    tree = ElementTree.fromstring(site.client.get("/sitemap.xml").content)
    paths = [loc.text.removeprefix("http://testserver") for loc in tree.iter() if loc.tag.endswith("loc")]
    assert {
        "/projects/alpha",
        f"/projects/{TWINS[0]}",
        "/collections/both",
        "/metrics/GITHUB_stars_total_daily",
    } <= set(paths)
    for path in paths:
        if path.startswith(("/projects", "/collections", "/metrics")):
            assert site.client.get(path).status_code == 200, path


def test_the_address_of_whoever_asks_is_in_no_answer_to_another(site):
    evil = site.client.get("/projects/alpha", headers={"host": "evil.example"})
    assert "http://evil.example/projects/alpha" in evil.text
    assert "evil.example" not in site.text("/projects/alpha")


def test_robots_and_the_contact_for_holes_are_told(site):
    assert "Disallow: /api/" in site.text("/robots.txt")
    assert "Contact: mailto:safe@example.org\nExpires: " in site.text("/.well-known/security.txt")


def test_files_are_kept_for_good_under_their_checksums(site):
    answer = site.client.get(static.static("site.css"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert site.client.get("/static/000000000000/site.css").status_code == 404
    assert site.client.get(f"/static/{static.SUMS['site.css']}/..%2Fpages.py").status_code == 404
