-- One row for every entity, metric and window of rolling or all time: the newest value, zeros included.
with

entities as (

    select distinct
        member_source,
        entity_level,
        entity_id

    from {{ ref('met_entities') }}

),

-- a snapshot's window is its day
metrics as (

    select
        *,
        case when row_class = 'K' then 1 else length_days end as days

    from {{ ref('met_metrics') }}

),

-- the newest window and the one before, each judged by its own coverage
ages as (

    select 0 as age
    union all
    select 1 as age

),

windows as (

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.member_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.row_class, metrics.needs_previous,
        metrics.first_ever or metrics.period = 'all' as first_ever,
        metrics.as_of,
        entities.entity_level, entities.entity_id, ages.age,
        coalesce(
            {{ plus_days('metrics.as_of', '-ages.age * coalesce(metrics.days, 0)') }},
            {{ plus_days('date \'' ~ told("run_day") ~ '\'', -1) }}
        ) as sample_date,
        coalesce(
            {{ plus_days('metrics.as_of', '-ages.age * coalesce(metrics.days, 0)') }},
            (select max(day) from {{ ref('met_days') }})
        ) as last_day,
        case
            when metrics.period = 'all' then (select min(day) from {{ ref('met_days') }})
            else {{ plus_days('metrics.as_of', '1 - (1 + ages.age) * metrics.days') }}
        end as first_day,
        {{ plus_days('metrics.as_of', '1 - (2 + ages.age) * metrics.days') }} as previous_first_day

    from metrics
    inner join entities
        on metrics.member_source = entities.member_source
    cross join ages
    where metrics.period = 'rolling' or metrics.row_class = 'K' or (metrics.period = 'all' and ages.age = 0)

),

{{ window_quality('windows') }},

stored as (

    select
        metric_id,
        entity_level,
        entity_id,
        sample_date,
        amount,
        quality

    from {{ ref('met_series') }}
    -- a handful of days of all the years
    where sample_date in (select windows.sample_date from windows)

),

valued as (

    select
        judged.*,
        stored.quality as stored_quality,
        case
            when (judged.quality = 'unknown' and judged.row_class <> 'K') or judged.as_of is null then null
            when judged.row_class in ('R', 'K') then coalesce(stored.amount, ever.amount)
            else coalesce(stored.amount, ever.amount, 0e0)
        end as amount

    from judged
    left join stored
        on
            judged.metric_id = stored.metric_id
            and judged.entity_level = stored.entity_level
            and judged.entity_id = stored.entity_id
            and judged.sample_date = stored.sample_date
    left join {{ ref('met_all_time') }} as ever
        on
            judged.window_name = 'over_all_time'
            and judged.metric = ever.metric
            and judged.metric_source = ever.metric_source
            and judged.entity_level = ever.entity_level
            and judged.entity_id = ever.entity_id

),

compared as (

    select
        *,
        lead(amount) over (partition by metric_id, entity_level, entity_id order by age) as previous_amount,
        lead(quality) over (partition by metric_id, entity_level, entity_id order by age) as previous_quality

    from valued

)

select
    metric_id,
    metric,
    metric_source,
    window_name,
    unit,
    entity_level,
    entity_id,
    sample_date,
    amount,
    previous_amount,
    case
        when as_of is null then 'unknown'
        when row_class = 'K' then coalesce(stored_quality, 'unknown')
        else quality
    end as quality,
    case when as_of is null then 0e0 else coverage end as coverage,
    case when as_of is null then 'unknown' else previous_quality end as previous_quality
from compared
where age = 0
