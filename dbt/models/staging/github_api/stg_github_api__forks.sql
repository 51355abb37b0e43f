select
    repo_id,
    fork_id,
    fork_name,
    created_at,
    owner_id,
    owner_login,
    owner_type,
    _day as archive_day
from {{ source('raw', 'github_api__forks') }}
