select
    repo_id,
    review_id,
    number as item_number,
    author_id,
    author_login,
    author_type,
    state,
    submitted_at,
    item_author_id,
    _day as archive_day
from {{ source('raw', 'github_api__reviews') }}
