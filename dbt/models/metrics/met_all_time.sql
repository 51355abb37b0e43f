-- What over-all-time metrics amount to; zero is left out and filled in by met_key.
select
    metric,
    entity_level,
    entity_id,
    cast(sum(amount) as double) as amount
from {{ ref('met_daily') }}
group by 1, 2, 3

union all

select
    actor_set as metric,
    entity_level,
    entity_id,
    cast(count(distinct actor_id) as double) as amount
from {{ ref('met_actor_days') }}
group by 1, 2, 3

union all

select
    'first_activity_date' as metric,
    entity_level,
    entity_id,
    cast(min(day_no) as double) as amount
from {{ ref('met_actor_days') }}
where actor_set = 'contributors'
group by 1, 2, 3

union all

select
    metric,
    entity_level,
    entity_id,
    amount
from {{ ref('met_statistics') }}
where window_name = 'over_all_time'

union all

select
    'last_activity_date' as metric,
    entity_level,
    entity_id,
    cast(max(day_no) as double) as amount
from {{ ref('met_actor_days') }}
where actor_set = 'contributors'
group by 1, 2, 3
