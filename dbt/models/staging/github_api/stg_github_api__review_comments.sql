select
    repo_id,
    comment_id,
    number as item_number,
    author_id,
    author_login,
    author_type,
    review_id,
    created_at,
    published_at,
    item_author_id,
    _day as archive_day
from {{ source('raw', 'github_api__review_comments') }}
