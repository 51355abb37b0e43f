with

current_rows as (

    select * from {{ source('raw', 'oss_directory__projects') }}

),

-- coverage lands last: a day without it is a landing that was cut
newest as (

    select max(_day) as snapshot_day from {{ source('raw', 'oss_directory__coverage') }}

)

select
    current_rows.name as project_name,
    coalesce(current_rows.display_name, current_rows.name) as display_name,
    current_rows.description,
    current_rows.websites,
    current_rows.sha,
    current_rows.committed_at
from current_rows
inner join newest
    on current_rows._day = newest.snapshot_day
