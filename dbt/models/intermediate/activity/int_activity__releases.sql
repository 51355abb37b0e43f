{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
select
    to_artifact_id as artifact_id,
    event_source,
    event_id,
    event_time,
    event_day
from {{ ref('int_events__github') }}
where
    event_type = 'RELEASE_PUBLISHED'
    and not coalesce(is_prerelease, false)
    and {{ rebuilt_events('event_day', 'to_artifact_id') }}
union all
select
    to_artifact_id as artifact_id,
    event_source,
    event_id,
    event_time,
    event_day
from {{ ref('int_events__npm') }}
where
    event_type = 'PACKAGE_VERSION_PUBLISHED'
    and strpos(object_id, '-') = 0
    and {{ rebuilt_events('event_day', 'to_artifact_id') }}
