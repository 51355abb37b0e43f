-- a repository that did not move has one row for all its families: asked, and nothing happened
with

coverage as (

    select
        _day as archive_day,
        try_cast(part as bigint) as repo_id,
        stream,
        status,
        reason

    from {{ source('raw', 'github_api__coverage') }}

),

families as (

    select
        family,
        stream

    from (
        values
        ('commits', 'commits'),
        ('pulls_opened', 'pull_requests'),
        ('pulls_closed', 'pull_requests'),
        ('pulls_closed', 'item_events'),
        ('reviews', 'reviews'),
        ('reviews', 'review_comments'),
        ('issues', 'issues'),
        ('issues', 'item_events'),
        ('comments', 'comments'),
        ('releases', 'releases'),
        ('stars', 'stars'),
        ('forks', 'forks')
    ) as f (family, stream)

),

asked as (

    select
        archive_day,
        repo_id,
        reason is not null as is_quiet

    from coverage
    where stream = 'repositories' and status = 'complete' and repo_id is not null

),

statuses as (

    select
        asked.archive_day,
        asked.repo_id,
        families.family,
        asked.is_quiet or coverage.status = 'complete' as is_read

    from asked
    cross join families
    left join coverage
        on
            asked.archive_day = coverage.archive_day
            and asked.repo_id = coverage.repo_id
            and families.stream = coverage.stream

)

select
    repo_id,
    family,
    archive_day,
    count(*) = count_if(is_read) as is_full
from statuses
group by
    repo_id,
    family,
    archive_day
