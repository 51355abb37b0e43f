-- The running sums spread over the days: every day with an amount or, of class S, a case; and one closing zero after a
-- run of amounts.
with

running as (

    select
        metric,
        metric_source,
        entity_level,
        entity_id,
        length_days,
        day_no,
        cast(sum(delta) over (
            partition by entity_id, metric, metric_source, entity_level, length_days order by day_no
            rows between unbounded preceding and current row
        ) as decimal(38, 18)) as amount,
        cast(sum(case_delta) over (
            partition by entity_id, metric, metric_source, entity_level, length_days order by day_no
            rows between unbounded preceding and current row
        ) as bigint) as case_count,
        lead(day_no) over (
            partition by entity_id, metric, metric_source, entity_level, length_days order by day_no
        ) as next_day_no

    from {{ ref('met_rolling_deltas') }}

),

followed as (

    select
        *,
        lag(amount) over (
            partition by entity_id, metric, metric_source, entity_level, length_days order by day_no
        ) as amount_before

    from running

),

last_days as (

    select
        metric_source,
        date_diff('day', date '1970-01-01', max(as_of)) as day_no

    from {{ ref('met_metrics') }}
    group by metric_source

),

pieces as (

    select
        followed.*,
        case
            when followed.amount = 0 and followed.case_count = 0 then followed.day_no
            else least(coalesce(followed.next_day_no - 1, last_days.day_no), last_days.day_no)
        end as last_day_no

    from followed
    inner join last_days
        on followed.metric_source = last_days.metric_source
    where
        followed.day_no <= last_days.day_no
        and (followed.amount <> 0 or followed.case_count > 0 or followed.amount_before <> 0)

),

spread as (

    select
        pieces.metric,
        pieces.metric_source,
        pieces.entity_level,
        pieces.entity_id,
        pieces.length_days,
        d.day as sample_date,
        date_diff('day', date '1970-01-01', d.day) as day_no,
        pieces.amount

    from pieces
    cross join {{ days(plus_days("date '1970-01-01'", 'pieces.day_no'), plus_days("date '1970-01-01'", 'pieces.last_day_no')) }} as d (day)
    where {{ rebuilt_metrics(plus_days("date '1970-01-01'", 'pieces.last_day_no'), 'pieces.entity_id') }}

)

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    length_days,
    sample_date,
    day_no,
    amount
from spread
where {{ rebuilt_metrics('sample_date') }}
