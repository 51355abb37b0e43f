"""A card holds what a query would answer."""

import orjson
import pytest

from consumer.bundle import Bundle, build_bundle
from consumer.rest import answers
from consumer.rest.endpoint import Ask
from consumer.rest.formats import as_json
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.releases import publish_rows
from tests.consumer.small import ROWS


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    settings = load_settings({"OPENIMPACT_HOME": str(tmp_path_factory.mktemp("home"))})
    publish_rows(settings, ROWS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consumer.cards.AT_ONCE", 2)  # of three projects
        return Serving(settings)


@pytest.mark.parametrize("kind, answered", [("project", answers.project), ("collection", answers.collection)])
@pytest.mark.parametrize("release", ["small", "world", "sql_release"])
def test_every_card_is_what_the_queries_answer(request, release, kind, answered):
    served = request.getfixturevalue(release)
    serving = {"small": lambda: served, "world": lambda: served.serving, "sql_release": lambda: Serving(served[0])}
    bundle = serving[release]().bundle
    ids = [row["id"] for row in bundle.rows(f"select {kind}_id as id from oso.{kind}s_v1")]
    assert ids or kind == "collection"
    for identity in ids:
        answer = answered(Ask(bundle, None, {kind: identity}, "json"))
        rows = bundle.rows(answer.sql, answer.parameters)
        expected = orjson.loads(as_json(answer.about | {"data": rows}))
        assert bundle.cards.card(kind, identity) == expected
        told, counted = bundle.cards.told(kind, identity)
        assert orjson.loads(b"{" + told + b"}") == expected and counted == len(rows)


def test_a_number_that_is_none_is_null_in_a_card(world):
    amounts = {
        key: [row["amount"] for row in world.serving.bundle.cards.card("project", key)["data"]] for key in ("p2", "p3")
    }
    assert amounts == {"p2": [7.5, None], "p3": [None, None]}


def test_an_unknown_id_has_no_card(small):
    with pytest.raises(KeyError):
        small.bundle.cards.card("project", "p-none")


def test_a_release_without_projects_has_no_cards(empty):
    assert Bundle(build_bundle(empty.settings)).cards is not None
    with pytest.raises(KeyError):
        empty.bundle.cards.card("collection", "c")
