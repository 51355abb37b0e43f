-- Part 24 is hour 0 of the next day: it may hold late events of this day. BigQuery's copy tells an hour's events, but not
-- whether its file was read to the end, and rows over 2 MiB are gone from it: an hour of the copy is never complete.
with

parts as (

    select
        _day,
        part,
        status in ('complete', 'damaged') as is_present,
        status = 'complete' as is_complete,
        observed
    from {{ source('raw', 'github_archive__coverage') }}
    where stream = 'events'
    union all
    select
        _day,
        part,
        status = 'complete' as is_present,
        false as is_complete,
        observed
    from {{ source('raw', 'bigquery__coverage') }}
    where stream = 'github_events'

),

hours as (

    select
        _day,
        part,
        count_if(is_present) > 0 as is_present,
        count_if(is_complete) > 0 as is_complete,
        coalesce(max(observed), 0) as line_count

    from parts
    group by
        _day,
        part

)

select
    _day as archive_day,
    count_if(part < '24' and is_present) as hours_present,
    count_if(is_complete) as files_complete,
    cast(sum(case when part < '24' then line_count else 0 end) as bigint) as line_count
from hours
group by _day
