{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
select
    to_artifact_id as artifact_id,
    object_id as sha,
    event_id,
    event_time,
    event_day,
    actor_id,
    coalesce(actor_is_bot, false) as is_bot
from {{ ref('int_events__github') }}
where event_type = 'COMMIT_CODE' and {{ rebuilt_events('event_day', 'to_artifact_id') }}
