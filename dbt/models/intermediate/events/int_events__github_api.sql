with

items as (

    select
        items.*,
        coalesce(items.actor_user_id, emails.user_id) as known_actor_id,
        coalesce(items.subject_user_id, emails.user_id) as known_subject_id

    from {{ ref('int_events__github_api_items') }} as items
    left join {{ ref('int_people__github_emails') }} as emails
        on items.author_email = emails.author_email

),

identified as (

    select
        *,
        {{ nid(["'artifact'", "'GITHUB'", "'repo:' || cast(repo_id as varchar)"]) }} as to_artifact_id,
        {{ nid(["'artifact'", "'GIT'", "'email:' || nullif(author_email, '')"]) }} as git_id,
        {{ is_bot_login('author_name') }} as is_bot_by_name,
        case
            when last_key is null or event_type = 'COMMIT_CODE'
                then {{ nid(["'event'", "'GITHUB'", 'event_type', 'cast(repo_id as varchar)', 'object_id']) }}
            else {{ nid(["'event'", "'GITHUB'", 'event_type', 'cast(repo_id as varchar)', 'object_id', 'last_key']) }}
        end as event_id

    from items

),

-- a commit is landed again by each of the days after it, two events of one item can share their second
ranked as (

    select
        *,
        row_number() over (
            partition by event_id order by archive_day, event_time, coalesce(known_actor_id, 0)
        ) as copy_rank

    from identified

)

select
    ranked.event_id,
    ranked.event_time,
    {{ utc_day('ranked.event_time') }} as event_day,
    ranked.event_type,
    'GITHUB' as event_source,
    'github_api' as provider,
    types.family,
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
    ranked.amount,
    ranked.object_id,
    coalesce(ranked.last_key, ranked.object_id) as event_source_id,
    ranked.item_author_id is not null and ranked.item_author_id = ranked.known_actor_id as is_own_item,
    ranked.archive_day
from ranked
inner join {{ ref('event_types') }} as types
    on ranked.event_type = types.event_type
left join {{ ref('int_people__github_api_users') }} as actors
    on ranked.known_actor_id = actors.user_id
left join {{ ref('int_people__github_api_users') }} as subjects
    on ranked.known_subject_id = subjects.user_id
where ranked.copy_rank = 1
