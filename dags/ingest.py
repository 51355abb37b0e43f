"""One Airflow DAG per registered source. What a source does: include/sources/."""

from include.airflow_kit import build_ingest_dag
from include.sources import all_sources

for source in all_sources():
    build_ingest_dag(source)
