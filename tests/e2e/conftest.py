"""Builds here are judged by what they publish; the models' own unit tests run with the DAGs and on both engines."""

import pytest


@pytest.fixture(scope="package", autouse=True)
def without_unit_tests():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "unit_test")
        yield
