{#- export_series(level), export_key(level): the published rows of one entity level. -#}
{% macro export_series(level) %}
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
    {{ run_columns() }}
from {{ ref('met_series') }}
where entity_level = '{{ level }}'
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
