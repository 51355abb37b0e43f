{{ config(materialized='view') }}
-- Of a repository, family and day that the API was asked for in full its events count, else the archive's. A copy that
-- the archive has on another day does not count again.
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
    events.subject_id,
    events.actor_is_bot,
    events.subject_is_bot,
    events.amount,
    events.object_id,
    events.event_source_id,
    events.is_own_item,
    events.item_number,
    events.item_opened_at,
    events.item_author_id,
    events.item_author_is_bot,
    events.is_prerelease,
    events.archive_day
from {{ ref('int_events__github_by_provider') }} as events
left join {{ ref('int_coverage__github_api_days') }} as asked
    on
        events.to_artifact_id = asked.artifact_id
        and events.family = asked.family
        and events.event_day = asked.day
        and asked.status = 'full'
left join (
    select told.event_id
    from {{ ref('int_events__github_by_provider') }} as told
    inner join {{ ref('int_coverage__github_api_days') }} as days
        on
            told.to_artifact_id = days.artifact_id
            and told.family = days.family
            and told.event_day = days.day
            and days.status = 'full'
    where told.provider = 'github_api'
) as told
    on events.event_id = told.event_id and events.provider = 'archive'
where (events.provider = 'github_api') = (asked.artifact_id is not null) and told.event_id is null
