-- The days that a window of ours may touch, to the end of the running year's last week.
with

edges as (

    select
        (select min(first_day) from {{ ref('met_starts') }}) as first_day,
        {{ plus_days(next_period('year', period_start('year', 'max(as_of)')), 6) }} as last_day

    from {{ ref('int_coverage__as_of') }}

)

select
    d.day,
    date_diff('day', date '1970-01-01', d.day) as day_no
from edges
cross join {{ days('edges.first_day', 'edges.last_day') }} as d (day)
