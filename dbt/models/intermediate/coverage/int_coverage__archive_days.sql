with

-- lost whole whatever the lines say: no measure for other days
lost as (

    select distinct calendar.day

    from {{ ref('int_calendar__days') }} as calendar
    inner join {{ ref('archive_caps') }} as caps
        on calendar.day between caps.from_day and caps.to_day
    where caps.family = '*' and caps.status = 'none'

),

days as (

    select
        calendar.day,
        coalesce(landed.hours_present, 0) as hours_present,
        coalesce(landed.files_complete, 0) as files_complete,
        coalesce(landed.line_count, 0) as line_count,
        lost.day is not null as is_lost

    from {{ ref('int_calendar__days') }} as calendar
    left join {{ ref('stg_github_archive__days') }} as landed
        on calendar.day = landed.archive_day
    left join lost
        on calendar.day = lost.day

),

{{ archive_day_status('days') }}

select
    day,
    hours_present,
    files_complete,
    line_count,
    is_lost,
    median_lines,
    status
from judged
