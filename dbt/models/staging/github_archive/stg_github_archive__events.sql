-- The archive is its files and, where they lack an event, BigQuery's copy of them. An event near midnight can sit in two
-- archive days: it is two rows here and one event later.
{% for table in ['github_archive__events', 'bigquery__github_events'] %}
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
    is_prerelease,
    published_at,
    default_branch,
    repo_created_at,
    is_fork,

    -- lineage
    _day as archive_day

from {{ source('raw', table) }} as landed
{% if not loop.last %}
union all
{% else %}
where
    not exists (
        select 1 from {{ source('raw', 'github_archive__events') }} as files
        where files.id = landed.id and files._day = landed._day
    )
{% endif %}
{% endfor %}
