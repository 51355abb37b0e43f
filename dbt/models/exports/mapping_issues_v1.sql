with

listed as (

    select * from {{ ref('stg_oss_directory__artifacts') }}

),

matches as (

    select * from {{ ref('int_artifacts__matches') }}

),

gone as (

    select * from {{ ref('int_artifacts__gone') }}

),

-- an artifact may be listed under several names; without one, the entry stands for itself
entries as (

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        listed.url,
        matches.artifact_name,
        coalesce(matches.artifact_id, listed.kind || ' ' || listed.identity || ' ' || listed.network) as meaning

    from listed
    left join matches
        on
            listed.project_name = matches.project_name
            and listed.kind = matches.kind
            and listed.identity = matches.identity
            and listed.network = matches.network
            and matches.match_rule = 'explicit'
    where listed.status = 'ok' and listed.kind not in ('website', 'other')

),

sharers as (

    select
        meaning,
        count(distinct project_name) as projects

    from entries
    group by meaning
    having count(distinct project_name) > 1

),

held as (

    select distinct
        project_name,
        artifact_id

    from matches
    where not is_overruled

),

own_repositories as (

    select
        project_name,
        artifact_name as repo_name

    from matches
    where kind in ('github_repo', 'github_owner') and not is_overruled
    union distinct
    select
        project_name,
        identity as repo_name

    from listed
    where kind = 'github_repo'

),

-- what npm says, where it names a repository of GitHub
packages as (

    select
        package_name,
        repository,
        split_part(repository, '/', 2) as owner,
        split_part(repository, '/', 2) || '/' || split_part(repository, '/', 3) as repo_name

    from {{ ref('stg_npm_manifests__packages') }}
    where repository like 'github.com/%' and status = 'live'

),

found as (

    select
        project_name,
        kind,
        identity,
        network,
        url,
        'unresolved' as issue,
        coalesce(reason, 'it names no artifact') as detail
    from listed
    where status <> 'ok'

    union all

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        listed.url,
        'dead' as issue,
        gone.reason as detail
    from listed
    inner join gone
        on listed.kind = gone.kind and listed.identity = gone.identity
    where listed.status = 'ok'

    union all

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        listed.url,
        'unseen' as issue,
        'no landed event is of it: deleted, private, renamed before the first landed day, or silent' as detail
    from listed
    left join matches
        on
            listed.project_name = matches.project_name
            and listed.kind = matches.kind
            and listed.identity = matches.identity
    left join gone
        on listed.kind = gone.kind and listed.identity = gone.identity
    where
        listed.status = 'ok'
        and listed.kind in ('github_repo', 'github_owner')
        and matches.identity is null
        and gone.identity is null

    union all

    select
        project_name,
        kind,
        identity,
        network,
        url,
        'renamed' as issue,
        'it is ' || artifact_name || ' now' as detail
    from entries
    where identity <> artifact_name

    union all

    select
        entries.project_name,
        entries.kind,
        entries.identity,
        entries.network,
        entries.url,
        'shared' as issue,
        cast(sharers.projects as varchar) || ' projects list it and it counts in each' as detail
    from entries
    inner join sharers
        on entries.meaning = sharers.meaning

    union all

    -- the artifact that goes elsewhere, under the entry's url
    select
        matches.project_name,
        case when matches.kind = 'github_owner' then 'github_repo' else matches.kind end as kind,
        matches.artifact_name as identity,
        matches.network,
        listed.url,
        'overruled' as issue,
        case
            when matches.match_rule = 'any_evm' then 'where its chain is named, it counts for who names it'
            else 'it counts only where it is listed itself'
        end as detail
    from matches
    left join listed
        on
            matches.project_name = listed.project_name
            and matches.kind = listed.kind
            and matches.identity = listed.identity
            and matches.network = listed.network
    left join held
        on matches.project_name = held.project_name and matches.artifact_id = held.artifact_id
    where matches.is_overruled and held.artifact_id is null

    union all

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        listed.url,
        'mismatched' as issue,
        'its manifest names ' || packages.repository || ', which is no repository of the project by that name' as detail
    from listed
    inner join packages
        on listed.identity = packages.package_name
    left join own_repositories
        on listed.project_name = own_repositories.project_name and packages.repo_name = own_repositories.repo_name
    left join listed as owners
        on
            listed.project_name = owners.project_name
            and owners.kind = 'github_owner'
            and packages.owner = owners.identity
    where
        listed.kind = 'npm'
        and listed.status = 'ok'
        and own_repositories.repo_name is null
        and owners.identity is null

    union all

    select
        claims.project_name,
        'open_collective' as kind,
        claims.account_slug as identity,
        '' as network,
        'https://opencollective.com/' || claims.account_slug as url,
        'undeclared' as issue,
        'it links to ' || claims.identity || ', but the directory does not list it: its money does not count' as detail
    from {{ ref('stg_open_collective__matches') }} as claims
    left join listed
        on listed.kind = 'open_collective' and lower(claims.account_slug) = listed.identity
    where listed.identity is null

)

select
    projects.project_id,
    projects.project_name,
    found.kind,
    found.identity,
    found.network,
    found.issue,
    min(found.detail) as detail,
    min(found.url) as url
from found
inner join {{ ref('projects_v1') }} as projects
    on found.project_name = projects.project_name
group by
    projects.project_id,
    projects.project_name,
    found.kind,
    found.identity,
    found.network,
    found.issue
