"""columns_v1: what every published table and column is, so that a release explains itself."""

import yaml

from include.transform.plan import DBT_PROJECT

SCHEMA = [
    ("table_name", "string", "Name of the published table."),
    ("table_description", "string", "What one row of the table is."),
    ("position", "int64", "Place of the column in its table, from 1."),
    ("column_name", "string", "Name of the column."),
    ("data_type", "string", "Type of the column, as Trino writes it."),
    ("is_nullable", "bool", "Whether the column may be null."),
    ("is_key", "bool", "Whether the column is part of the table's key."),
    ("references_table", "string", "The table whose key the column holds; null if it holds no other table's key."),
    ("description", "string", "What the column holds."),
]
MADE_IN_PYTHON = {
    "columns_v1": ("One row per column of every published table.", {name: text for name, _, text in SCHEMA}),
    "models_v1": (
        "One row per dbt model: its SQL and how its last run went.",
        {
            "model_name": "Name of the model.",
            "layer": "staging, intermediate, metrics or exports.",
            "materialized": "table, view or incremental.",
            "description": "What one row of the model is.",
            "sql": "The model as it is written, with its macros.",
            "depends_on": "Models and sources that it reads.",
            "tests": "Number of its data tests.",
            "last_run_at": "End of its last run, UTC.",
            "last_status": "success or error, of its last run.",
            "rows": "Rows that its last run wrote; null where the engine does not say.",
            "seconds": "How long its last run took.",
        },
    ),
    "releases_v1": (
        "One row per release that was retained when this one was published.",
        {
            "release_id": "Id of the release: the moment of its publication; schema oso_<id> holds its tables.",
            "published_at": "Moment of the publication, UTC.",
            "run_id": "Id of the run that published it.",
            "code_sha": "Git commit of the code that made it.",
            "directory_sha": "Git commit of the project registry that it was made from.",
            "tables": "Its tables: name, Iceberg snapshot and number of rows.",
            "notes": "What the publisher wrote of it.",
        },
    ),
}


def columns_table(manifest: dict):
    """columns_v1 as an Arrow table, from dbt's manifest and the published contracts (dbt/contracts.yml)."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_()}
    contracts = yaml.safe_load((DBT_PROJECT / "contracts.yml").read_text())
    documented = MADE_IN_PYTHON | {
        node["name"]: (
            node["description"].strip(),
            {name: column["description"] for name, column in node["columns"].items()},
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "exports"
    }
    tested = _relationships(manifest)
    rows = []
    for table, contract in sorted(contracts.items()):
        description, columns = documented[table]
        for position, (column, kind) in enumerate(contract["columns"].items(), 1):
            owner = f"{column.removesuffix('_id')}s_v1"
            is_reference = owner in contracts and contracts[owner]["key"] == [column] and owner != table
            rows.append(
                {
                    "table_name": table,
                    "table_description": description,
                    "position": position,
                    "column_name": column,
                    "data_type": kind.removesuffix("?"),
                    "is_nullable": kind.endswith("?"),
                    "is_key": column in contract["key"],
                    "references_table": owner if is_reference else tested.get((table, column)),
                    "description": columns[column],
                }
            )
    return pa.Table.from_pylist(rows, pa.schema([pa.field(name, kinds[kind]) for name, kind, _ in SCHEMA]))


def _relationships(manifest: dict) -> dict[tuple[str, str], str]:
    """The table that dbt tests a column's values to be in, by table and column."""
    found = {}
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "relationships":
            table = (node["attached_node"] or "").split(".")[-1]
            others = [key.split(".")[-1] for key in node["depends_on"]["nodes"] if not key.endswith(f".{table}")]
            found[table, node["column_name"]] = (others or [table])[0]
    return found
