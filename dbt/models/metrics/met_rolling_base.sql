-- Changes of the running sums that every rolling metric is made of. An actor enters an n-day window on day t if not
-- seen in the n-1 days before, and leaves it on t+n unless seen in between. The windows of the days that this build
-- computes, and the day before them, reach back 180 days; those of contributors are compared with the windows before.
{% set gap_day_no = '(gaps.day_no + edges.lengths_later * windows.length_days)' %}
{% set daily_day_no = '(daily.day_no + edges.lengths_later * lengths.length_days)' %}
{% set actor_day_no = '(actor_days.day_no + edges.lengths_later * lengths.length_days)' %}
{% set whole = "select entity_id from " ~ ref('met_rebuild') %}
with

actor_days as (

    select * from {{ ref('met_actor_days') }}
    where
        {{ rebuilt('event_day', rebuild_day(back=181), 'entity_id', whole) }}
        or (actor_set = 'contributors' and event_day >= {{ rebuild_day(back=361) }})

),

daily as (

    select * from {{ ref('met_daily') }}
    where
        {{ rebuilt('event_day', rebuild_day(back=181), 'entity_id', whole) }}
        or (metric = 'new_contributors' and event_day >= {{ rebuild_day(back=361) }})

),

lengths as (

    select lengths.length_days from (values (30), (90), (180)) as lengths (length_days)

),

edges as (

    select
        edges.lengths_later,
        edges.sign

    from (values (0, 1), (1, -1)) as edges (lengths_later, sign)

),

gaps as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        day_no,
        day_no - lag(day_no) over (
            partition by actor_id, entity_id, actor_set, metric_source, entity_level order by day_no
        ) as back,
        lead(day_no) over (
            partition by actor_id, entity_id, actor_set, metric_source, entity_level order by day_no
        ) - day_no as ahead

    from actor_days
    where actor_set <> 'backers'

),

distinct_actors as (

    select
        gaps.actor_set as metric,
        gaps.metric_source,
        gaps.entity_level,
        gaps.entity_id,
        windows.length_days,
        {{ booked_on(gap_day_no, 'windows.length_days', 'gaps.entity_id') }} as day_no,
        edges.sign as delta

    from gaps
    cross join edges
    cross join (values (30), (60), (90), (180), (360)) as windows (length_days)
    where
        {{ until_last_day(gap_day_no) }}
        and (windows.length_days not in (60, 360) or gaps.actor_set = 'contributors')
        and coalesce(case when edges.sign = 1 then gaps.back else gaps.ahead end, 361) >= windows.length_days

),

sums as (

    select
        daily.metric,
        daily.metric_source,
        daily.entity_level,
        daily.entity_id,
        lengths.length_days,
        {{ booked_on(daily_day_no, 'lengths.length_days', 'daily.entity_id') }} as day_no,
        case edges.sign when 1 then daily.amount else -daily.amount end as delta,
        edges.sign * daily.case_count as case_delta

    from daily
    cross join lengths
    cross join edges
    where {{ until_last_day(daily_day_no) }}

),

-- amounts of an actor in the window, for contributors days: added on the day, taken away when it leaves
day_changes as (

    select
        actor_days.actor_set,
        actor_days.metric_source,
        actor_days.entity_level,
        actor_days.entity_id,
        actor_days.actor_id,
        lengths.length_days,
        {{ booked_on(actor_day_no, 'lengths.length_days', 'actor_days.entity_id') }} as day_no,
        sum(case edges.sign when 1 then actor_days.amount else -actor_days.amount end) as delta

    from actor_days
    cross join lengths
    cross join edges
    where
        actor_days.actor_set in ('active_developers', 'contributors', 'backers')
        and {{ until_last_day(actor_day_no) }}
    group by 1, 2, 3, 4, 5, 6, 7

),

states as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        actor_id,
        length_days,
        day_no,
        sum(delta) over (
            partition by actor_id, entity_id, actor_set, metric_source, entity_level, length_days order by day_no
            rows between unbounded preceding and current row
        ) as total

    from day_changes

),

first_gifts as (

    select * from {{ ref('met_first_days') }}
    where actor_set = 'backers'

),

-- two kinds of each set: full-time and part-time, backers and new ones
flags as (

    select
        states.actor_set,
        states.metric_source,
        states.entity_level,
        states.entity_id,
        states.actor_id,
        states.length_days,
        states.day_no,
        case
            when states.actor_set = 'backers' and states.total > 0 then 1
            when states.actor_set <> 'backers' and states.total * 30 >= 10 * states.length_days then 1
            else 0
        end as is_first,
        case
            when states.total <= 0 then 0
            when states.actor_set <> 'backers' and states.total * 30 < 10 * states.length_days then 1
            when
                states.actor_set = 'backers'
                and states.day_no
                < date_diff('day', date '1970-01-01', first_gifts.first_day) + states.length_days
                then 1
            else 0
        end as is_second

    from states
    left join first_gifts
        on
            states.actor_set = first_gifts.actor_set
            and states.metric_source = first_gifts.metric_source
            and states.entity_level = first_gifts.entity_level
            and states.entity_id = first_gifts.entity_id
            and states.actor_id = first_gifts.actor_id

),

turns as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        is_first - lag(is_first, 1, 0) over (
            partition by actor_id, entity_id, actor_set, metric_source, entity_level, length_days order by day_no
        ) as first_delta,
        is_second - lag(is_second, 1, 0) over (
            partition by actor_id, entity_id, actor_set, metric_source, entity_level, length_days order by day_no
        ) as second_delta

    from flags

),

kinds as (

    select
        kinds.actor_set,
        kinds.is_first,
        kinds.metric

    from (
        values
        ('active_developers', 1, 'full_time_developers'),
        ('active_developers', 0, 'part_time_developers'),
        ('contributors', 1, 'full_time_contributors'),
        ('contributors', 0, 'part_time_contributors'),
        ('backers', 1, 'backers'),
        ('backers', 0, 'new_backers')
    ) as kinds (actor_set, is_first, metric)

),

worked as (

    select
        kinds.metric,
        turns.metric_source,
        turns.entity_level,
        turns.entity_id,
        turns.length_days,
        turns.day_no,
        case kinds.is_first when 1 then turns.first_delta else turns.second_delta end as delta

    from turns
    inner join kinds
        on turns.actor_set = kinds.actor_set

),

united as (

    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        cast(delta as decimal(38, 18)) as delta,
        cast(0 as bigint) as case_delta
    from distinct_actors
    union all
    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta,
        case_delta
    from sums
    union all
    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        cast(delta as decimal(38, 18)) as delta,
        cast(0 as bigint) as case_delta
    from worked

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    length_days,
    day_no,
    cast(sum(delta) as decimal(38, 18)) as delta,
    cast(sum(case_delta) as bigint) as case_delta
from united
group by
    metric,
    metric_source,
    entity_level,
    entity_id,
    length_days,
    day_no
having sum(delta) <> 0 or sum(case_delta) <> 0
