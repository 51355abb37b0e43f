"""Whatever is asked, REST answers as its OpenAPI document says and never fails."""

import itertools

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from consumer.app import create_app
from consumer.limits import Tier
from consumer.serving import Serving
from include.settings import load_settings
from tests.consumer.releases import publish_rows
from tests.consumer.small import ROWS

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cases", [100, pytest.param(5000, marks=pytest.mark.slow)])
def test_no_request_fails_and_every_answer_is_as_documented(tmp_path, cases):
    home = load_settings({"OPENIMPACT_HOME": str(tmp_path)})
    publish_rows(home, ROWS)
    app = create_app(Serving(home), {"anonymous": Tier(10_000_000, None, None)})
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 50
    asked = []
    for operation, mode in itertools.product(operations, schemathesis.GenerationMode):

        @settings(
            max_examples=-(-cases // len(operations) // 2),
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            answer = case.call()
            asked.append(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        ask()
    assert len(asked) >= cases and asked.count(200) > 10
