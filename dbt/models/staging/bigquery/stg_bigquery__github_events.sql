-- The columns of stg_github_archive__events, to be united with it by event id, and who delivered them.
select

    -- keys
    id as github_event_id,
    repo_id,
    actor_id,
    number as item_number,
    object_id,

    -- names at event time
    repo_name,
    actor_login,

    -- facts
    type as github_type,
    action,
    ref,
    created_at,
    push_size,
    listed_commits,
    author_id,
    author_login,
    author_type,
    item_author_id,
    opened_at,
    closed_at,
    merged_at,
    is_merged,
    merged_by_id,
    merged_by_login,
    merged_by_type,
    submitted_at,
    published_at,
    default_branch,
    repo_created_at,
    is_fork,

    -- lineage
    'bigquery' as provider,
    _day as archive_day

from {{ source('raw', 'bigquery__github_events') }}
