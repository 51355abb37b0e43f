-- The calendar windows of every metric, named by the first day of the period. A window needs the one before it too.
{% set whole = "select entity_id from " ~ ref('met_rebuild') %}
{% set year_before = previous_period('year', period_start('year', rebuild_day())) %}
with

daily as (

    select * from {{ ref('met_daily') }}
    where
        {{ from_windows_start('event_day') }}
        or (metric = 'new_contributors' and event_day >= {{ year_before }})

),

periods as (

    select * from {{ ref('met_periods') }}

),

counted as (

    select * from {{ ref('met_calendar_actors') }}

),

known as (

    select
        daily.metric,
        daily.metric_source,
        daily.entity_level,
        daily.entity_id,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        cast(sum(daily.amount) as decimal(38, 18)) as amount,
        cast(sum(daily.case_count) as bigint) as case_count
    from daily
    inner join periods
        on daily.event_day = periods.day
    where {{ rebuilt('periods.sample_date', 'periods.window_before', 'daily.entity_id', whole) }}
    group by 1, 2, 3, 4, 5, 6, 7

    union all

    select
        actor_set as metric,
        metric_source,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        cast(actors as decimal(38, 18)) as amount,
        cast(0 as bigint) as case_count
    from counted

    union all

    select
        kinds.metric,
        counted.metric_source,
        counted.entity_level,
        counted.entity_id,
        counted.window_name,
        counted.sample_date,
        counted.next_date,
        cast(case kinds.kind
            when 'full_time' then counted.full_time
            when 'part_time' then counted.actors - counted.full_time
            when 'new' then counted.new_actors
            when 'returning' then counted.returning_actors
            else counted.returning_actors - counted.stayed
        end as decimal(38, 18)) as amount,
        cast(0 as bigint) as case_count
    from counted
    inner join (
        values
        ('active_developers', 'full_time', 'full_time_developers'),
        ('active_developers', 'part_time', 'part_time_developers'),
        ('contributors', 'full_time', 'full_time_contributors'),
        ('contributors', 'part_time', 'part_time_contributors'),
        ('contributors', 'returning', 'returning_contributors'),
        ('contributors', 'resurrected', 'resurrected_contributors'),
        ('active_addresses', 'returning', 'returning_addresses'),
        ('backers', 'new', 'new_backers')
    ) as kinds (actor_set, kind, metric)
        on counted.actor_set = kinds.actor_set

),

changes as (

    select
        case known.metric
            when 'contributors' then 'change_in_active_contributors'
            else 'change_in_' || known.metric
        end as metric,
        known.metric_source,
        known.entity_level,
        known.entity_id,
        known.window_name,
        case sides.sign when 1 then known.sample_date else known.next_date end as sample_date,
        case sides.sign when 1 then known.amount else -known.amount end as amount

    from known
    cross join (values (1), (-1)) as sides (sign)
    where known.metric in ('contributors', 'new_contributors', 'full_time_contributors', 'part_time_contributors')

),

first_acts as (

    select
        entity_level,
        entity_id,
        min(first_day) as first_day

    from {{ ref('met_first_days') }}
    where actor_set = 'contributors'
    group by
        entity_level,
        entity_id

),

-- how many of a window's contributors were there in the next
followed as (

    select
        before.metric_source,
        before.entity_level,
        before.entity_id,
        before.window_name,
        before.next_date,
        before.actors,
        coalesce(after.stayed, 0) as stayed

    from counted as before
    left join counted as after
        on
            before.actor_set = after.actor_set
            and before.metric_source = after.metric_source
            and before.entity_level = after.entity_level
            and before.entity_id = after.entity_id
            and before.window_name = after.window_name
            and before.next_date = after.sample_date
    where before.actor_set = 'contributors'

),

united as (

    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        cast(amount as double) as amount
    from known
    where amount <> 0 or case_count > 0

    union all

    select
        'churned_contributors' as metric,
        metric_source,
        entity_level,
        entity_id,
        window_name,
        next_date as sample_date,
        cast(actors - stayed as double) as amount
    from followed
    where actors > stayed

    union all

    select
        changes.metric,
        changes.metric_source,
        changes.entity_level,
        changes.entity_id,
        changes.window_name,
        changes.sample_date,
        cast(sum(changes.amount) as double) as amount
    from changes
    inner join first_acts
        on changes.entity_level = first_acts.entity_level and changes.entity_id = first_acts.entity_id
    where first_acts.first_day < changes.sample_date
    group by 1, 2, 3, 4, 5, 6
    having sum(changes.amount) <> 0

    union all

    select
        'contributor_retention_rate' as metric,
        metric_source,
        entity_level,
        entity_id,
        window_name,
        next_date as sample_date,
        cast(stayed as double) / actors as amount
    from followed

)

select
    united.metric,
    united.metric_source,
    united.entity_level,
    united.entity_id,
    united.window_name,
    united.sample_date,
    {{ plus_days('periods.next_date', -1) }} as last_day,
    periods.previous_date,
    united.amount
from united
inner join periods
    on united.window_name = periods.window_name and united.sample_date = periods.day
where {{ rebuilt_metrics(plus_days('periods.next_date', -1), 'united.entity_id') }}
