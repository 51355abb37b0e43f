-- depends_on: {{ ref('int_rebuild__from') }}
-- The days that a window of ours may touch: from the first event, or a year before what landed, to the end of the running year's last week.
with

landed as (

    select
        min(day) as first_day,
        max(day) as last_day

    from {{ ref('int_calendar__days') }}

),

earliest as (

    select min(event_day) as first_event from {{ ref('int_activity__artifact_days') }}

),

edges as (

    select
        {{ plus_days(previous_period('year', period_start('year', "least(landed.first_day, coalesce(earliest.first_event, landed.first_day))")), -1) }} as first_day,
        {{ plus_days(next_period('year', period_start('year', 'landed.last_day')), 6) }} as last_day

    from landed
    cross join earliest

)

select
    d.day,
    date_diff('day', date '1970-01-01', d.day) as day_no
from edges
cross join {{ days('edges.first_day', 'edges.last_day') }} as d (day)
