"""What the stand-ins answer to a question."""

import pytest

from demo.graphql import Refused, execute, parse


def broken(**_):
    raise Refused("Oops", "no")


CAT = {"__types": {"Animal", "Cat"}, "name": "Tom", "lives": 9, "kin": [{"age": 1}, {"age": broken}]}
DOG = {"__typename": "Dog", "name": "Rex", "bark": lambda times=1, how="LOUD": f"{how} {times}"}
ROOT = {"cat": CAT, "dog": DOG, "none": None, "broken": broken}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ a: cat { name } dog { n: name } none { x } }", {"a": {"name": "Tom"}, "dog": {"n": "Rex"}, "none": None}),
        ("{ cat { ...F ... on Dog { bark } } } fragment F on Animal { lives }", {"cat": {"lives": 9}}),
        ("query ($t: Int, $h: How) { dog { bark(times: $t, how: $h) } }", {"dog": {"bark": "LOUD 3"}}),
        ("{ dog { bark(how: SOFT) ... on Cat { lives } } }", {"dog": {"bark": "SOFT 1"}}),
    ],
)
def test_fields_aliases_fragments_and_arguments(text, data):
    assert execute(parse(text, {"t": 3}), ROOT) == (data, [])


def test_an_error_makes_its_own_field_null_and_has_its_path():
    data, errors = execute(parse("{ b: broken cat { kin { age } wings } }"), ROOT)
    assert data == {"b": None, "cat": {"kin": [{"age": 1}, {"age": None}], "wings": None}}
    assert [(path, error.code) for path, error in errors] == [
        (["b"], "Oops"),
        (["cat", "kin", 1, "age"], "Oops"),
        (["cat", "wings"], "undefinedField"),
    ]
    assert execute(parse("{ b: broken cat { name } }"), ROOT, {"broken"})[0] is None


DEEP = "{ a" * 9999 + "}" * 9999, "{ a(b: " + "[" * 9999 + "]" * 9999 + ") }"


@pytest.mark.parametrize("text", ["", "{", "fragment F on Cat { name }", "{ a }" * 2, *DEEP, "{ a b c d e }"])
def test_what_is_no_question_is_refused(text):
    with pytest.raises(Refused):
        parse(text, max_tokens=5 if text.endswith("e }") else None)
