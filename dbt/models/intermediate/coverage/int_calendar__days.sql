with

landed as (

    select
        min(archive_day) as first_day,
        max(archive_day) as last_day

    from (
        select archive_day from {{ ref('stg_github_archive__days') }}
        union all
        select archive_day from {{ ref('stg_github_api__repository_days') }}
    ) as days
    where archive_day < date '{{ told("run_day") }}'

)

select
    d.day,
    date_diff('day', date '1970-01-01', d.day) as day_no
from landed
cross join {{ days('landed.first_day', 'landed.last_day') }} as d (day)
