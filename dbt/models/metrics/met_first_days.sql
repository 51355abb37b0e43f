select
    entity_level,
    entity_id,
    actor_id,
    min(event_day) as first_day
from {{ ref('met_actor_days') }}
where actor_set = 'contributors'
group by
    entity_level,
    entity_id,
    actor_id
