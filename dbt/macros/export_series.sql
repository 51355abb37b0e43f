{#- export_series(level), export_key(level): the published rows of one entity level. -#}
{% macro export_series(level) %}
{{ export_config("rebuilt_series('\"window\"', 'sample_date', '" ~ level ~ "_id')", "sample_date") }}
select
    metric_id,
    entity_id as {{ level }}_id,
    sample_date,
    amount,
    unit,
    metric,
    metric_source,
    window_name as "window",
    quality,
    coverage,
    computed_at,
    run_id
from {{ ref('met_series') }}
where
    entity_level = '{{ level }}'
    {% if is_incremental() %}
        and {{ rebuilt_series('window_name', 'sample_date') }}
    {% endif %}
{% endmacro %}
{% macro export_key(level) %}
select
    metric_id,
    entity_id as {{ level }}_id,
    sample_date,
    amount,
    unit,
    metric,
    metric_source,
    window_name as "window",
    quality,
    coverage,
    {{ run_columns() }},
    previous_amount
from {{ ref('met_key') }}
where entity_level = '{{ level }}'
{% endmacro %}
{#- export_config(condition, day): a long export is a view in the embedded profile, which writes it to the lake itself
    (include/transform/exports.py), and incremental on Trino; `condition` is the call that says what is computed anew. -#}
{% macro export_config(condition, day) %}
{{ config(
    materialized='view' if target.type == 'duckdb' else 'incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(" ~ condition ~ ") }}",
    properties={'partitioning': "ARRAY['month(" ~ day ~ ")']"}
) }}
{% endmacro %}
