"""The Airflow DAG that releases what was built: include/airflow_kit/publish.py."""

from include.airflow_kit import build_publish_dag

build_publish_dag()
