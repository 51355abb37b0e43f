-- People and accounts active in each calendar period. On its own, since Trino computes a CTE each time it is named.
{% set whole = "select entity_id from " ~ ref('met_rebuild') %}
{% set year_before = previous_period('year', period_start('year', rebuild_day())) %}
{% set longer = {'weekly': 'week', 'monthly': 'month', 'quarterly': 'quarter', 'yearly': 'year'} %}
{% set one_actor = "partition by actor_id, entity_id, actor_set, metric_source, entity_level order by event_day" %}
with

payers as (

    select metric from {{ ref('met_rules') }}
    where measure = 'payers'

),

actor_days as (

    select
        actor_days.*,
        first_days.first_day

    from {{ ref('met_actor_days') }} as actor_days
    left join {{ ref('met_first_days') }} as first_days
        on
            actor_days.actor_set = first_days.actor_set
            and actor_days.metric_source = first_days.metric_source
            and actor_days.entity_level = first_days.entity_level
            and actor_days.entity_id = first_days.entity_id
            and actor_days.actor_id = first_days.actor_id
    where
        {{ from_windows_start('event_day', 'actor_days.entity_id') }}
        or (actor_days.actor_set in ('contributors', 'active_addresses') and event_day >= {{ year_before }})

),

periods as (

    select * from {{ ref('met_periods') }}

),

-- an actor's days are sorted once for all windows: that is what an engine holds in memory
ordered as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        actor_id,
        event_day,
        first_day,
        lag(event_day) over ({{ one_actor }}) as day_before,
        row_number() over ({{ one_actor }}) as place

    from actor_days
    where actor_set not in (select metric from payers)

),

placed as (

    select
        *,
    {% for window_name, period in longer.items() %}
    max(
        case when day_before is null or day_before < {{ period_start(period, 'event_day') }} then place end
    ) over ({{ one_actor }}) as {{ window_name }}_from{{ "," if not loop.last }}
    {% endfor %}
    from ordered

),

-- which of the actor's days in the period it is: the first counts the actor
numbered as (

    select
        placed.actor_set,
        placed.metric_source,
        placed.entity_level,
        placed.entity_id,
        placed.first_day,
        placed.day_before,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        periods.previous_date,
        case periods.window_name
            {% for window_name in longer %}
            when '{{ window_name }}' then placed.place - placed.{{ window_name }}_from + 1
            {% endfor %}
            else 1
        end as days_active

    from placed
    inner join periods
        on placed.event_day = periods.day
    where {{ rebuilt('periods.sample_date', 'periods.window_before', 'placed.entity_id', whole) }}

),

active as (

    select
        actor_set,
        metric_source,
        entity_level,
        entity_id,
        first_day,
        day_before,
        window_name,
        sample_date,
        next_date,
        previous_date,
        days_active = 1 as is_first,
        -- the day on which it becomes 10 days in 30
        days_active * 30 >= 10 * date_diff('day', sample_date, next_date)
        and (days_active - 1) * 30 < 10 * date_diff('day', sample_date, next_date) as is_full_time
    from numbered

    union all

    -- who paid in a period is only known of all of it; its day before is the first of the payer's period before
    select
        actor_days.actor_set,
        actor_days.metric_source,
        actor_days.entity_level,
        actor_days.entity_id,
        actor_days.first_day,
        lag(periods.sample_date) over (
            partition by
                actor_days.actor_set, actor_days.metric_source, actor_days.entity_level, actor_days.entity_id,
                actor_days.actor_id, periods.window_name
            order by periods.sample_date
        ) as day_before,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        periods.previous_date,
        true as is_first,
        count(*) * 30 >= 10 * date_diff('day', periods.sample_date, periods.next_date) as is_full_time

    from actor_days
    inner join periods
        on actor_days.event_day = periods.day
    where
        actor_days.actor_set in (select metric from payers)
        and {{ rebuilt('periods.sample_date', 'periods.window_before', 'actor_days.entity_id', whole) }}
    group by
        actor_days.actor_set,
        actor_days.metric_source,
        actor_days.entity_level,
        actor_days.entity_id,
        actor_days.actor_id,
        actor_days.first_day,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        periods.previous_date
    having sum(actor_days.amount) > 0

)

select
    actor_set,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    next_date,
    count_if(is_first) as actors,
    count_if(is_full_time) as full_time,
    count_if(is_first and first_day >= sample_date) as new_actors,
    count_if(is_first and first_day < sample_date) as returning_actors,
    count_if(is_first and day_before >= previous_date) as stayed

from active
group by 1, 2, 3, 4, 5, 6, 7
