with

versions as (

    select
        *,
        row_number() over (partition by id order by _loaded_at desc, _day desc) as version

    from {{ source('raw', 'open_collective__accounts') }}

)

select
    id as account_id,
    slug as account_slug,
    type as account_type,
    name as display_name,
    currency,
    created_at,
    coalesce(is_archived, false) as is_archived,
    parent_id,
    parent_slug,
    host_id,
    host_slug,
    listed_slug,
    _loaded_at as loaded_at
from versions
where version = 1
