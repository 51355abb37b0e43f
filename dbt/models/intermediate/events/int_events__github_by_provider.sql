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
        events.repo_id

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

united as (

    select
        'archive' as provider,
        pushes.github_event_id || ':' || cast(commits.commit_position as varchar) as raw_id,
        pushes.archive_day,
        pushes.repo_id,
        'COMMIT_CODE' as event_type,
        pushes.created_at as event_time,
        commits.sha as object_id,
        commits.sha as last_key,
        cast(null as bigint) as actor_user_id,
        cast(null as bigint) as subject_user_id,
        cast(null as bigint) as item_author_id,
        cast(null as bigint) as item_number,
        {{ timestamp_utc('null') }} as item_opened_at,
        cast(null as boolean) as is_prerelease,
        commits.author_email,
        commits.author_name,
        cast(1 as decimal(38, 18)) as amount
    from {{ ref('stg_github_archive__push_commits') }} as commits
    inner join pushes
        on commits.github_event_id = pushes.github_event_id and commits.archive_day = pushes.archive_day
    union all
    select
        'archive', github_event_id, archive_day, repo_id, event_type, event_time, object_id, last_key,
        actor_user_id, subject_user_id, item_author_id, item_number, item_opened_at, is_prerelease,
        null, null, 1
    from {{ ref('int_events__github_items') }}
    union all
    -- of a fork only the commits that came after it was made are its own
    select
        'github_api', null, items.archive_day, items.repo_id, items.event_type, items.event_time, items.object_id,
        items.last_key, items.actor_user_id, items.subject_user_id, items.item_author_id, items.item_number,
        items.item_opened_at, items.is_prerelease, items.author_email, items.author_name, items.amount
    from {{ ref('int_events__github_api_items') }} as items
    left join {{ ref('int_artifacts__github_forks') }} as forks
        on
            items.repo_id = forks.repo_id
            and items.event_type = 'COMMIT_CODE'
            and items.event_time < forks.created_at
    where forks.repo_id is null

),

known as (

    select
        united.*,
        repositories.artifact_id as to_artifact_id,
        types.family,
        coalesce(united.actor_user_id, emails.user_id) as known_actor_id,
        coalesce(united.subject_user_id, emails.user_id) as known_subject_id,
        -- of talk the author of the item, of the item's own events their subject
        case
            when united.item_number is null then null
            when types.family in ('comments', 'reviews') then united.item_author_id
            else united.subject_user_id
        end as item_author_user_id,
        {{ nid(["'artifact'", "'GIT'", "'email:' || nullif(united.author_email, '')"]) }} as git_id,
        {{ is_bot_login('united.author_name') }} as is_bot_by_name,
        case
            when united.last_key is null or united.event_type = 'COMMIT_CODE'
                then {{ nid(["'event'", "'GITHUB'", 'united.event_type', 'cast(united.repo_id as varchar)', 'united.object_id']) }}
            else
                {{ nid(["'event'", "'GITHUB'", 'united.event_type', 'cast(united.repo_id as varchar)', 'united.object_id', 'united.last_key']) }}
        end as event_id

    from united
    inner join repositories
        on united.repo_id = repositories.repo_id
    inner join {{ ref('event_types') }} as types
        on united.event_type = types.event_type
    left join {{ ref('int_people__github_emails') }} as emails
        on united.author_email = emails.author_email
    where {{ rebuilt_files('united.archive_day', 'repositories.artifact_id') }}

),

-- One event has one id, whatever number of files, mirrors, pushes or crawls carry it. The earliest day's copy stays, so
-- that a later day can't move it.
ranked as (

    select
        *,
        row_number() over (
            partition by provider, event_id order by archive_day, event_time, raw_id, known_actor_id
        ) as copy_rank

    from known

)

select
    ranked.event_id,
    ranked.event_time,
    {{ utc_day('ranked.event_time') }} as event_day,
    ranked.event_type,
    'GITHUB' as event_source,
    ranked.provider,
    ranked.family,
    ranked.to_artifact_id,
    coalesce(actors.artifact_id, ranked.git_id) as actor_id,
    coalesce(subjects.artifact_id, ranked.git_id) as subject_id,
    case
        when ranked.event_type = 'COMMIT_CODE' then coalesce(actors.is_bot, false) or ranked.is_bot_by_name
        else actors.is_bot
    end as actor_is_bot,
    case
        when ranked.event_type = 'COMMIT_CODE' then coalesce(subjects.is_bot, false) or ranked.is_bot_by_name
        else subjects.is_bot
    end as subject_is_bot,
    ranked.is_bot_by_name,
    ranked.amount,
    ranked.object_id,
    coalesce(ranked.last_key, ranked.object_id) as event_source_id,
    ranked.item_author_id is not null and ranked.item_author_id = ranked.known_actor_id as is_own_item,
    ranked.item_number,
    ranked.item_opened_at,
    {{ nid(["'artifact'", "'GITHUB'", "'user:' || cast(ranked.item_author_user_id as varchar)"]) }} as item_author_id,
    item_authors.is_bot as item_author_is_bot,
    ranked.is_prerelease,
    ranked.archive_day
from ranked
left join people as actors
    on ranked.known_actor_id = actors.user_id
left join people as subjects
    on ranked.known_subject_id = subjects.user_id
left join people as item_authors
    on ranked.item_author_user_id = item_authors.user_id
where
    ranked.copy_rank = 1
    {% if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as kept
            where kept.event_id = ranked.event_id and kept.provider = ranked.provider
        )
    {% endif %}
