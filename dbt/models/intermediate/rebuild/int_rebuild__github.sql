-- What landed since the last build and reaches back before the days that landed: late events by their day, and what
-- bears on a repository's whole past without one. Empty when everything is rebuilt.
{% if not is_partial() %}
select
    cast(null as varchar) as artifact_id,
    cast(null as date) as event_day,
    cast(null as varchar) as run_id
where false
{% else %}
{% set landed = "date '" ~ told("rebuild_from") ~ "'" %}
with

events as (

    select * from {{ ref('stg_github_archive__events') }}

),

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

people as (

    select * from {{ ref('int_people__github_users') }}

),

branches as (

    select
        repo_id,
        ref
    from {{ ref('stg_github_archive__default_branches') }}
    union distinct
    select
        repo_id,
        'refs/heads/' || default_branch as ref
    from {{ ref('stg_github_api__repositories') }}
    where default_branch is not null

),

forks as (

    select
        repo_id,
        created_at

    from {{ ref('stg_github_api__repositories') }}
    where is_fork

),

emails as (

    select * from {{ ref('int_people__github_emails_now') }}

),

built as (

    select * from {{ last_build('int_events__github_by_provider') }}

),

-- an account turned out to be a bot, or none
judged_anew as (

    select built.to_artifact_id as artifact_id
    from built
    inner join people
        on built.actor_id = people.artifact_id
    where built.actor_is_bot <> (people.is_bot or built.is_bot_by_name)
    union distinct
    select built.to_artifact_id as artifact_id
    from built
    inner join people
        on built.subject_id = people.artifact_id
    where built.subject_is_bot <> (people.is_bot or built.is_bot_by_name)
    union distinct
    select built.to_artifact_id as artifact_id
    from built
    inner join people
        on built.item_author_id = people.artifact_id
    where coalesce(built.item_author_is_bot, false) <> people.is_bot

),

-- what bears on a repository's whole past: a default branch or a fork was learned, or its only witness is gone
{% for name, model, columns in [
    ('branches', 'int_artifacts__github_branches', 'repo_id, ref'),
    ('forks', 'int_artifacts__github_forks', 'repo_id, created_at'),
    ('emails', 'int_people__github_emails', 'author_email, user_id'),
] %}
learned_{{ name }} as (

    select {{ columns }} from {{ name }}
    except
    select {{ columns }} from {{ last_build(model) }}

),

unlearned_{{ name }} as (

    select {{ columns }} from {{ last_build(model) }}
    except
    select {{ columns }} from {{ name }}

),

{% endfor %}
changed as (

    {% for name in ['learned_branches', 'unlearned_branches', 'learned_forks', 'unlearned_forks'] %}
    select repo_id from {{ name }}
    {{ 'union distinct' if not loop.last }}
    {% endfor %}

),

-- whose commits go from a git author to an account, or back
renamed as (

    select {{ nid(["'artifact'", "'GIT'", "'email:' || author_email"]) }} as actor_id
    from learned_emails
    union distinct
    select {{ nid(["'artifact'", "'GITHUB'", "'user:' || cast(user_id as varchar)"]) }} as actor_id
    from unlearned_emails

),

late as (

    select
        repo_id,
        github_event_id,
        {{ utc_day('created_at') }} as event_day

    from events
    where archive_day >= {{ landed }} and {{ utc_day('created_at') }} < {{ landed }}
    union distinct
    select
        repo_id,
        github_event_id,
        {{ utc_day('event_time') }} as event_day

    from {{ ref('int_events__github_items') }}
    where archive_day >= {{ landed }} and {{ utc_day('event_time') }} < {{ landed }}

),

-- the day before holds most of them already
known as (

    select distinct github_event_id
    from events
    where archive_day between {{ plus_days(landed, -3) }} and {{ plus_days(landed, -1) }}

),

-- what the API tells of these days, or told; the overlap of its landings is mostly known
told as (

    select
        repositories.artifact_id,
        items.event_type,
        items.object_id,
        {{ utc_day('items.event_time') }} as event_day

    from {{ ref('int_events__github_api_items') }} as items
    inner join repositories
        on items.repo_id = repositories.repo_id
    where items.archive_day >= {{ landed }} or {{ utc_day('items.event_time') }} >= {{ landed }}
    except
    select
        to_artifact_id,
        event_type,
        object_id,
        event_day

    from built
    where provider = 'github_api' and archive_day < {{ landed }} and event_day < {{ landed }}
    union distinct
    select
        to_artifact_id,
        event_type,
        object_id,
        event_day

    from built
    where provider = 'github_api' and (archive_day >= {{ landed }} or event_day >= {{ landed }})

),

found as (

    select
        artifact_id,
        cast(null as date) as event_day
    from judged_anew
    union distinct
    select
        built.to_artifact_id as artifact_id,
        cast(null as date) as event_day
    from built
    inner join renamed
        on built.actor_id = renamed.actor_id
    where built.event_type = 'COMMIT_CODE'
    union distinct
    -- on a day before that it was asked for in full
    select
        told.artifact_id,
        told.event_day
    from told
    inner join {{ ref('event_types') }} as types
        on told.event_type = types.event_type
    inner join {{ last_build('int_coverage__github_api_days') }} as asked
        on told.artifact_id = asked.artifact_id and types.family = asked.family and told.event_day = asked.day
    where told.event_day < {{ landed }} and asked.status = 'full'
    union distinct
    -- the archive's copy of it
    select
        built.to_artifact_id as artifact_id,
        built.event_day
    from built
    inner join told
        on
            built.to_artifact_id = told.artifact_id
            and built.event_type = told.event_type
            and built.object_id = told.object_id
    where built.provider = 'archive' and built.event_day < {{ landed }}
    union distinct
    select
        repositories.artifact_id,
        cast(null as date) as event_day
    from repositories
    inner join changed
        on repositories.repo_id = changed.repo_id
    union distinct
    select
        repositories.artifact_id,
        late.event_day
    from late
    inner join repositories
        on late.repo_id = repositories.repo_id
    left join known
        on late.github_event_id = known.github_event_id
    where known.github_event_id is null
    union distinct
    select
        to_artifact_id as artifact_id,
        event_day
    from built
    where provider = 'archive' and archive_day >= {{ landed }} and event_day < {{ landed }}
    union distinct
    select
        artifact_id,
        day as event_day
    from {{ last_build('int_coverage__cut_pushes') }}
    where archive_day >= {{ landed }} and day < {{ landed }}

)

select
    artifact_id,
    -- a few days back all is rebuilt; for an older event, its repository
    case when event_day >= {{ plus_days(landed, -7) }} then event_day end as event_day,
    '{{ told("run_id") }}' as run_id
from found
union distinct
-- a layer that is tried again finds what its first try replaced
select
    artifact_id,
    event_day,
    run_id
from {{ this }}
where run_id = '{{ told("run_id") }}'
{% endif %}
