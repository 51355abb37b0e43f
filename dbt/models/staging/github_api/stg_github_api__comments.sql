select
    repo_id,
    comment_id,
    number as item_number,
    author_id,
    author_login,
    author_type,
    created_at,
    on_pull_request,
    item_author_id,
    _day as archive_day
from {{ source('raw', 'github_api__comments') }}
