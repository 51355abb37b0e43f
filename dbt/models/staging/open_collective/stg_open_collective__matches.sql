with

versions as (

    select
        *,
        row_number() over (
            partition by account_id, kind, identity, project_name order by _loaded_at desc, _day desc
        ) as version,
        min(_day) over (partition by account_id, kind, identity, project_name) as matched_since

    from {{ source('raw', 'open_collective__matches') }}

)

select
    account_id,
    slug as account_slug,
    type as account_type,
    project_name,
    kind,
    identity,
    link_type,
    link,
    evidence,
    matched_since
from versions
where version = 1
