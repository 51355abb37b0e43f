"""The Airflow DAG that keeps the lake and Airflow's database small: include/airflow_kit/maintain.py."""

from include.airflow_kit import build_maintain_dag

build_maintain_dag()
