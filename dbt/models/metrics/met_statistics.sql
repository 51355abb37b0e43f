{{ config(materialized='view') }}
{% for model in [
    ref('met_means'), ref('met_velocity'), ref('met_burstiness'), ref('met_absence_factor'),
    ref('met_medians'), ref('met_issue_ages')
] -%}
select
    metric,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day,
    amount
from {{ model }}
{{ 'union all' if not loop.last }}
{% endfor %}
