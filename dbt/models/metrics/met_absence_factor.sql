-- The fewest people who together made at least half of the commits.
{% set day_no = '(days.day_no + edges.lengths_later * lengths.length_days)' %}
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
    where {{ from_windows_start('event_day') }}

),

changes as (

    select
        days.entity_level,
        days.entity_id,
        days.actor_id,
        lengths.length_days,
        {{ booked_on(day_no, 0, 'days.entity_id') }} as day_no,
        sum(edges.sign * days.commit_count) as delta

    from days
    cross join (values (30), (90), (180)) as lengths (length_days)
    cross join (values (0, 1), (1, -1)) as edges (lengths_later, sign)
    where
        {{ rebuilt('days.event_day', rebuild_day(back=181), 'days.entity_id', "select entity_id from " ~ ref('met_rebuild')) }}
        and {{ until_last_day(day_no) }}
    group by 1, 2, 3, 4, 5

),

counts as (

    select
        *,
        cast(sum(delta) over (
            partition by actor_id, entity_id, entity_level, length_days order by day_no
            rows between unbounded preceding and current row
        ) as bigint) as commit_count

    from changes

),

-- how many people have how many commits in the window: who gets another count leaves those with the old one
moves as (

    select
        counts.entity_level,
        counts.entity_id,
        counts.length_days,
        counts.day_no,
        case sides.sign when 1 then counts.commit_count else counts.commit_count - counts.delta end as commit_count,
        sides.sign

    from counts
    cross join (values (1), (-1)) as sides (sign)

),

steps as (

    select
        entity_level,
        entity_id,
        length_days,
        commit_count,
        day_no,
        sum(sign) as delta

    from moves
    where commit_count > 0
    group by 1, 2, 3, 4, 5
    having sum(sign) <> 0

),

crowds as (

    select
        *,
        cast(sum(delta) over (
            partition by commit_count, entity_id, entity_level, length_days order by day_no
            rows between unbounded preceding and current row
        ) as bigint) as people,
        lead(day_no) over (
            partition by commit_count, entity_id, entity_level, length_days order by day_no
        ) as next_day_no

    from steps

),

pieces as (

    select
        crowds.*,
        {{ plus_days("date '1970-01-01'", 'crowds.day_no') }} as from_day,
        least({{ plus_days("date '1970-01-01'", 'crowds.next_day_no - 1') }}, as_of.as_of) as to_day

    from crowds
    cross join as_of
    where crowds.people > 0 and {{ plus_days("date '1970-01-01'", 'crowds.day_no') }} <= as_of.as_of

),

spans as (

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

united as (

    select
        entity_level,
        entity_id,
        window_name,
        sample_date,
        last_day,
        commit_count,
        count(*) as people
    from spans
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        pieces.entity_level,
        pieces.entity_id,
        'over_' || cast(pieces.length_days as varchar) || '_day_period' as window_name,
        sample.day as sample_date,
        sample.day as last_day,
        pieces.commit_count,
        pieces.people
    from pieces
    cross join {{ days('pieces.from_day', 'pieces.to_day') }} as sample (day)
    where {{ rebuilt_metrics('sample.day', 'pieces.entity_id') }}

),

ranked as (

    select
        *,
        sum(commit_count * people) over (
            partition by sample_date, entity_id, entity_level, window_name
        ) as made_by_all,
        sum(commit_count * people) over (
            partition by sample_date, entity_id, entity_level, window_name
            order by commit_count desc rows between unbounded preceding and current row
        ) - commit_count * people as made_by_greater,
        sum(people) over (
            partition by sample_date, entity_id, entity_level, window_name
            order by commit_count desc rows between unbounded preceding and current row
        ) - people as greater

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
    -- those with more commits, and as many of these as it takes to reach the half
    greater + ceil(cast(made_by_all - 2 * made_by_greater as double) / (2 * commit_count)) as amount
from ranked
where 2 * made_by_greater < made_by_all and 2 * (made_by_greater + commit_count * people) >= made_by_all
