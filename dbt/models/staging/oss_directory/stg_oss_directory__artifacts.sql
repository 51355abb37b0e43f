with

artifacts as (

    select * from {{ source('raw', 'oss_directory__artifacts') }}

),

-- coverage lands last: a day without it is a landing that was cut
newest as (

    select max(_day) as snapshot_day from {{ source('raw', 'oss_directory__coverage') }}

),

listed as (

    select
        project_name,
        kind,
        identity,
        coalesce(network, '') as network,
        min(_day) as listed_since

    from artifacts
    group by
        project_name,
        kind,
        identity,
        coalesce(network, '')

)

select
    artifacts.project_name,
    artifacts.kind,
    artifacts.identity,
    listed.network,
    artifacts.tags,
    artifacts.url,
    artifacts.status,
    artifacts.reason,
    listed.listed_since
from artifacts
inner join newest
    on artifacts._day = newest.snapshot_day
inner join listed
    on
        artifacts.project_name = listed.project_name
        and artifacts.kind = listed.kind
        and artifacts.identity = listed.identity
        and coalesce(artifacts.network, '') = listed.network
