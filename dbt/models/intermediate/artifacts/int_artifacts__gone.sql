with

github as (

    select
        *,
        max(snapshot_day) over () as newest_day

    from {{ ref('stg_github_repositories__names') }}

),

downloads as (

    select
        *,
        max(download_day) over (partition by package_name) as newest_day

    from {{ ref('stg_npm__package_days') }}

),

ledgers as (

    select
        *,
        max(ledger_day) over (partition by listed_slug) as newest_day

    from {{ ref('stg_open_collective__coverage') }}

),

found as (

    select
        kind,
        name as identity,
        'GitHub answers that it is ' || state as reason
    from github
    where snapshot_day = newest_day and state in ('gone', 'blocked', 'private')
    union all
    select
        'npm' as kind,
        package_name as identity,
        case
            when status = 'unpublished' then 'it was unpublished from npm' else 'npm holds the name to keep malware out'
        end as reason
    from {{ ref('stg_npm_manifests__packages') }}
    where status in ('unpublished', 'security_holding')
    union all
    select
        'npm' as kind,
        package_name as identity,
        'npm knows no such package' as reason
    from downloads
    where download_day = newest_day and is_unknown_to_npm
    union all
    -- without an account there is no ledger to ask for, so that not even its rows are counted
    select
        'open_collective' as kind,
        listed_slug as identity,
        coalesce(reason, 'no such account') as reason
    from ledgers
    where ledger_day = newest_day and rows_read is null

)

select
    kind,
    identity,
    min(reason) as reason
from found
group by
    kind,
    identity
