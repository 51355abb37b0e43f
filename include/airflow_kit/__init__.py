"""The only code that knows Airflow: the DAG builders, the window of a run, the retry policy."""

from include.airflow_kit.ingest import build_ingest_dag
from include.airflow_kit.maintain import build_maintain_dag
from include.airflow_kit.publish import build_publish_dag
from include.airflow_kit.transform import build_transform_dag

__all__ = ["build_ingest_dag", "build_maintain_dag", "build_publish_dag", "build_transform_dag"]
