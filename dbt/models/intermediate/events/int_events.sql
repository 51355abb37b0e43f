{{ config(materialized='view') }}
{% for model in [
    ref('int_events__github'), ref('int_events__npm'), ref('int_events__open_collective'), ref('int_events__evm')
] -%}
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
    {{ 'actor_address' if loop.last else 'cast(null as varchar) as actor_address' }},
    subject_id,
    actor_is_bot,
    subject_is_bot,
    amount,
    object_id,
    event_source_id,
    is_own_item,
    archive_day
from {{ model }}
union all
{% endfor -%}
-- what a chain's nodes told as well is not told twice
select
    events.event_id,
    events.event_time,
    events.event_day,
    events.event_type,
    events.event_source,
    events.provider,
    events.family,
    events.to_artifact_id,
    events.actor_id,
    events.actor_address,
    events.subject_id,
    events.actor_is_bot,
    events.subject_is_bot,
    events.amount,
    events.object_id,
    events.event_source_id,
    events.is_own_item,
    events.archive_day
from {{ ref('int_events__bigquery') }} as events
left join {{ ref('int_events__evm') }} as nodes
    on events.event_day = nodes.event_day and events.event_id = nodes.event_id
where nodes.event_id is null
