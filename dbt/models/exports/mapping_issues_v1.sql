with

listed as (

    select * from {{ ref('stg_oss_directory__artifacts') }}

),

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

aliases as (

    select distinct
        repo_id,
        repo_name

    from {{ ref('int_artifacts__github_names') }}

),

explicit as (

    select
        listed.project_name,
        listed.identity,
        listed.network,
        listed.url,
        repositories.artifact_id,
        repositories.owner,
        lower(repositories.repo_name) as repo_name

    from listed
    inner join aliases
        on listed.identity = aliases.repo_name
    inner join repositories
        on aliases.repo_id = repositories.repo_id
    where listed.kind = 'github_repo' and listed.status = 'ok'

),

sharers as (

    select
        kind,
        identity,
        network,
        count(*) as projects

    from listed
    where status = 'ok' and kind not in ('website', 'other')
    group by
        kind,
        identity,
        network
    having count(*) > 1

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
        'unseen' as issue,
        'no landed event is of it: deleted, private, renamed before the first landed day, or silent' as detail
    from listed
    left join aliases
        on listed.identity = aliases.repo_name
    left join repositories
        on listed.identity = repositories.owner
    where
        listed.status = 'ok'
        and (
            (listed.kind = 'github_repo' and aliases.repo_id is null)
            or (listed.kind = 'github_owner' and repositories.repo_id is null)
        )

    union all

    select
        project_name,
        'github_repo' as kind,
        identity,
        network,
        url,
        'renamed' as issue,
        'it is ' || repo_name || ' now' as detail
    from explicit
    where identity <> repo_name

    union all

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        listed.url,
        'shared' as issue,
        cast(sharers.projects as varchar) || ' projects list it and it counts in each' as detail
    from listed
    inner join sharers
        on listed.kind = sharers.kind and listed.identity = sharers.identity and listed.network = sharers.network
    where listed.status = 'ok'

    union all

    select distinct
        listed.project_name,
        'github_repo' as kind,
        explicit.repo_name as identity,
        '' as network,
        listed.url,
        'overruled' as issue,
        'it counts only where it is listed itself' as detail
    from listed
    inner join explicit
        on listed.identity = explicit.owner and listed.project_name <> explicit.project_name
    left join explicit as own
        on listed.project_name = own.project_name and explicit.artifact_id = own.artifact_id
    where listed.kind = 'github_owner' and listed.status = 'ok' and own.artifact_id is null

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
