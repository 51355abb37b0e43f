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
        source,
        family,
        day
    from {{ ref('int_coverage__entity_days') }}
    where (source <> 'GITHUB' or family = 'repo_stats') and status in ('full', 'part') and day < date '{{ told("run_day") }}'
    union all
    select
        'GITHUB' as source,
        family,
        archive_day as day
    from {{ ref('stg_github_api__repository_days') }}
    where is_full and archive_day < date '{{ told("run_day") }}'
    union all
    select
        'NPM' as source,
        'versions' as family,
        least(to_day, {{ plus_days("date '" ~ told("run_day") ~ "'", -1) }}) as day
    from {{ ref('int_coverage__npm_versions') }}

)

select
    source,
    family,
    max(day) as as_of
from known
group by
    source,
    family
