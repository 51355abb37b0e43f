with

known as (

    select
        source,
        family,
        day

    from {{ ref('int_coverage__days') }}
    where artifact_id is null and status in ('full', 'part')
    union all
    select
        'GITHUB' as source,
        family,
        archive_day as day

    from {{ ref('stg_github_api__repository_days') }}
    where is_full and archive_day < date '{{ var("run_day") }}'

)

select
    source,
    family,
    max(day) as as_of
from known
group by
    source,
    family
