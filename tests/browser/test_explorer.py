"""The GraphQL explorer in a browser: it runs queries, shows the schema, keeps its state in the address."""

import pytest

from include.settings import load_settings
from tests.consumer.graphql_world import publish_world
from tests.consumer.processes import served


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    publish_world(load_settings({"OPENIMPACT_HOME": str(home)}))
    with served(home) as address:
        yield address


@pytest.fixture
def page(chromium, address):
    page = chromium.new_page(base_url=address)
    page.asked = []
    page.failures = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    yield page
    assert not page.failures
    assert all(url.startswith(address) for url in page.asked)
    page.close()


def test_it_runs_a_query_and_back_brings_the_one_before(page, shoot):
    page.goto("/graphql")
    page.get_by_role("button", name="Run").click()
    page.locator("#answer", has_text='"projectName": "alpha"').wait_for()
    assert page.locator("#release").inner_text().startswith("Release ")
    page.get_by_role("textbox", name="Query").fill("{ oso_codeMetricsByProjectV1(limit: 1) { forkCount } }")
    page.keyboard.press("Control+Enter")
    page.locator("#answer", has_text='"forkCount": 9007199254740993').wait_for()
    shoot(page, "graphql-explorer")
    page.go_back()
    page.wait_for_url("**oso_projectsV1**")
    assert "oso_projectsV1" in page.get_by_role("textbox", name="Query").input_value()


def test_a_link_brings_style_query_and_variables(page):
    page.goto(
        "/graphql#endpoint=/v1/graphql&query=query($n:Int){projects_v1(limit:$n){project_name}}&variables={%22n%22:1}"
    )
    page.get_by_role("button", name="Run").click()
    page.locator("#answer", has_text='"project_name": "alpha"').wait_for()
    assert "beta" not in page.locator("#answer").inner_text()


def test_the_schema_is_found_by_a_word_and_explains_its_fields(page):
    page.goto("/graphql")
    page.get_by_label("Find a table or type").fill("keymetricsbyproject")
    page.get_by_text("Oso_KeyMetricsByProjectV1", exact=True).click()
    page.get_by_text("Id of the project", exact=False).first.wait_for()


def test_an_answer_is_shown_as_text_whatever_it_holds(page):
    page.goto("/graphql#query={ a%3Cimg src=x onerror=alert(1)%3E }")
    page.get_by_role("button", name="Run").click()
    page.locator("#answer", has_text="Syntax Error").wait_for()
    assert page.locator("#answer img").count() == 0
