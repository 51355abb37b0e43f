select
    repo_id,
    number as item_number,
    object_id,
    state,
    created_at,
    closed_at,
    author_id,
    author_login,
    author_type,
    state_reason,
    _day as archive_day
from {{ source('raw', 'github_api__issues') }}
