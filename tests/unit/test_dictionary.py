"""columns_v1 says of every published column what it is and whose key it holds."""

from include.transform.dictionary import columns_table
from tests.consumer.releases import CONTRACTS, manifest


def relationship(table: str, column: str, to: str) -> dict:
    """A test of dbt's manifest: the values of the column are among those of the other table."""
    nodes = sorted({f"model.openimpact.{name}" for name in (to, table)})
    return {
        "resource_type": "test",
        "test_metadata": {"name": "relationships"},
        "attached_node": f"model.openimpact.{table}",
        "column_name": column,
        "depends_on": {"nodes": nodes},
    }


def test_every_column_is_there_with_its_text_and_a_key_of_another_table_leads_there():
    tests = [
        relationship("timeseries_events_by_artifact_v1", "to_artifact_id", "artifacts_v1"),
        relationship("models_v1", "model_name", "models_v1"),
    ]
    given = manifest()
    given["nodes"] |= {f"test.openimpact.{n}": test for n, test in enumerate(tests)}
    rows = columns_table(given).to_pylist()
    assert {name: [r["column_name"] for r in rows if r["table_name"] == name] for name in CONTRACTS} == {
        name: list(contract["columns"]) for name, contract in CONTRACTS.items()
    }
    assert all(row["description"] and row["table_description"] for row in rows)
    leads = {(row["table_name"], row["column_name"]): row["references_table"] for row in rows}
    assert leads["timeseries_events_by_artifact_v1", "to_artifact_id"] == "artifacts_v1"
    assert leads["timeseries_events_by_artifact_v1", "from_artifact_id"] is None
    assert leads["key_metrics_by_project_v1", "project_id"] == "projects_v1"
    assert leads["key_metrics_by_project_v1", "metric_id"] == "metrics_v1"
    assert leads["projects_v1", "project_id"] is None
    assert leads["models_v1", "model_name"] == "models_v1"
