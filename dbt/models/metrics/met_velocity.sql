-- project_velocity of calendar windows: 1 for a closed issue, a commit and a review, 2 for a contributor. Its rolling
-- windows are sums of others' (met_rolling_deltas).
with

as_of as (

    select max(as_of) as as_of
    from {{ ref('met_metrics') }}
    where metric = 'project_velocity'

),

points as (

    select
        daily.entity_level,
        daily.entity_id,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        sum(daily.amount) as points
    from {{ ref('met_daily') }} as daily
    inner join as_of
        on daily.event_day <= as_of.as_of
    inner join {{ ref('met_periods') }} as periods
        on daily.event_day = periods.day
    where
        daily.metric in ('closed_issues', 'commits', 'pull_request_reviews')
        and periods.window_name <> 'daily'
        and {{ from_windows_start('daily.event_day', 'daily.entity_id') }}
    group by 1, 2, 3, 4, 5

    union all

    select
        days.entity_level,
        days.entity_id,
        periods.window_name,
        periods.sample_date,
        periods.next_date,
        2 * count(distinct days.actor_id) as points
    from {{ ref('met_actor_days') }} as days
    inner join as_of
        on days.event_day <= as_of.as_of
    inner join {{ ref('met_periods') }} as periods
        on days.event_day = periods.day
    where
        days.actor_set = 'contributors'
        and periods.window_name <> 'daily'
        and {{ from_windows_start('days.event_day', 'days.entity_id') }}
    group by 1, 2, 3, 4, 5

)

select
    'project_velocity' as metric,
    'GITHUB' as metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    {{ plus_days('next_date', -1) }} as last_day,
    cast(sum(points) as double) as amount
from points
where {{ rebuilt_metrics(plus_days('next_date', -1)) }}
group by 1, 2, 3, 4, 5, 6, 7
