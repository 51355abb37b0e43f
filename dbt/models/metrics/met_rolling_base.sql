-- Changes of the running sums that every rolling metric is made of. An actor enters an n-day window on day t if not
-- seen in the n-1 days before, and leaves it on t+n unless seen in between. The windows of the days that this build
-- computes, and the day before them, reach back 180 days; those of contributors are compared with the windows before.
{% set full_time_days = {30: 10, 90: 30, 180: 60} %}
{% set one_actor = "partition by actor_id, entity_id, actor_set, metric_source, entity_level order by day_no" %}
{% set one_backer = "partition by actor_id, entity_id, metric_source, entity_level, length_days order by day_no" %}
{% set step_day_no = '(case edges.sign when 1 then spans.day_no else spans.first_day_no + spans.length_days end)' %}
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

-- an actor's days, sorted once: the ones before and after, and those as many back as make full-time
ordered as (

    select
        *,
        lag(day_no) over ({{ one_actor }}) as day_before,
        {% for days in full_time_days.values() %}
        lag(day_no, {{ days - 1 }}) over ({{ one_actor }}) as first_of_{{ days }},
        lag(day_no, {{ days }}) over ({{ one_actor }}) as before_{{ days }},
        {% endfor %}
        lead(day_no) over ({{ one_actor }}) as day_after
    from actor_days
    where actor_set <> 'backers'

),

-- from its day on an actor counts until a window after the first of the days that make it count
spans as (

    select
        ordered.actor_set,
        ordered.metric_source,
        ordered.entity_level,
        ordered.entity_id,
        windows.kind,
        windows.length_days,
        ordered.day_no,
        ordered.day_after,
        case
            when windows.kind = 'active' then ordered.day_no
            {% for length_days, days in full_time_days.items() %}
            when windows.length_days = {{ length_days }} then ordered.first_of_{{ days }}
            {% endfor %}
        end as first_day_no,
        case
            when windows.kind = 'active' then ordered.day_before
            {% for length_days, days in full_time_days.items() %}
            when windows.length_days = {{ length_days }} then ordered.before_{{ days }}
            {% endfor %}
        end as first_before

    from ordered
    cross join (
        values
        ('active', 30), ('active', 60), ('active', 90), ('active', 180), ('active', 360),
        ('full_time', 30), ('full_time', 90), ('full_time', 180)
    ) as windows (kind, length_days)
    where
        (windows.length_days not in (60, 360) or ordered.actor_set = 'contributors')
        and (windows.kind = 'active' or ordered.actor_set in ('active_developers', 'contributors'))

),

steps as (

    select
        spans.actor_set,
        spans.metric_source,
        spans.entity_level,
        spans.entity_id,
        spans.kind,
        spans.length_days,
        {{ booked_on(step_day_no, 'spans.length_days', 'spans.entity_id') }} as day_no,
        edges.sign as delta

    from spans
    cross join edges
    where
        {{ until_last_day(step_day_no) }}
        and spans.first_day_no > spans.day_no - spans.length_days
        and coalesce(
            case edges.sign
                when 1 then spans.first_before + spans.length_days <= spans.day_no
                else spans.day_after >= spans.first_day_no + spans.length_days
            end,
            true
        )

),

counted as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        sum(case kind when 'active' then delta else 0 end) as active,
        sum(case kind when 'full_time' then delta else 0 end) as full_time

    from steps
    group by 1, 2, 3, 4, 5, 6

),

people as (

    select
        case kinds.kind
            when 'active' then counted.actor_set
            else kinds.kind || '_' || replace(counted.actor_set, 'active_', '')
        end as metric,
        counted.metric_source,
        counted.entity_level,
        counted.entity_id,
        counted.length_days,
        counted.day_no,
        case kinds.kind
            when 'active' then counted.active
            when 'full_time' then counted.full_time
            else counted.active - counted.full_time
        end as delta

    from counted
    cross join (values ('active'), ('full_time'), ('part_time')) as kinds (kind)
    where
        kinds.kind = 'active'
        or (
            counted.actor_set in ('active_developers', 'contributors')
            and counted.length_days in (select length_days from lengths)
        )

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

-- what a backer gave in the window: added on the day, taken away when it leaves
gift_changes as (

    select
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
    where actor_days.actor_set = 'backers' and {{ until_last_day(actor_day_no) }}
    group by 1, 2, 3, 4, 5, 6

),

gifts as (

    select
        *,
        sum(delta) over ({{ one_backer }} rows between unbounded preceding and current row) as total

    from gift_changes

),

first_gifts as (

    select * from {{ ref('met_first_days') }}
    where actor_set = 'backers'

),

flags as (

    select
        gifts.*,
        case when gifts.total > 0 then 1 else 0 end as gives,
        case
            when
                gifts.total > 0
                and gifts.day_no
                < date_diff('day', date '1970-01-01', first_gifts.first_day) + gifts.length_days
                then 1
            else 0
        end as is_new

    from gifts
    left join first_gifts
        on
            gifts.metric_source = first_gifts.metric_source
            and gifts.entity_level = first_gifts.entity_level
            and gifts.entity_id = first_gifts.entity_id
            and gifts.actor_id = first_gifts.actor_id

),

backers as (

    select
        kinds.metric,
        turns.metric_source,
        turns.entity_level,
        turns.entity_id,
        turns.length_days,
        turns.day_no,
        case kinds.metric when 'backers' then turns.gives_delta else turns.new_delta end as delta

    from (
        select
            *,
            gives - lag(gives, 1, 0) over ({{ one_backer }}) as gives_delta,
            is_new - lag(is_new, 1, 0) over ({{ one_backer }}) as new_delta
        from flags
    ) as turns
    cross join (values ('backers'), ('new_backers')) as kinds (metric)

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
    from people
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
    from backers

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
