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
    event_type,
    coalesce(subject_is_bot, false) as subject_is_bot,
    cast(sum(amount) as bigint) as event_count
from {{ ref('int_events__github') }}
where {{ rebuilt_events('event_day', 'to_artifact_id') }}
group by
    to_artifact_id,
    event_day,
    event_type,
    coalesce(subject_is_bot, false)
