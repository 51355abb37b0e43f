"""The Airflow DAGs of an operator's forms and of the watch: include/airflow_kit/operate.py."""

from include.airflow_kit import operate
from include.sources import all_sources

operate.build_preview_dag(all_sources())
operate.build_backfill_dag(all_sources())
operate.build_rebuild_dag()
operate.build_rollback_dag()
operate.build_watch_dag()
