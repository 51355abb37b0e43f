-- Changes of the running sums that every rolling metric is made of. An actor enters an n-day window on day t if not
-- seen in the n-1 days before, and leaves it on t+n unless seen in between. The windows of the days that this build
-- computes, and the day before them, reach back 360 days.
with

actor_days as (

    select * from {{ ref('met_actor_days') }}
    where {{ rebuilt('event_day', rebuild_day(back=361), 'entity_id', "select entity_id from " ~ ref('met_rebuild')) }}

),

daily as (

    select * from {{ ref('met_daily') }}
    where {{ rebuilt('event_day', rebuild_day(back=361), 'entity_id', "select entity_id from " ~ ref('met_rebuild')) }}

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
        entity_level,
        entity_id,
        day_no,
        day_no - lag(day_no) over (
            partition by actor_set, entity_level, entity_id, actor_id order by day_no
        ) as back,
        lead(day_no) over (
            partition by actor_set, entity_level, entity_id, actor_id order by day_no
        ) - day_no as ahead

    from actor_days

),

distinct_actors as (

    select
        gaps.actor_set as metric,
        gaps.entity_level,
        gaps.entity_id,
        windows.length_days,
        gaps.day_no + edges.lengths_later * windows.length_days as day_no,
        edges.sign as delta

    from gaps
    cross join edges
    cross join (values (30), (60), (90), (180), (360)) as windows (length_days)
    where
        (windows.length_days not in (60, 360) or gaps.actor_set = 'contributors')
        and coalesce(case when edges.sign = 1 then gaps.back else gaps.ahead end, 361) >= windows.length_days

),

sums as (

    select
        daily.metric,
        daily.entity_level,
        daily.entity_id,
        lengths.length_days,
        daily.day_no + edges.lengths_later * lengths.length_days as day_no,
        edges.sign * daily.amount as delta

    from daily
    cross join lengths
    cross join edges

),

-- active days of an actor in the window: +1 on the day, -1 when it leaves
day_changes as (

    select
        actor_days.actor_set,
        actor_days.entity_level,
        actor_days.entity_id,
        actor_days.actor_id,
        lengths.length_days,
        actor_days.day_no + edges.lengths_later * lengths.length_days as day_no,
        sum(edges.sign) as delta

    from actor_days
    cross join lengths
    cross join edges
    where actor_days.actor_set in ('active_developers', 'contributors')
    group by 1, 2, 3, 4, 5, 6

),

states as (

    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        length_days,
        day_no,
        sum(delta) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
            rows between unbounded preceding and current row
        ) as days_active

    from day_changes

),

flags as (

    select
        *,
        case when days_active * 30 >= 10 * length_days then 1 else 0 end as is_full,
        case when days_active > 0 and days_active * 30 < 10 * length_days then 1 else 0 end as is_part

    from states

),

turns as (

    select
        actor_set,
        entity_level,
        entity_id,
        length_days,
        day_no,
        is_full - lag(is_full, 1, 0) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
        ) as full_delta,
        is_part - lag(is_part, 1, 0) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
        ) as part_delta

    from flags

),

worked as (

    select
        case work.is_full when 1 then 'full_time_' else 'part_time_' end
        || case turns.actor_set when 'contributors' then 'contributors' else 'developers' end as metric,
        turns.entity_level,
        turns.entity_id,
        turns.length_days,
        turns.day_no,
        case work.is_full when 1 then turns.full_delta else turns.part_delta end as delta

    from turns
    cross join (values (0), (1)) as work (is_full)

),

united as (

    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from distinct_actors
    union all
    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from sums
    union all
    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from worked

)

select
    metric,
    entity_level,
    entity_id,
    length_days,
    day_no,
    cast(sum(delta) as bigint) as delta
from united
group by
    metric,
    entity_level,
    entity_id,
    length_days,
    day_no
having sum(delta) <> 0
