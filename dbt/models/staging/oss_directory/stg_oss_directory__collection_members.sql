with

current_rows as (

    select * from {{ source('raw', 'oss_directory__collection_members') }}

),

-- coverage lands last: a day without it is a landing that was cut
newest as (

    select max(_day) as snapshot_day from {{ source('raw', 'oss_directory__coverage') }}

)

select
    current_rows.collection_name,
    current_rows.project_name
from current_rows
inner join newest
    on current_rows._day = newest.snapshot_day
