{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
select
    to_artifact_id as artifact_id,
    event_day,
    coalesce(actor_is_bot, false) as actor_is_bot,
    count(*) as event_count
from {{ ref('int_events__github') }}
where
    event_type not in ('COMMIT_CODE', 'STARRED', 'FORKED', 'RELEASE_PUBLISHED')
    and (actor_id is not null or actor_is_bot)
    and {{ rebuilt_events('event_day', 'to_artifact_id') }}
group by
    to_artifact_id,
    event_day,
    coalesce(actor_is_bot, false)
