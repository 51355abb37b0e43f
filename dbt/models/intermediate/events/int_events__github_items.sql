{{ config(materialized='view') }}
-- Every event of the archive but commits, by the rules of the catalogue; users still by number.
with

events as (

    select
        *,
        created_at < {{ timestamp_utc("'2025-10-07 00:00:00 UTC'") }} as is_full_form

    from {{ ref('stg_github_archive__events') }}

),

typed as (

    select
        *,
        case
            when github_type = 'WatchEvent' and action = 'started' then 'STARRED'
            when github_type = 'ForkEvent' then 'FORKED'
            when github_type = 'ReleaseEvent' and action = 'published' then 'RELEASE_PUBLISHED'
            when github_type = 'IssuesEvent' and action = 'opened' then 'ISSUE_OPENED'
            when github_type = 'IssuesEvent' and action = 'closed' then 'ISSUE_CLOSED'
            when github_type = 'IssuesEvent' and action = 'reopened' then 'ISSUE_REOPENED'
            when github_type = 'IssueCommentEvent' and action = 'created' then 'ISSUE_COMMENT'
            when github_type = 'PullRequestEvent' and action = 'opened' then 'PULL_REQUEST_OPENED'
            when github_type = 'PullRequestEvent' and action = 'reopened' then 'PULL_REQUEST_REOPENED'
            when
                github_type = 'PullRequestEvent' and is_full_form
                and (action = 'merged' or (action = 'closed' and merged_at is not null))
                then 'PULL_REQUEST_MERGED'
            when github_type = 'PullRequestEvent' and is_full_form and action = 'closed' then 'PULL_REQUEST_CLOSED'
            when github_type = 'PullRequestReviewEvent' and action = 'created' then 'PULL_REQUEST_REVIEW'
            when
                github_type = 'PullRequestReviewCommentEvent' and action = 'created'
                then 'PULL_REQUEST_REVIEW_COMMENT'
        end as event_type

    from events

),

timed as (

    select
        *,
        case
            when event_type in ('PULL_REQUEST_OPENED', 'ISSUE_OPENED') then coalesce(opened_at, created_at)
            when event_type = 'PULL_REQUEST_MERGED' then coalesce(merged_at, created_at)
            when event_type in ('PULL_REQUEST_CLOSED', 'ISSUE_CLOSED') then coalesce(closed_at, created_at)
            else created_at
        end as event_time

    from typed
    where event_type is not null

)

select
    github_event_id,
    repo_id,
    event_type,
    event_time,
    case
        when event_type = 'STARRED'
            then coalesce(cast(actor_id as varchar), 'event ' || github_event_id)
        when event_type in ('FORKED', 'RELEASE_PUBLISHED', 'ISSUE_COMMENT', 'PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT')
            then coalesce(cast(object_id as varchar), 'event ' || github_event_id)
        else coalesce(cast(item_number as varchar), 'event ' || github_event_id)
    end as object_id,
    case
        when event_type = 'STARRED' then cast({{ utc_day('event_time') }} as varchar)
        when event_type in ('PULL_REQUEST_CLOSED', 'PULL_REQUEST_REOPENED', 'ISSUE_CLOSED', 'ISSUE_REOPENED')
            then cast({{ epoch_seconds('event_time') }} as varchar)
    end as last_key,
    case
        when event_type = 'PULL_REQUEST_MERGED' then coalesce(merged_by_id, actor_id)
        -- a transferred issue is opened again by whoever moves it, a draft release published by another
        when event_type in ('PULL_REQUEST_OPENED', 'ISSUE_OPENED', 'RELEASE_PUBLISHED') then coalesce(author_id, actor_id)
        else actor_id
    end as actor_user_id,
    case
        when event_type in ('STARRED', 'FORKED', 'RELEASE_PUBLISHED') then cast(null as bigint)
        -- since 2025-10-07 a pull request names no author; who opens it is its author
        when event_type in ('PULL_REQUEST_OPENED', 'ISSUE_OPENED', 'ISSUE_COMMENT', 'PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT')
            then coalesce(author_id, actor_id)
        else author_id
    end as subject_user_id,
    item_author_id,
    case when event_type not in ('STARRED', 'FORKED', 'RELEASE_PUBLISHED') then item_number end as item_number,
    case when event_type not in ('STARRED', 'FORKED', 'RELEASE_PUBLISHED') then opened_at end as item_opened_at,
    is_prerelease,
    archive_day
from timed
