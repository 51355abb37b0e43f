"""OpenImpact's library: sources, lake, quality and transform. Only include.airflow_kit imports Airflow."""
