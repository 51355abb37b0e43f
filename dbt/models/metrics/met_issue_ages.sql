-- Ages of the issues that are open when a window ends, or at the end of the data-through day of a running one.
with

as_of as (

    select
        window_name,
        as_of

    from {{ ref('met_metrics') }}
    where metric = 'issue_age_median'

),

-- an issue is open from each opening to the next closing
turns as (

    select
        event_id,
        event_type,
        lead(event_day) over (
            partition by artifact_id, item_number
            order by
                event_time,
                case event_type when 'ISSUE_OPENED' then 0 when 'ISSUE_CLOSED' then 1 else 2 end,
                event_id
        ) as next_day

    from {{ ref('int_activity__item_events') }}
    where event_type in ('ISSUE_OPENED', 'ISSUE_CLOSED', 'ISSUE_REOPENED')

),

spans as (

    select
        entities.entity_level,
        entities.entity_id,
        items.opened_at,
        case
            when whole.entity_id is not null then items.event_day
            else greatest(items.event_day, least({{ rebuild_day() }}, as_of.as_of))
        end as from_day,
        least(coalesce({{ plus_days('turns.next_day', -1) }}, as_of.as_of), as_of.as_of) as to_day

    from turns
    inner join {{ ref('int_activity__human_items') }} as items
        on turns.event_id = items.event_id
    inner join as_of
        on as_of.window_name = 'over_all_time'
    inner join {{ ref('met_entities') }} as entities
        on items.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    left join {{ ref('met_rebuild') }} as whole
        on entities.entity_id = whole.entity_id
    where turns.event_type <> 'ISSUE_CLOSED' and items.opened_at is not null

),

ends as (

    select distinct
        periods.window_name,
        periods.sample_date,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        least({{ plus_days('periods.next_date', -1) }}, as_of.as_of) as day
    from {{ ref('met_periods') }} as periods
    inner join as_of
        on periods.window_name = as_of.window_name
    where periods.sample_date <= as_of.as_of

    union all

    select
        window_name,
        as_of as sample_date,
        as_of as last_day,
        as_of as day
    from as_of
    where window_name = 'over_all_time'

),

ages as (

    select
        spans.entity_level,
        spans.entity_id,
        ends.window_name,
        ends.sample_date,
        ends.last_day,
        86400 * (date_diff('day', date '1970-01-01', ends.day) + 1) - {{ epoch_seconds('spans.opened_at') }} as seconds

    from spans
    inner join ends
        on ends.day between spans.from_day and spans.to_day
    where ends.window_name = 'over_all_time' or {{ rebuilt_metrics('ends.last_day', 'spans.entity_id') }}

),

ranked as (

    select
        *,
        row_number() over (partition by sample_date, entity_id, entity_level, window_name order by seconds) as place,
        count(*) over (partition by sample_date, entity_id, entity_level, window_name) as issue_count

    from ages

),

measured as (

    select
        entity_level,
        entity_id,
        window_name,
        sample_date,
        last_day,
        cast(sum(seconds) as double) / count(*) as age_avg,
        cast(sum(case when 2 * place between issue_count and issue_count + 2 then seconds end) as double)
        / count_if(2 * place between issue_count and issue_count + 2) as age_median,
        cast(min(seconds) as double) as age_min,
        cast(max(seconds) as double) as age_max

    from ranked
    group by
        entity_level,
        entity_id,
        window_name,
        sample_date,
        last_day

)

select
    'issue_age_' || kinds.kind as metric,
    'GITHUB' as metric_source,
    measured.entity_level,
    measured.entity_id,
    measured.window_name,
    measured.sample_date,
    measured.last_day,
    case kinds.kind
        when 'avg' then measured.age_avg
        when 'median' then measured.age_median
        when 'min' then measured.age_min
        else measured.age_max
    end as amount
from measured
cross join (values ('avg'), ('median'), ('min'), ('max')) as kinds (kind)
