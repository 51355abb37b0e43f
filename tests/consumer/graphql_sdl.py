"""Writes schema_oso.graphql and schema_hasura.graphql; `python -m tests.consumer.graphql_sdl` accepts what they are.

They hold what the generator makes of some tables with every type of column; which tables and columns there are is
promised in dbt/contracts.yml.
"""

import re
from pathlib import Path

from graphql import print_schema

from consumer.bundle import Column, Table
from consumer.graphql.schema import HASURA, OSO, build_schema
from tests.consumer.releases import CONTRACTS

FILES = {Path(__file__).parent / f"schema_{name}.graphql": style for name, style in (("oso", OSO), ("hasura", HASURA))}
TABLES = ("artifacts_v1", "projects_v1", "releases_v1", "scores_by_project_v1")


def sdl(style) -> str:
    """The schema of TABLES in a style, without descriptions: a field a line."""
    tables = {}
    for name in TABLES:
        contract = CONTRACTS[name]
        columns = tuple(
            Column(column, type_.removesuffix("?"), type_.endswith("?"), _referenced(name, column), "")
            for column, type_ in contract["columns"].items()
        )
        tables[name] = Table(name, "", tuple(contract["key"]), columns, 0)
    return re.sub(r'\n\s*"""[\s\S]*?"""', "", "\n" + print_schema(build_schema(tables, style))).lstrip() + "\n"


def _referenced(table: str, column: str) -> str | None:
    owner = f"{column.removesuffix('_id')}s_v1"
    return owner if owner in TABLES and owner != table else None


if __name__ == "__main__":
    for file, style in FILES.items():
        file.write_text(sdl(style))
