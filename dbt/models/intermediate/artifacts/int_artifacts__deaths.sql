-- The unbroken run of such answers to the last one counts: what is back did not die. An unread name gave no answer.
with

names as (

    select * from {{ ref('stg_github_repositories__names') }}
    where kind = 'github_repo' and state <> 'unread'

),

last_alive as (

    select
        name,
        max(case when state not in ('gone', 'blocked') then snapshot_day end) as snapshot_day,
        max_by(repo_id, snapshot_day) filter (where repo_id is not null) as repo_id

    from names
    group by name

),

-- a name that was never asked while it led somewhere is known from the events
known_names as (

    select
        repo_name,
        max_by(repo_id, last_at) as repo_id

    from {{ ref('int_artifacts__github_names') }}
    group by repo_name

),

-- null is the name's last day alive of a name that lives
repositories as (

    select
        coalesce(last_alive.repo_id, known_names.repo_id) as repo_id,
        last_alive.name,
        min(case
            when last_alive.snapshot_day is null or names.snapshot_day > last_alive.snapshot_day then names.snapshot_day
        end) as died_on

    from last_alive
    inner join names
        on last_alive.name = names.name
    left join known_names
        on last_alive.name = known_names.repo_name
    group by
        coalesce(last_alive.repo_id, known_names.repo_id),
        last_alive.name

),

accounts as (

    select
        readings.listed_slug,
        max(case when readings.rows_read is not null then readings.ledger_day end) as last_alive

    from {{ ref('stg_open_collective__coverage') }} as readings
    group by readings.listed_slug

)

select
    {{ nid(["'artifact'", "'GITHUB'", "'repo:' || cast(repo_id as varchar)"]) }} as artifact_id,
    max(died_on) as died_on
from repositories
where repo_id is not null
group by repo_id
having count(*) = count(died_on)

union all

select
    {{ nid(["'artifact'", "'NPM'", 'package_name']) }} as artifact_id,
    coalesce({{ utc_day('unpublished_at') }}, status_since) as died_on
from {{ ref('stg_npm_manifests__packages') }}
where status in ('unpublished', 'security_holding')

union all

select
    artifacts.artifact_id,
    max(dead.died_on) as died_on
from {{ ref('int_artifacts__open_collective') }} as artifacts
inner join (
    select
        readings.listed_slug,
        min(readings.ledger_day) as died_on
    from {{ ref('stg_open_collective__coverage') }} as readings
    inner join accounts
        on readings.listed_slug = accounts.listed_slug and readings.ledger_day > accounts.last_alive
    group by readings.listed_slug
) as dead
    on artifacts.listed_slug = dead.listed_slug
group by artifacts.artifact_id
