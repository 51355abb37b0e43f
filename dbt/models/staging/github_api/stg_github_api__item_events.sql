select
    repo_id,
    number as item_number,
    event,
    node_id,
    created_at,
    actor_id,
    actor_login,
    actor_type,
    is_pull_request,
    item_author_id,
    item_author_login,
    item_author_type,
    item_merged_at,
    _day as archive_day
from {{ source('raw', 'github_api__item_events') }}
