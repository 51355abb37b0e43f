"""Whatever valid document is asked, GraphQL answers it or says why not, and never fails."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

SCALARS = {
    ("Int64", "bigint"): st.integers().map(nodes.Int),
    ("Float64", "float8"): st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float),
    ("Date", "date"): (st.dates().map(str) | st.text()).map(nodes.String),
    ("Timestamptz", "timestamptz"): (st.datetimes(timezones=st.timezones()).map(str) | st.text()).map(nodes.String),
}
for names, strategy in SCALARS.items():
    for name in names:
        scalar(name, strategy)


@pytest.mark.parametrize("path", ["/api/v1/graphql", "/v1/graphql"])
@pytest.mark.parametrize("cases", [50, pytest.param(2500, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_no_document_fails(world, path, cases):
    schema = schemathesis.graphql.from_asgi(path, world.client.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 2 * len(world.serving.bundle.tables)
    operations = operations[:: max(1, 8 * len(operations) // cases)]
    asked, answered = 0, 0
    for operation in operations:

        @settings(
            max_examples=-(-cases // len(operations)),
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case):
            nonlocal asked, answered
            answer = world.client.post(path, json={"query": case.body})
            assert answer.status_code < 500, answer.text
            errors = answer.json().get("errors", [])
            asked += 1
            answered += not errors
            assert not any(error["message"].startswith("The server") for error in errors), (case.body, errors)

        ask()
    assert asked >= cases and answered > asked / 20
