select
    actor_set,
    metric_source,
    entity_level,
    entity_id,
    actor_id,
    min(event_day) as first_day
from {{ ref('met_actor_days') }}
where actor_set in ('contributors', 'active_addresses', 'backers') and is_gain
group by
    actor_set,
    metric_source,
    entity_level,
    entity_id,
    actor_id
