"""What tests of several sources share: time that does not pass, and questions checked by the recorded schemas."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import graphql
import pytest
from graphql import NoDeprecatedCustomRule, ValidationRule, specified_rules


class PagesAreBounded(ValidationRule):
    """GitHub reads nodes of a connection only with `first` or `last` from 1 to 100."""

    def enter_field(self, node, *_) -> None:
        """Reports a connection whose nodes are read without one."""
        reads = (
            {s.name.value for s in node.selection_set.selections if hasattr(s, "name")} if node.selection_set else ()
        )
        pages = [a.value for a in node.arguments if a.name.value in ("first", "last")]
        sizes = [int(v.value) for v in pages if isinstance(v, graphql.IntValueNode)]
        if {"nodes", "edges"} & set(reads) and str(self.context.get_type()).rstrip("!").endswith("Connection"):
            if not sizes or not 1 <= sizes[0] <= 100:
                self.report_error(graphql.GraphQLError(f"{node.name.value} needs first or last, 1 to 100", node))


GITHUB = (NoDeprecatedCustomRule, PagesAreBounded)


@pytest.fixture(scope="session")
def problems(recordings) -> Callable[..., list[str]]:
    """`problems(upstream, text, *rules)`: what a server with the recorded schema, and these rules, would refuse."""

    @cache
    def schema(upstream: str) -> graphql.GraphQLSchema:
        text = gzip.decompress((recordings / upstream / "schema.graphql.gz").read_bytes()).decode()
        return graphql.build_schema(text, assume_valid=True, no_location=True)

    @cache
    def found(upstream: str, text: str, *rules: type[ValidationRule]) -> list[str]:
        errors = graphql.validate(schema(upstream), graphql.parse(text), [*specified_rules, *rules])
        return [error.message for error in errors]

    return found


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """Seconds that GitHub's and BigQuery's clients waited: none passes, and GitHub's clock runs ahead by them."""
    from include.sources import _bigquery_client, _github_api_client

    found: list[float] = []

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=sum(found))

    patient = _bigquery_client._PatientSession.__init__

    def patched(self, session, sleep, cost):
        patient(self, session, found.append, cost)

    monkeypatch.setattr(_bigquery_client._PatientSession, "__init__", patched)
    monkeypatch.setattr(_github_api_client, "datetime", Clock)
    monkeypatch.setattr(_github_api_client, "sleep", found.append)
    return found
