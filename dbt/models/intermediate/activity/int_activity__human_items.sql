{{ config(materialized='view') }}
-- What an event does not tell of its item, the item's opening tells.
select
    events.artifact_id,
    events.item_number,
    events.event_id,
    events.event_type,
    events.event_time,
    events.event_day,
    events.human_id,
    events.is_actor_known,
    coalesce(events.author_id, openings.author_id) as author_id,
    case
        when coalesce(events.opened_at, openings.opened_at) <= events.event_time
            then coalesce(events.opened_at, openings.opened_at)
    end as opened_at
from {{ ref('int_activity__item_events') }} as events
left join {{ ref('int_activity__item_events') }} as openings
    on
        events.artifact_id = openings.artifact_id
        and events.item_number = openings.item_number
        and events.event_time >= openings.event_time
        and openings.event_type in ('ISSUE_OPENED', 'PULL_REQUEST_OPENED')
where
    coalesce(events.author_id, openings.author_id) is not null
    and not case when events.author_id is null then openings.author_is_bot else events.author_is_bot end
