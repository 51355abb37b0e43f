-- Ratios and means of every window: the sum of all values by the number of cases.
with

days as (

    select * from {{ ref('met_mean_days') }}
    where {{ from_windows_start('event_day') }}

),

{{ rolling_sums('days', ['metric', 'metric_source', 'entity_level', 'entity_id'], ['value_sum', 'case_count']) }},

united as (

    select
        days.metric,
        days.metric_source,
        days.entity_level,
        days.entity_id,
        periods.window_name,
        periods.sample_date,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        sum(days.value_sum) as value_sum,
        sum(days.case_count) as case_count
    from days
    inner join {{ ref('met_periods') }} as periods
        on days.event_day = periods.day
    where periods.window_name <> 'daily'
    group by 1, 2, 3, 4, 5, 6, 7

    union all

    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        window_name,
        sample_date,
        sample_date as last_day,
        value_sum,
        case_count
    from rolled

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day,
    cast(value_sum as double) / case_count as amount
from united
where {{ rebuilt_metrics('last_day') }}

union all

select
    days.metric,
    days.metric_source,
    days.entity_level,
    days.entity_id,
    metrics.window_name,
    metrics.as_of as sample_date,
    metrics.as_of as last_day,
    cast(sum(days.value_sum) as double) / sum(days.case_count) as amount
from {{ ref('met_mean_days') }} as days
inner join {{ ref('met_metrics') }} as metrics
    on
        days.metric = metrics.metric
        and days.metric_source = metrics.metric_source
        and metrics.period = 'all'
group by 1, 2, 3, 4, 5, 6
