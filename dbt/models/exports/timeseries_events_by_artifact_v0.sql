{{ export_config("rebuilt_events(utc_day('time'), 'to_artifact_id')", 'time') }}
select
    time,
    to_artifact_id,
    from_artifact_id,
    event_type,
    event_source_id,
    event_source,
    amount
from {{ ref('timeseries_events_by_artifact_v1') }}
{% if is_incremental() %}
where {{ rebuilt_events(utc_day('time'), 'to_artifact_id') }}
{% endif %}
