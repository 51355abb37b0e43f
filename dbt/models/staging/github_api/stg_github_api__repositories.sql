with

ranked as (

    select
        *,
        row_number() over (partition by repo_id order by _day desc) as day_rank

    from {{ source('raw', 'github_api__repositories') }}

)

select
    repo_id,
    repo_name,
    is_fork,
    is_archived,
    is_listed,
    default_branch,
    created_at,
    pushed_at,
    updated_at,
    _day as archive_day
from ranked
where day_rank = 1
