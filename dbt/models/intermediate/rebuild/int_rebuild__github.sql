-- What landed since the last build and reaches back before the days that landed: late events by their day, and what
-- bears on a repository's whole past without one. Empty when everything is rebuilt.
{% if not is_partial() %}
select
    cast(null as varchar) as artifact_id,
    cast(null as date) as event_day,
    cast(null as varchar) as run_id
where false
{% else %}
{% set landed = "date '" ~ var("rebuild_from") ~ "'" %}
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

),

built as (

    select * from {{ last_build('int_events__github') }}

),

built_branches as (

    select
        repo_id,
        ref

    from {{ last_build('int_artifacts__github_branches') }}

),

-- an account turned out to be a bot, or none
judged_anew as (

    select built.to_artifact_id as artifact_id
    from built
    inner join people
        on built.actor_id = people.artifact_id
    where built.actor_is_bot <> people.is_bot
    union distinct
    select built.to_artifact_id as artifact_id
    from built
    inner join people
        on built.subject_id = people.artifact_id
    where built.subject_is_bot <> people.is_bot

),

-- a default branch was learned, or its only witness is gone
learned as (

    select * from branches
    except
    select * from built_branches

),

unlearned as (

    select * from built_branches
    except
    select * from branches

),

changed as (

    select * from learned
    union distinct
    select * from unlearned

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

found as (

    select
        artifact_id,
        cast(null as date) as event_day
    from judged_anew
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
    where archive_day >= {{ landed }} and event_day < {{ landed }}
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
    '{{ var("run_id") }}' as run_id
from found
union distinct
-- a layer that is tried again finds what its first try replaced
select
    artifact_id,
    event_day,
    run_id
from {{ this }}
where run_id = '{{ var("run_id") }}'
{% endif %}
