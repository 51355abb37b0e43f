"""The pages of words: every example runs, and what is said of the release is what the release says."""

import re

import pytest

from consumer.site.api import Example, examples


def test_every_example_of_the_api_page_is_answered(tools):
    found = [one for of in examples(tools.serving.bundle).values() for one in of]
    text = tools.client.get("/api").text
    assert len(found) == 7
    for one in found:
        answer = tools.client.post(one.path, json=one.body) if one.body else tools.client.get(one.path)
        assert answer.status_code == 200, one
        assert "errors" not in answer.text, answer.text
        assert one.about in text


def test_an_example_is_one_command_whatever_the_name_of_the_project():
    assert Example("", "/a?b='c'", {"q": "it's"}).curl == (
        """curl -s "$SITE"'/a?b='"'"'c'"'"'' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"q": "it'"'"'s"}'"""
    )


def test_the_limits_are_those_of_the_code(tools):
    assert re.search(r"anybody, by address</th><td[^>]*>600</td><td[^>]*>5,000,000</td>", tools.client.get("/api").text)


def test_methods_count_qualities_and_name_what_is_not_seen(tools):
    text = " ".join(tools.client.get("/methods").text.split())
    # nine newest numbers: five of all time and two of 30 days known, one of each not
    assert "6 are ok, 1 are partial, 2 are unknown" in text
    assert "2026-11-09 to 2026-11-10" in text and "2 of 24 hours &lt;missing&gt;" in text
    assert "GitHub: 1 kind of facts asked for, but never seen." in text


@pytest.mark.parametrize("path", ["/api", "/about", "/methods", "/status", "/data", "/scores", "/explore"])
def test_pages_have_one_heading_and_name_the_release(tools, path):
    text = tools.client.get(path).text
    assert text.count("<h1") == 1
    assert tools.serving.bundle.release_id in text
    assert "<style" not in text and " style=" not in text and "<script>" not in text


@pytest.mark.parametrize("path", ["/api", "/about", "/methods", "/status", "/data", "/scores", "/explore"])
def test_pages_read_where_the_release_has_no_rows(bare, path):
    assert bare.get(path).status_code == 200
