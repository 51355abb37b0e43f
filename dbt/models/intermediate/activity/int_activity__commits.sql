select
    to_artifact_id as artifact_id,
    object_id as sha,
    event_id,
    event_time,
    event_day,
    actor_id,
    coalesce(actor_is_bot, false) as is_bot
from {{ ref('int_events__github') }}
where event_type = 'COMMIT_CODE'
