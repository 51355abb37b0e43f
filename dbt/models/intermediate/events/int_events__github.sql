{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_files('archive_day', 'to_artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(archive_day)']"}
) }}
with

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

people as (

    select * from {{ ref('int_people__github_users') }}

),

pushes as (

    select
        events.github_event_id,
        events.archive_day,
        events.created_at,
        repositories.repo_id,
        repositories.artifact_id

    from {{ ref('stg_github_archive__events') }} as events
    inner join repositories
        on events.repo_id = repositories.repo_id
    left join {{ ref('int_artifacts__github_branches') }} as branches
        on events.repo_id = branches.repo_id and events.ref = branches.ref
    where
        events.github_type = 'PushEvent'
        and events.created_at < {{ timestamp_utc("'2025-10-07 00:00:00 UTC'") }}
        and (events.ref in ('refs/heads/main', 'refs/heads/master') or branches.ref is not null)
        and {{ rebuilt_files('events.archive_day', 'repositories.artifact_id') }}

),

commits as (

    select
        pushes.github_event_id || ':' || cast(commits.commit_position as varchar) as raw_id,
        pushes.archive_day,
        pushes.repo_id,
        pushes.artifact_id as to_artifact_id,
        'COMMIT_CODE' as event_type,
        pushes.created_at as event_time,
        commits.sha as object_id,
        commits.sha as last_key,
        {{ nid(["'artifact'", "'GIT'", "'email:' || commits.author_email"]) }} as actor_id,
        {{ is_bot_login('commits.author_name') }} as is_bot

    from {{ ref('stg_github_archive__push_commits') }} as commits
    inner join pushes
        on commits.github_event_id = pushes.github_event_id and commits.archive_day = pushes.archive_day

),

items as (

    select
        items.github_event_id as raw_id,
        items.archive_day,
        items.repo_id,
        repositories.artifact_id as to_artifact_id,
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
    inner join repositories
        on items.repo_id = repositories.repo_id
    left join people as actors
        on items.actor_user_id = actors.user_id
    left join people as subjects
        on items.subject_user_id = subjects.user_id
    where {{ rebuilt_files('items.archive_day', 'repositories.artifact_id') }}

),

united as (

    select
        raw_id, archive_day, repo_id, to_artifact_id, event_type, event_time, object_id, last_key,
        actor_id, is_bot as actor_is_bot, actor_id as subject_id, is_bot as subject_is_bot, false as is_own_item
    from commits
    union all
    select
        raw_id, archive_day, repo_id, to_artifact_id, event_type, event_time, object_id, last_key,
        actor_id, actor_is_bot, subject_id, subject_is_bot, is_own_item
    from items

),

keyed as (

    select
        *,
        {{ nid(["'event'", "'GITHUB'", 'event_type', 'cast(repo_id as varchar)', 'object_id']) }} as short_id,
        {{ nid(["'event'", "'GITHUB'", 'event_type', 'cast(repo_id as varchar)', 'object_id', 'last_key']) }} as long_id

    from united

),

identified as (

    select
        *,
        case when last_key is null or event_type = 'COMMIT_CODE' then short_id else long_id end as event_id

    from keyed

),

-- One event has one id, whatever number of files, mirrors or pushes carry it. The earliest file's copy stays, so that
-- a later day can't move it.
ranked as (

    select
        *,
        row_number() over (partition by event_id order by archive_day, event_time, raw_id) as copy_rank

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
    ranked.is_own_item,
    ranked.archive_day
from ranked
inner join {{ ref('event_types') }} as types
    on ranked.event_type = types.event_type
where
    ranked.copy_rank = 1
    {% if is_incremental() %}
        and not exists (select 1 from {{ this }} as kept where kept.event_id = ranked.event_id)
    {% endif %}
