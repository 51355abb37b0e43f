with

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

people as (

    select * from {{ ref('int_people__github_users') }}

),

events as (

    select * from {{ ref('stg_github_archive__events') }}

),

default_branches as (

    select distinct
        repo_id,
        'refs/heads/' || default_branch as ref

    from events
    where default_branch is not null

),

pushes as (

    select
        events.github_event_id,
        events.repo_id,
        events.created_at

    from events
    left join default_branches
        on events.repo_id = default_branches.repo_id and events.ref = default_branches.ref
    where
        events.github_type = 'PushEvent'
        and events.created_at < {{ timestamp_utc("'2025-10-07 00:00:00 UTC'") }}
        and (events.ref in ('refs/heads/main', 'refs/heads/master') or default_branches.ref is not null)

),

commits as (

    select
        pushes.github_event_id || ':' || cast(commits.commit_position as varchar) as raw_id,
        pushes.repo_id,
        'COMMIT_CODE' as event_type,
        pushes.created_at as event_time,
        commits.sha as object_id,
        commits.sha as last_key,
        {{ nid(["'artifact'", "'GIT'", "'email:' || commits.author_email"]) }} as actor_id,
        {{ is_bot_login('commits.author_name') }} as is_bot

    from {{ ref('stg_github_archive__push_commits') }} as commits
    inner join pushes
        on commits.github_event_id = pushes.github_event_id

),

items as (

    select
        items.github_event_id as raw_id,
        items.repo_id,
        items.event_type,
        items.event_time,
        items.object_id,
        items.last_key,
        actors.artifact_id as actor_id,
        actors.is_bot as actor_is_bot,
        subjects.artifact_id as subject_id,
        subjects.is_bot as subject_is_bot,
        items.item_author_id is not null and items.item_author_id = items.actor_user_id as is_own_item

    from {{ ref('int_events__github_items') }} as items
    left join people as actors
        on items.actor_user_id = actors.user_id
    left join people as subjects
        on items.subject_user_id = subjects.user_id

),

united as (

    select
        raw_id, repo_id, event_type, event_time, object_id, last_key,
        actor_id, is_bot as actor_is_bot, actor_id as subject_id, is_bot as subject_is_bot, false as is_own_item
    from commits
    union all
    select
        raw_id, repo_id, event_type, event_time, object_id, last_key,
        actor_id, actor_is_bot, subject_id, subject_is_bot, is_own_item
    from items

),

keyed as (

    select
        united.*,
        repositories.artifact_id as to_artifact_id,
        {{ nid(["'event'", "'GITHUB'", 'united.event_type', 'cast(united.repo_id as varchar)', 'united.object_id']) }} as short_id,
        {{ nid(["'event'", "'GITHUB'", 'united.event_type', 'cast(united.repo_id as varchar)', 'united.object_id', 'united.last_key']) }} as long_id

    from united
    inner join repositories
        on united.repo_id = repositories.repo_id

),

identified as (

    select
        *,
        case when last_key is null or event_type = 'COMMIT_CODE' then short_id else long_id end as event_id

    from keyed

),

-- one event has one id, whatever number of files, mirrors or pushes carry it: the earliest stays
ranked as (

    select
        *,
        row_number() over (partition by event_id order by event_time, raw_id) as copy_rank

    from identified

)

select
    ranked.event_id,
    ranked.event_time,
    {{ utc_day('ranked.event_time') }} as event_day,
    ranked.event_type,
    'GITHUB' as event_source,
    'archive' as provider,
    types.family,
    ranked.to_artifact_id,
    ranked.actor_id,
    ranked.subject_id,
    ranked.actor_is_bot,
    ranked.subject_is_bot,
    cast(1 as decimal(38, 18)) as amount,
    ranked.object_id,
    coalesce(ranked.last_key, ranked.object_id) as event_source_id,
    ranked.is_own_item
from ranked
inner join {{ ref('event_types') }} as types
    on ranked.event_type = types.event_type
where ranked.copy_rank = 1
