{#- source(schema, table): dbt's own, as of the snapshot that the build's plan found; the embedded profile's views are
    pinned by include/lake/duckdb_raw.py. -#}
{% macro source(schema, table) %}
    {%- set relation = builtins.source(schema, table) -%}
    {%- set snapshot = told("snapshots").get(schema ~ "." ~ table) -%}
    {{ return(relation ~ " for version as of " ~ snapshot if snapshot and target.type == "trino" else relation) }}
{% endmacro %}
