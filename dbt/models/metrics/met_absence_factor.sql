-- The fewest people who together made at least half of the commits.
with

as_of as (

    select
        window_name,
        as_of

    from {{ ref('met_metrics') }}
    where metric = 'contributor_absence_factor' and period = 'all'

),

all_days as (

    select
        commits.entity_level,
        commits.entity_id,
        commits.actor_id,
        commits.event_day,
        date_diff('day', date '1970-01-01', commits.event_day) as day_no,
        count(*) as commit_count

    from {{ ref('met_commits') }} as commits
    inner join as_of
        on commits.event_day <= as_of.as_of
    where commits.actor_id is not null and not commits.is_bot
    group by 1, 2, 3, 4, 5

),

days as (

    select * from all_days
    where {{ from_year_before('event_day') }}

),

{{ rolling_sums('days', ['entity_level', 'entity_id', 'actor_id'], ['commit_count']) }},

united as (

    select
        days.entity_level,
        days.entity_id,
        days.actor_id,
        periods.window_name,
        periods.sample_date,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        cast(sum(days.commit_count) as bigint) as commit_count
    from days
    inner join {{ ref('met_periods') }} as periods
        on days.event_day = periods.day
    where
        periods.window_name in ('monthly', 'quarterly', 'yearly')
        and {{ rebuilt_metrics(plus_days('periods.next_date', -1), 'days.entity_id') }}
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        entity_level,
        entity_id,
        actor_id,
        window_name,
        sample_date,
        sample_date as last_day,
        commit_count
    from rolled

    union all

    select
        all_days.entity_level,
        all_days.entity_id,
        all_days.actor_id,
        as_of.window_name,
        as_of.as_of as sample_date,
        as_of.as_of as last_day,
        cast(sum(all_days.commit_count) as bigint) as commit_count
    from all_days
    cross join as_of
    group by 1, 2, 3, 4, 5, 6

),

ranked as (

    select
        *,
        cast(sum(commit_count) over (
            partition by entity_level, entity_id, window_name, sample_date
            order by commit_count desc, actor_id rows between unbounded preceding and current row
        ) as bigint) - commit_count as made_by_greater,
        cast(sum(commit_count) over (
            partition by entity_level, entity_id, window_name, sample_date
        ) as bigint) as made_by_all

    from united

)

select
    'contributor_absence_factor' as metric,
    'GITHUB' as metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day,
    cast(count(*) as double) as amount
from ranked
where 2 * made_by_greater < made_by_all
group by
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day
