{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
select
    to_artifact_id as artifact_id,
    actor_id,
    event_day,
    event_type,
    is_own_item,
    count(*) as event_count
from {{ ref('int_events__github') }}
where actor_id is not null and not coalesce(actor_is_bot, false) and {{ rebuilt_events('event_day', 'to_artifact_id') }}
group by
    to_artifact_id,
    actor_id,
    event_day,
    event_type,
    is_own_item
