-- One row for every entity, metric and window of rolling or all time: the newest value, zeros included.
with

entities as (

    select
        entity_level,
        entity_id,
        min(born_on) as born_on

    from {{ ref('met_entities') }}
    group by
        entity_level,
        entity_id

),

windows as (

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.row_class, metrics.length_days, metrics.needs_previous,
        metrics.first_ever or metrics.period = 'all' as first_ever,
        metrics.as_of,
        entities.entity_level, entities.entity_id,
        coalesce(metrics.as_of, {{ plus_days('date \'' ~ var("run_day") ~ '\'', -1) }}) as sample_date,
        coalesce(metrics.as_of, (select max(day) from {{ ref('int_calendar__days') }})) as last_day,
        case
            when metrics.period = 'all' then (select min(day) from {{ ref('met_days') }})
            else {{ plus_days('metrics.as_of', '1 - metrics.length_days') }}
        end as first_day,
        {{ plus_days('metrics.as_of', '1 - 2 * metrics.length_days') }} as previous_first_day

    from {{ ref('met_metrics') }} as metrics
    cross join entities
    where metrics.period in ('rolling', 'all')

),

{{ window_quality('windows') }},

series as (

    select * from {{ ref('met_series') }}

)

select
    judged.metric_id,
    judged.metric,
    judged.metric_source,
    judged.window_name,
    judged.unit,
    judged.entity_level,
    judged.entity_id,
    judged.sample_date,
    case
        when judged.quality = 'unknown' or judged.as_of is null then null
        when judged.row_class = 'R' then coalesce(newest.amount, ever.amount)
        else coalesce(newest.amount, ever.amount, 0e0)
    end as amount,
    case
        when judged.length_days is null or judged.is_past_unknown or judged.as_of is null then null
        when judged.row_class = 'R' then past.amount
        else coalesce(past.amount, 0e0)
    end as previous_amount,
    case when judged.as_of is null then 'unknown' else judged.quality end as quality,
    case when judged.as_of is null then 0e0 else judged.coverage end as coverage
from judged
left join series as newest
    on
        judged.metric_id = newest.metric_id
        and judged.entity_level = newest.entity_level
        and judged.entity_id = newest.entity_id
        and judged.sample_date = newest.sample_date
left join series as past
    on
        judged.metric_id = past.metric_id
        and judged.entity_level = past.entity_level
        and judged.entity_id = past.entity_id
        and {{ plus_days('judged.sample_date', '-judged.length_days') }} = past.sample_date
left join {{ ref('met_all_time') }} as ever
    on
        judged.length_days is null
        and judged.metric = ever.metric
        and judged.entity_level = ever.entity_level
        and judged.entity_id = ever.entity_id
