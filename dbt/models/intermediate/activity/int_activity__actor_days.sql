select
    to_artifact_id as artifact_id,
    actor_id,
    event_day,
    event_type,
    is_own_item,
    count(*) as event_count
from {{ ref('int_events__github') }}
where actor_id is not null and not coalesce(actor_is_bot, false)
group by
    to_artifact_id,
    actor_id,
    event_day,
    event_type,
    is_own_item
