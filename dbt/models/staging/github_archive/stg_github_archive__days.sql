-- part 24 is hour 0 of the next day: it may hold late events of this day
select
    _day as archive_day,
    count_if(part < '24' and status in ('complete', 'damaged')) as hours_present,
    count_if(status = 'complete') as files_complete,
    cast(sum(case when part < '24' then coalesce(observed, 0) else 0 end) as bigint) as line_count
from {{ source('raw', 'github_archive__coverage') }}
where stream = 'events'
group by _day
