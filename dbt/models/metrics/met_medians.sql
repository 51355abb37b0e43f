-- Exact medians: the mean of the middle one or two cases of a window.
{% set last_in = "least(" ~ plus_days("recent.event_day", "lengths.length_days - 1") ~ ", last_day.day)" %}
with

cases as (

    select * from {{ ref('met_cases') }}
    where metric like '%median'

),

recent as (

    select * from cases
    where {{ from_year_before('event_day') }}

),

last_day as (

    select max(as_of) as day from {{ ref('met_metrics') }}

),

united as (

    select
        recent.metric,
        recent.metric_source,
        recent.entity_level,
        recent.entity_id,
        periods.window_name,
        periods.sample_date,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        recent.amount
    from recent
    inner join {{ ref('met_periods') }} as periods
        on recent.event_day = periods.day
    where
        periods.window_name <> 'daily'
        and {{ rebuilt_metrics(plus_days('periods.next_date', -1), 'recent.entity_id') }}

    union all

    -- a case lies in as many rolling windows as they have days
    select
        recent.metric,
        recent.metric_source,
        recent.entity_level,
        recent.entity_id,
        'over_' || cast(lengths.length_days as varchar) || '_day_period' as window_name,
        sample.day as sample_date,
        sample.day as last_day,
        recent.amount
    from recent
    cross join (values (30), (90), (180)) as lengths (length_days)
    cross join last_day
    cross join {{ days('recent.event_day', last_in) }} as sample (day)
    where {{ rebuilt_metrics('sample.day', 'recent.entity_id') }}

    union all

    select
        cases.metric,
        cases.metric_source,
        cases.entity_level,
        cases.entity_id,
        metrics.window_name,
        metrics.as_of as sample_date,
        metrics.as_of as last_day,
        cases.amount
    from cases
    inner join {{ ref('met_metrics') }} as metrics
        on
            cases.metric = metrics.metric
            and cases.metric_source = metrics.metric_source
            and metrics.period = 'all'

),

ranked as (

    select
        *,
        row_number() over (
            partition by metric, metric_source, entity_level, entity_id, window_name, sample_date order by amount
        ) as place,
        count(*) over (partition by metric, metric_source, entity_level, entity_id, window_name, sample_date) as case_count

    from united

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day,
    cast(sum(amount) as double) / count(*)
    / case metric when 'days_between_releases_median' then 86400 else 1 end as amount
from ranked
where 2 * place between case_count and case_count + 2
group by
    metric,
    metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day
