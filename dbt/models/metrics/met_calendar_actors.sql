-- People and accounts active in each calendar period. On its own, since Trino computes a CTE each time it is named.
{% set whole = "select entity_id from " ~ ref('met_rebuild') %}
{% set year_before = previous_period('year', period_start('year', rebuild_day())) %}
with

actor_days as (

    select * from {{ ref('met_actor_days') }}
    where
        {{ from_windows_start('event_day') }}
        or (actor_set in ('contributors', 'active_addresses') and event_day >= {{ year_before }})

),

periods as (

    select * from {{ ref('met_periods') }}

),

actor_periods as (

    select
        actor_days.actor_set,
        actor_days.metric_source,
        actor_days.entity_level,
        actor_days.entity_id,
        actor_days.actor_id,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        periods.previous_date,
        count(*) as days_active

    from actor_days
    inner join periods
        on actor_days.event_day = periods.day
    where {{ rebuilt('periods.sample_date', 'periods.window_before', 'actor_days.entity_id', whole) }}
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    having sum(actor_days.amount) > 0

),

neighbours as (

    select
        actor_periods.*,
        first_days.first_day < actor_periods.sample_date as is_returning,
        coalesce(lag(actor_periods.sample_date) over (
            partition by
                actor_periods.actor_set, actor_periods.metric_source, actor_periods.entity_level, actor_periods.entity_id,
                actor_periods.window_name, actor_periods.actor_id
            order by actor_periods.sample_date
        ) = actor_periods.previous_date, false) as was_here,
        coalesce(lead(actor_periods.sample_date) over (
            partition by
                actor_periods.actor_set, actor_periods.metric_source, actor_periods.entity_level, actor_periods.entity_id,
                actor_periods.window_name, actor_periods.actor_id
            order by actor_periods.sample_date
        ) = actor_periods.next_date, false) as stays

    from actor_periods
    left join {{ ref('met_first_days') }} as first_days
        on
            actor_periods.actor_set = first_days.actor_set
            and actor_periods.metric_source = first_days.metric_source
            and actor_periods.entity_level = first_days.entity_level
            and actor_periods.entity_id = first_days.entity_id
            and actor_periods.actor_id = first_days.actor_id

)

select
    actor_set,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    next_date,
    count(*) as actors,
    count_if(days_active * 30 >= 10 * date_diff('day', sample_date, next_date)) as full_time,
    count_if(days_active * 30 < 10 * date_diff('day', sample_date, next_date)) as part_time,
    count_if(not is_returning) as new_actors,
    count_if(is_returning) as returning_actors,
    count_if(is_returning and not was_here) as resurrected,
    count_if(was_here) as stayed,
    count_if(not stays) as lost

from neighbours
group by 1, 2, 3, 4, 5, 6, 7
