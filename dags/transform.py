"""The Airflow DAG that builds what landed: include/airflow_kit/transform.py."""

from include.airflow_kit import build_transform_dag
from include.sources import all_sources

build_transform_dag(all_sources())
