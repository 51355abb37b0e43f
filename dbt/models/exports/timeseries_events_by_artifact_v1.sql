{{ export_config("rebuilt_events(utc_day('time'), 'to_artifact_id')", 'time') }}
select
    event_time as time,
    to_artifact_id,
    actor_id as from_artifact_id,
    event_type,
    event_source_id,
    event_source,
    cast(amount as double) as amount,
    event_id,
    subject_id as subject_artifact_id,
    actor_is_bot,
    subject_is_bot,
    provider
from {{ ref('int_events') }}
{% if is_incremental() %}
where {{ rebuilt_events('event_day', 'to_artifact_id') }}
{% endif %}
