{{ config(materialized='view') }}
{% for model in [ref('int_events__github')] -%}
select
    event_id,
    event_time,
    event_day,
    event_type,
    event_source,
    provider,
    family,
    to_artifact_id,
    actor_id,
    subject_id,
    actor_is_bot,
    subject_is_bot,
    amount,
    object_id,
    event_source_id,
    is_own_item,
    archive_day
from {{ model }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
