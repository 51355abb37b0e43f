-- The running sums spread over the days: every day with an amount, and one closing zero after a run.
with

running as (

    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        cast(sum(delta) over (
            partition by metric, entity_level, entity_id, length_days order by day_no
            rows between unbounded preceding and current row
        ) as bigint) as amount,
        lead(day_no) over (
            partition by metric, entity_level, entity_id, length_days order by day_no
        ) as next_day_no

    from {{ ref('met_rolling_deltas') }}

),

last_day as (

    select max(day_no) as day_no from {{ ref('int_calendar__days') }}

),

pieces as (

    select
        running.*,
        case
            when running.amount = 0 then running.day_no
            else least(coalesce(running.next_day_no - 1, last_day.day_no), last_day.day_no)
        end as last_day_no

    from running
    cross join last_day
    where running.day_no <= last_day.day_no

),

spread as (

    select
        pieces.metric,
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
    entity_level,
    entity_id,
    length_days,
    sample_date,
    day_no,
    amount
from spread
where {{ rebuilt_metrics('sample_date') }}
