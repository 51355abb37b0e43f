-- The calendar windows of every metric, named by the first day of the period.
{% set periods = [('daily', 'day'), ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter'), ('yearly', 'year')] %}
with

actor_periods as (
    {% for window_name, period in periods %}
    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        '{{ window_name }}' as window_name,
        {{ period_start(period, 'event_day') }} as sample_date,
        {{ next_period(period, period_start(period, 'event_day')) }} as next_date,
        {{ previous_period(period, period_start(period, 'event_day')) }} as previous_date,
        count(*) as days_active
    from {{ ref('met_actor_days') }}
    group by 1, 2, 3, 4, 5, 6, 7, 8
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

neighbours as (

    select
        *,
        lag(sample_date) over (
            partition by actor_set, entity_level, entity_id, window_name, actor_id order by sample_date
        ) as seen_before,
        lead(sample_date) over (
            partition by actor_set, entity_level, entity_id, window_name, actor_id order by sample_date
        ) as seen_next

    from actor_periods

),

sums as (
    {% for window_name, period in periods %}
    select
        metric,
        entity_level,
        entity_id,
        '{{ window_name }}' as window_name,
        {{ period_start(period, 'event_day') }} as sample_date,
        {{ next_period(period, period_start(period, 'event_day')) }} as next_date,
        cast(sum(amount) as bigint) as amount
    from {{ ref('met_daily') }}
    group by 1, 2, 3, 4, 5, 6
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

people as (

    select
        actor_set as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        count(*) as amount
    from neighbours
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        case
            when actor_set = 'contributors' and days_active * 30 >= 10 * date_diff('day', sample_date, next_date)
                then 'full_time_contributors'
            when actor_set = 'contributors' then 'part_time_contributors'
            when days_active * 30 >= 10 * date_diff('day', sample_date, next_date) then 'full_time_developers'
            else 'part_time_developers'
        end as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        count(*) as amount
    from neighbours
    where actor_set in ('active_developers', 'contributors')
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        'returning_contributors' as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        count(*) as amount
    from neighbours
    where actor_set = 'contributors' and seen_before is not null
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        'resurrected_contributors' as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        count(*) as amount
    from neighbours
    where actor_set = 'contributors' and seen_before is not null and seen_before <> previous_date
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        '_stayed' as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        count(*) as amount
    from neighbours
    where actor_set = 'contributors' and seen_before = previous_date
    group by 1, 2, 3, 4, 5, 6

),

lost as (

    select
        entity_level,
        entity_id,
        window_name,
        next_date as sample_date,
        count(*) as amount
    from neighbours
    where actor_set = 'contributors' and (seen_next is null or seen_next <> next_date)
    group by 1, 2, 3, 4

),

known as (

    select
        metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        amount
    from people
    union all
    select
        metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        next_date,
        amount
    from sums

),

changes as (
    {% for change, metric in [('active', 'contributors'), ('new', 'new_contributors'), ('full_time', 'full_time_contributors'), ('part_time', 'part_time_contributors')] %}
    select
        'change_in_{{ change }}_contributors' as metric,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        amount
    from known
    where metric = '{{ metric }}'

    union all

    select
        'change_in_{{ change }}_contributors' as metric,
        entity_level,
        entity_id,
        window_name,
        next_date as sample_date,
        -amount as amount
    from known
    where metric = '{{ metric }}'
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

first_acts as (

    select
        entity_level,
        entity_id,
        min(event_day) as first_day

    from {{ ref('met_actor_days') }}
    where actor_set = 'contributors'
    group by
        entity_level,
        entity_id

),

retention as (

    select
        before.entity_level,
        before.entity_id,
        before.window_name,
        before.next_date as sample_date,
        cast(coalesce(stayed.amount, 0) as double) / before.amount as amount
    from known as before
    left join known as stayed
        on
            stayed.metric = '_stayed'
            and before.entity_level = stayed.entity_level
            and before.entity_id = stayed.entity_id
            and before.window_name = stayed.window_name
            and before.next_date = stayed.sample_date
    where before.metric = 'contributors'

)

select
    metric,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    cast(amount as double) as amount
from known
where metric <> '_stayed'

union all

select
    'churned_contributors' as metric,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    cast(amount as double) as amount
from lost

union all

select
    changes.metric,
    changes.entity_level,
    changes.entity_id,
    changes.window_name,
    changes.sample_date,
    cast(sum(changes.amount) as double) as amount
from changes
inner join first_acts
    on changes.entity_level = first_acts.entity_level and changes.entity_id = first_acts.entity_id
where first_acts.first_day < changes.sample_date
group by 1, 2, 3, 4, 5
having sum(changes.amount) <> 0

union all

select
    'contributor_retention_rate' as metric,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    amount
from retention
