select
    owned.project_id,
    owned.project_source,
    owned.project_namespace,
    owned.project_name,
    days.event_source,
    days.event_type,
    min(days.event_day) as first_event_date,
    max(days.event_day) as last_event_date,
    count(distinct days.event_day) as eventful_day_count
from {{ ref('int_activity__artifact_days') }} as days
inner join {{ ref('artifacts_by_project_v1') }} as owned
    on days.artifact_id = owned.artifact_id
group by
    owned.project_id,
    owned.project_source,
    owned.project_namespace,
    owned.project_name,
    days.event_source,
    days.event_type
