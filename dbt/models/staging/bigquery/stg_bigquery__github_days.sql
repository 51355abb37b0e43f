-- parts are hours of creation, or 'day' where nothing could be read; there is no hour 24
select
    _day as archive_day,
    count_if(part < '24' and status = 'complete') as hours_present,
    count_if(status = 'complete') as files_complete,
    cast(sum(case when part < '24' then coalesce(observed, 0) else 0 end) as bigint) as line_count
from {{ source('raw', 'bigquery__coverage') }}
where stream = 'github_events'
group by _day
