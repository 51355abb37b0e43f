-- Fano factor of the daily work over the days of which anything is known: with n days, sum s and sum of squares q it
-- is (q / n - (s / n)^2) / (s / n) = (n q - s^2) / (n s).
with

as_of as (

    select distinct
        coverage_set,
        as_of

    from {{ ref('met_metrics') }}
    where metric = 'burstiness'

),

seen as (

    select
        covered.entity_level,
        covered.entity_id,
        covered.day,
        {% for family in coverage_families() -%}
        {{ '+ ' if not loop.first }}needed.has_{{ family }} * (covered.full_{{ family }} + covered.part_{{ family }})
        {% endfor -%}
        as seen_count

    from {{ ref('met_coverage') }} as covered
    inner join as_of
        on covered.day <= as_of.as_of
    inner join {{ ref('met_sets') }} as needed
        on as_of.coverage_set = needed.coverage_set
    where covered.member_source = 'GITHUB' and {{ from_windows_start('covered.day', 'covered.entity_id') }}

),

coverage as (

    select
        entity_level,
        entity_id,
        day,
        seen_count > lag(seen_count, 1, 0) over (partition by entity_id order by day) as is_known

    from seen

),

known as (

    select
        *,
        cast(sum(case when is_known then 1 else 0 end) over (
            partition by entity_id order by day rows between unbounded preceding and current row
        ) as bigint) as known_days

    from coverage

),

days as (

    select
        work.entity_level,
        work.entity_id,
        work.event_day,
        work.day_no,
        work.of_humans * work.of_humans as square_sum,
        work.of_humans as event_sum

    from {{ ref('met_work_days') }} as work
    inner join known
        on work.entity_level = known.entity_level and work.entity_id = known.entity_id and work.event_day = known.day
    where known.is_known

),

{{ rolling_sums('days', ['entity_level', 'entity_id'], ['square_sum', 'event_sum']) }},

united as (

    select
        days.entity_level,
        days.entity_id,
        periods.window_name,
        periods.sample_date,
        periods.sample_date as first_day,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        cast(sum(days.square_sum) as bigint) as square_sum,
        cast(sum(days.event_sum) as bigint) as event_sum
    from days
    inner join {{ ref('met_periods') }} as periods
        on days.event_day = periods.day
    where periods.window_name <> 'daily'
    group by 1, 2, 3, 4, 5, 6

    union all

    select
        entity_level,
        entity_id,
        window_name,
        sample_date,
        {{ plus_days('sample_date', '1 - length_days') }} as first_day,
        sample_date as last_day,
        square_sum,
        event_sum
    from rolled

),

counted as (

    select
        united.*,
        at_end.known_days - coalesce(at_start.known_days, 0) as known_days

    from united
    cross join as_of
    inner join known as at_end
        on
            united.entity_level = at_end.entity_level
            and united.entity_id = at_end.entity_id
            and least(united.last_day, as_of.as_of) = at_end.day
    left join known as at_start
        on
            united.entity_level = at_start.entity_level
            and united.entity_id = at_start.entity_id
            and {{ plus_days('united.first_day', -1) }} = at_start.day
    where united.event_sum > 0 and {{ rebuilt_metrics('united.last_day', 'united.entity_id') }}

)

select
    'burstiness' as metric,
    'GITHUB' as metric_source,
    entity_level,
    entity_id,
    window_name,
    sample_date,
    last_day,
    cast(known_days * square_sum - event_sum * event_sum as double) / (known_days * event_sum) as amount
from counted
where known_days >= 2
