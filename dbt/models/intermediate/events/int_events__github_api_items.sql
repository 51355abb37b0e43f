{{ config(materialized='view') }}
-- Every event that the API tells, by the rules of the catalogue; accounts and git authors still by number and e-mail. But
-- for commits, whose history reaches back, only what happened on the landed day is taken.
with

pull_requests as (

    select * from {{ ref('stg_github_api__pull_requests') }}

),

-- a merge closes too; that closing is no event of its own
turns as (

    select *
    from {{ ref('stg_github_api__item_events') }}
    where
        not is_pull_request or event <> 'closed' or item_merged_at is null
        or abs({{ epoch_seconds('created_at') }} - {{ epoch_seconds('item_merged_at') }}) > 60

),

united as (

    select
        repo_id,
        'COMMIT_CODE' as event_type,
        committed_at as event_time,
        sha as object_id,
        sha as last_key,
        author_id as actor_user_id,
        author_id as subject_user_id,
        cast(null as bigint) as item_author_id,
        cast(null as bigint) as item_number,
        cast(null as boolean) as is_prerelease,
        author_email,
        author_name,
        cast(1 as decimal(38, 18)) as amount,
        archive_day
    from {{ ref('stg_github_api__commits') }}
    union all
    select
        repo_id, 'PULL_REQUEST_OPENED', created_at, cast(item_number as varchar), null, author_id, author_id,
        null, item_number, null, null, null, 1, archive_day
    from pull_requests
    where {{ utc_day('created_at') }} = archive_day
    union all
    select
        repo_id, 'PULL_REQUEST_MERGED', merged_at, cast(item_number as varchar), null, merged_by_id, author_id,
        null, item_number, null, null, null, 1, archive_day
    from pull_requests
    where {{ utc_day('merged_at') }} = archive_day
    union all
    select
        repo_id,
        case when is_pull_request then 'PULL_REQUEST_' else 'ISSUE_' end
        || case when event = 'closed' then 'CLOSED' else 'REOPENED' end,
        created_at, cast(item_number as varchar), cast({{ epoch_seconds('created_at') }} as varchar), actor_id,
        item_author_id, null, item_number, null, null, null, 1, archive_day
    from turns
    union all
    select
        repo_id, 'ISSUE_OPENED', created_at, cast(item_number as varchar), null, author_id, author_id,
        null, item_number, null, null, null, 1, archive_day
    from {{ ref('stg_github_api__issues') }}
    where {{ utc_day('created_at') }} = archive_day
    union all
    select
        repo_id, 'ISSUE_COMMENT', created_at, cast(comment_id as varchar), null, author_id, author_id,
        item_author_id, item_number, null, null, null, 1, archive_day
    from {{ ref('stg_github_api__comments') }}
    union all
    select
        repo_id, 'PULL_REQUEST_REVIEW', submitted_at, cast(review_id as varchar), null, author_id, author_id,
        item_author_id, item_number, null, null, null, 1, archive_day
    from {{ ref('stg_github_api__reviews') }}
    union all
    select
        repo_id, 'PULL_REQUEST_REVIEW_COMMENT', coalesce(published_at, created_at), cast(comment_id as varchar), null,
        author_id, author_id, item_author_id, item_number, null, null, null, 1, archive_day
    from {{ ref('stg_github_api__review_comments') }}
    union all
    select
        repo_id, 'RELEASE_PUBLISHED', published_at, cast(release_id as varchar), null, author_id, null,
        null, null, is_prerelease, null, null, 1, archive_day
    from {{ ref('stg_github_api__releases') }}
    union all
    select
        repo_id, 'FORKED', created_at, cast(fork_id as varchar), null, owner_id, null,
        null, null, null, null, null, 1, archive_day
    from {{ ref('stg_github_api__forks') }}
    union all
    select
        repo_id, 'STARRED', {{ at_utc('archive_day') }}, cast(archive_day as varchar), null, null, null,
        null, null, null, null, null, cast(star_count as decimal(38, 18)), archive_day
    from {{ ref('stg_github_api__stars') }}
    where star_count > 0

),

-- what happens to an item is landed with the item
opened as (

    select
        repo_id,
        item_number,
        archive_day,
        min(created_at) as opened_at

    from (
        select
            repo_id,
            item_number,
            archive_day,
            created_at
        from pull_requests
        union all
        select
            repo_id,
            item_number,
            archive_day,
            created_at
        from {{ ref('stg_github_api__issues') }}
    ) as items
    group by
        repo_id,
        item_number,
        archive_day

)

select
    united.repo_id,
    united.event_type,
    united.event_time,
    united.object_id,
    united.last_key,
    united.actor_user_id,
    united.subject_user_id,
    united.item_author_id,
    united.item_number,
    opened.opened_at as item_opened_at,
    united.is_prerelease,
    united.author_email,
    united.author_name,
    united.amount,
    united.archive_day
from united
left join opened
    on
        united.repo_id = opened.repo_id
        and united.item_number = opened.item_number
        and united.archive_day = opened.archive_day
