{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
select
    to_artifact_id as artifact_id,
    item_number,
    event_id,
    event_type,
    event_time,
    event_day,
    case when not coalesce(actor_is_bot, false) then actor_id end as human_id,
    actor_id is not null as is_actor_known,
    item_author_id as author_id,
    coalesce(item_author_is_bot, false) as author_is_bot,
    case when event_type in ('ISSUE_OPENED', 'PULL_REQUEST_OPENED') then event_time else item_opened_at end as opened_at
from {{ ref('int_events__github') }}
where item_number is not null and {{ rebuilt_events('event_day', 'to_artifact_id') }}
