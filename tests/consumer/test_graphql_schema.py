"""The schema only grows: what a client of today asks is there tomorrow."""

import gc
import weakref
from dataclasses import replace

import pytest
from graphql import build_schema, find_breaking_changes, lexicographic_sort_schema, print_schema

from consumer.bundle import Bundle, build_bundle
from consumer.graphql.api import _endpoint
from consumer.graphql.execute import Request
from consumer.graphql.schema import HASURA, OSO, camel, relations
from consumer.graphql.schema import build_schema as generate
from tests.consumer.graphql_sdl import FILES, sdl


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_that_a_client_may_use_was_taken_away(file):
    before, now = build_schema(file.read_text()), build_schema(sdl(FILES[file]))
    broken = [change.description for change in find_breaking_changes(before, now)]
    assert not broken, f"clients break, so keep these and add others beside them: {broken}"
    assert print_schema(lexicographic_sort_schema(before)) == print_schema(lexicographic_sort_schema(now)), (
        "the schema has grown: accept it by `python -m tests.consumer.graphql_sdl` and commit the files"
    )


def test_a_field_that_goes_is_called_breaking(tmp_path):
    (file,) = [file for file in FILES if file.stem == "schema_oso"]
    before = build_schema(file.read_text())
    now = build_schema(file.read_text().replace("  projectName: String!\n", "", 1))
    assert [change.description for change in find_breaking_changes(before, now)] == [
        "Oso_ProjectsV1.projectName was removed."
    ]


def test_every_published_table_has_its_root_fields_in_both_styles(world):
    tables = world.serving.bundle.tables
    oso, hasura = (generate(tables, style).query_type.fields for style in (OSO, HASURA))
    assert {f"oso_{camel(name)}{suffix}" for name in tables for suffix in ("", "Aggregate")} == set(oso)
    assert {f"{name}{suffix}" for name in tables for suffix in ("", "_aggregate")} < set(hasura)
    for name, table in tables.items():
        assert set(oso[f"oso_{camel(name)}"].type.of_type.of_type.fields) >= {camel(c.name) for c in table.columns}


def test_a_release_with_other_rows_and_the_same_tables_has_the_same_schema(world):
    tables = world.serving.bundle.tables
    other = {name: replace(table, rows=table.rows + 1) for name, table in tables.items()}
    assert generate(other, OSO) is generate(tables, OSO)


def test_relations_follow_the_dictionary_both_ways_and_never_hide_a_column(world):
    tables = world.serving.bundle.tables
    found = relations(tables, tables["key_metrics_by_project_v1"])
    assert {name: (r.table, r.many) for name, r in found.items()} == {
        "metric_by_id": ("metrics_v1", False),
        "project": ("projects_v1", False),
    }
    of_project = relations(tables, tables["projects_v1"])
    assert of_project["code_metrics_by_project_v1"].many is False
    assert of_project["onchain_metrics_by_project_v1"].many is True
    for table in tables.values():
        assert not {column.name for column in table.columns} & set(relations(tables, table))


def test_a_bundle_that_nobody_serves_any_more_is_let_go(world):
    bundle = Bundle(build_bundle(world.settings))
    answer = _endpoint(bundle, OSO).answer(bundle, Request("{ oso_projectsV1 { projectName } }"))
    assert answer.rows == 3
    kept = weakref.ref(bundle)
    del bundle
    gc.collect()
    assert kept() is None
