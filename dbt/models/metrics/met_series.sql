{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_series('window_name', 'sample_date')) }}",
    properties={'partitioning': "ARRAY['month(sample_date)']"}
) }}
-- Every window's amount with its quality. Rows whose quality is unknown are dropped: an outage is not a number.
with

metrics as (

    select * from {{ ref('met_metrics') }}

),

first_acts as (

    select
        entity_level,
        entity_id,
        date_diff('day', date '1970-01-01', min(first_day)) as day_no

    from {{ ref('met_first_days') }}
    where actor_set = 'contributors'
    group by
        entity_level,
        entity_id

),

rolling as (

    select * from {{ ref('met_rolling') }}

),

rolling_amounts as (

    select
        rolling.metric,
        rolling.metric_source,
        rolling.entity_level,
        rolling.entity_id,
        rolling.length_days,
        rolling.sample_date,
        cast(rolling.amount as double) as amount

    from rolling
    left join first_acts
        on rolling.entity_level = first_acts.entity_level and rolling.entity_id = first_acts.entity_id
    where
        rolling.metric not in ('_stayed', '_before')
        -- a change needs a contribution before its window, and its closing zero a defined change the day before
        and (
            rolling.metric not like 'change_in_%'
            or first_acts.day_no <= rolling.day_no - rolling.length_days - case when rolling.amount = 0 then 1 else 0 end
        )

    union all

    select
        'contributor_retention_rate' as metric,
        past.metric_source,
        past.entity_level,
        past.entity_id,
        past.length_days,
        past.sample_date,
        cast(coalesce(stayed.amount, 0) as double) / cast(past.amount as double) as amount

    from rolling as past
    left join rolling as stayed
        on
            stayed.metric = '_stayed'
            and past.entity_level = stayed.entity_level
            and past.entity_id = stayed.entity_id
            and past.length_days = stayed.length_days
            and past.sample_date = stayed.sample_date
    where past.metric = '_before' and past.amount > 0

),

windows as (

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.member_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.needs_previous, metrics.first_ever, metrics.row_class, metrics.as_of,
        amounts.entity_level, amounts.entity_id, amounts.sample_date, amounts.amount,
        {{ plus_days('amounts.sample_date', '1 - amounts.length_days') }} as first_day,
        amounts.sample_date as last_day,
        {{ plus_days('amounts.sample_date', '1 - 2 * amounts.length_days') }} as previous_first_day

    from rolling_amounts as amounts
    inner join metrics
        on
            amounts.metric = metrics.metric
            and amounts.metric_source = metrics.metric_source
            and amounts.length_days = metrics.length_days
    where amounts.sample_date <= metrics.as_of

    union all

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.member_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.needs_previous, metrics.first_ever, metrics.row_class, metrics.as_of,
        amounts.entity_level, amounts.entity_id, amounts.sample_date, amounts.amount,
        amounts.sample_date as first_day,
        amounts.last_day,
        amounts.previous_date as previous_first_day

    from {{ ref('met_calendar') }} as amounts
    inner join metrics
        on
            amounts.metric = metrics.metric
            and amounts.metric_source = metrics.metric_source
            and amounts.window_name = metrics.window_name
    where amounts.sample_date <= metrics.as_of

    union all

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.member_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.needs_previous, metrics.first_ever, metrics.row_class, metrics.as_of,
        amounts.entity_level, amounts.entity_id, amounts.sample_date, amounts.amount,
        {{ plus_days('amounts.sample_date', 'coalesce(1 - metrics.length_days, 0)') }} as first_day,
        amounts.last_day,
        cast(null as date) as previous_first_day

    from {{ ref('met_statistics') }} as amounts
    inner join metrics
        on
            amounts.metric = metrics.metric
            and amounts.metric_source = metrics.metric_source
            and amounts.window_name = metrics.window_name
    where amounts.sample_date <= metrics.as_of and metrics.period <> 'all'

    union all

    select
        metrics.metric_id, metrics.metric, metrics.metric_source, metrics.member_source, metrics.window_name, metrics.unit, metrics.coverage_set,
        metrics.needs_previous, metrics.first_ever, metrics.row_class, metrics.as_of,
        amounts.entity_level, amounts.entity_id, amounts.sample_date, amounts.amount,
        amounts.sample_date as first_day,
        amounts.sample_date as last_day,
        cast(null as date) as previous_first_day

    from {{ ref('met_stocks') }} as amounts
    inner join metrics
        on amounts.metric = metrics.metric and amounts.metric_source = metrics.metric_source
    where {{ rebuilt_metrics('amounts.sample_date', 'amounts.entity_id') }}

),

{{ window_quality('windows') }}

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
    -- an older snapshot tells something of a day without its own
    case when row_class = 'K' and quality = 'unknown' then 'partial' else quality end as quality,
    coverage,
    {{ run_columns() }}
from judged
where quality <> 'unknown' or row_class = 'K'
