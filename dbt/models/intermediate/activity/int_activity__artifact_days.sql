select
    to_artifact_id as artifact_id,
    event_day,
    event_type,
    coalesce(subject_is_bot, false) as subject_is_bot,
    count(*) as event_count
from {{ ref('int_events__github') }}
group by
    to_artifact_id,
    event_day,
    event_type,
    coalesce(subject_is_bot, false)
