-- Every rolling metric as changes of a running sum, put together from those of met_rolling_base. With A(n) the distinct
-- actors of n days and N(n) the new ones: active before and now = A(n) + A(n) n days ago - A(2n), the rest by adding up.
with

base as (

    select * from {{ ref('met_rolling_base') }}

),

lengths as (

    select lengths.length_days from (values (30), (90), (180)) as lengths (length_days)

),

-- which sum, of a window how many times as long, how many lengths later, adds or takes away how often
parts as (

    select
        parts.metric,
        parts.base_metric,
        parts.times,
        parts.lengths_later,
        parts.sign

    from (
        values
        ('returning_contributors', 'contributors', 1, 0, 1),
        ('returning_contributors', 'new_contributors', 1, 0, -1),
        ('returning_addresses', 'active_addresses', 1, 0, 1),
        ('returning_addresses', 'new_addresses', 1, 0, -1),
        ('resurrected_contributors', 'contributors', 2, 0, 1),
        ('resurrected_contributors', 'contributors', 1, 1, -1),
        ('resurrected_contributors', 'new_contributors', 1, 0, -1),
        ('churned_contributors', 'contributors', 2, 0, 1),
        ('churned_contributors', 'contributors', 1, 0, -1),
        ('_stayed', 'contributors', 1, 0, 1),
        ('_stayed', 'contributors', 1, 1, 1),
        ('_stayed', 'contributors', 2, 0, -1),
        ('_before', 'contributors', 1, 1, 1),
        ('change_in_active_contributors', 'contributors', 1, 0, 1),
        ('change_in_active_contributors', 'contributors', 1, 1, -1),
        ('change_in_new_contributors', 'new_contributors', 1, 0, 1),
        ('change_in_new_contributors', 'new_contributors', 1, 1, -1),
        ('change_in_full_time_contributors', 'full_time_contributors', 1, 0, 1),
        ('change_in_full_time_contributors', 'full_time_contributors', 1, 1, -1),
        ('change_in_part_time_contributors', 'part_time_contributors', 1, 0, 1),
        ('change_in_part_time_contributors', 'part_time_contributors', 1, 1, -1),
        ('project_velocity', 'closed_issues', 1, 0, 1),
        ('project_velocity', 'commits', 1, 0, 1),
        ('project_velocity', 'pull_request_reviews', 1, 0, 1),
        ('project_velocity', 'contributors', 1, 0, 2)
    ) as parts (metric, base_metric, times, lengths_later, sign)

),

derived as (

    select
        base.metric,
        base.metric_source,
        base.entity_level,
        base.entity_id,
        base.length_days,
        base.day_no,
        base.delta,
        base.case_delta

    from base
    inner join lengths
        on base.length_days = lengths.length_days

    union all

    select
        parts.metric,
        base.metric_source,
        base.entity_level,
        base.entity_id,
        lengths.length_days,
        base.day_no + parts.lengths_later * lengths.length_days as day_no,
        case parts.sign when -1 then -base.delta when 2 then base.delta + base.delta else base.delta end as delta,
        cast(0 as bigint) as case_delta

    from base
    inner join parts
        on base.metric = parts.base_metric
    inner join lengths
        on base.length_days = parts.times * lengths.length_days

),

-- what lies before the rebuilt days is one sum: only where it stands on their eve matters
clamped as (

    select
        derived.metric,
        derived.metric_source,
        derived.entity_level,
        derived.entity_id,
        derived.length_days,
        case
            when whole.entity_id is not null then derived.day_no
            else greatest(derived.day_no, date_diff('day', date '1970-01-01', {{ rebuild_day(back=1) }}))
        end as day_no,
        derived.delta,
        derived.case_delta

    from derived
    left join {{ ref('met_rebuild') }} as whole
        on derived.entity_id = whole.entity_id

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    length_days,
    day_no,
    cast(sum(delta) as decimal(38, 18)) as delta,
    cast(sum(case_delta) as bigint) as case_delta
from clamped
group by
    metric,
    metric_source,
    entity_level,
    entity_id,
    length_days,
    day_no
having sum(delta) <> 0 or sum(case_delta) <> 0
