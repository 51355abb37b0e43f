-- What over-all-time metrics amount to; zero is left out and filled in by met_key.
with

actors as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        actor_id

    from {{ ref('met_actor_days') }}
    group by 1, 2, 3, 4, 5
    having sum(amount) > 0

),

-- whoever ever gave was new once
counts as (

    select distinct
        metric,
        metric_source,
        case metric when 'new_backers' then 'backers' else metric end as actor_set

    from {{ ref('met_metrics') }}

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    cast(sum(amount) as double) as amount
from {{ ref('met_daily') }}
group by 1, 2, 3, 4

union all

select
    counts.metric,
    actors.metric_source,
    actors.entity_level,
    actors.entity_id,
    cast(count(*) as double) as amount
from actors
inner join counts
    on actors.actor_set = counts.actor_set and actors.metric_source = counts.metric_source
group by 1, 2, 3, 4

union all

select
    'first_activity_date' as metric,
    metric_source,
    entity_level,
    entity_id,
    cast(min(day_no) as double) as amount
from {{ ref('met_actor_days') }}
where actor_set = 'contributors'
group by 1, 2, 3, 4

union all

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    amount
from {{ ref('met_statistics') }}
where window_name = 'over_all_time'

union all

select
    'last_activity_date' as metric,
    metric_source,
    entity_level,
    entity_id,
    cast(max(day_no) as double) as amount
from {{ ref('met_actor_days') }}
where actor_set = 'contributors'
group by 1, 2, 3, 4
