-- What the directory lists, each entry matched to the artifacts it means.
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
        repositories.artifact_id,
        listed.listed_since

    from listed
    inner join aliases
        on listed.identity = aliases.repo_name
    inner join repositories
        on aliases.repo_id = repositories.repo_id
    where listed.kind = 'github_repo' and listed.status = 'ok'

),

-- an exact repository beats an owner, whoever lists it; forks count only when listed exactly
owned as (

    select
        listed.project_name,
        repositories.artifact_id,
        listed.listed_since

    from listed
    inner join repositories
        on listed.identity = repositories.owner
    left join explicit
        on repositories.artifact_id = explicit.artifact_id
    where
        listed.kind = 'github_owner'
        and listed.status = 'ok'
        and not repositories.is_fork
        and explicit.artifact_id is null

),

others as (

    select
        project_name,
        {{ nid(["'artifact'", artifact_source(), 'identity']) }} as artifact_id,
        listed_since

    from listed
    where kind not in ('github_repo', 'github_owner', 'website', 'other') and status = 'ok'

),

matched as (

    select project_name, artifact_id, 'explicit' as match_rule, listed_since from explicit
    union all
    select project_name, artifact_id, 'owner' as match_rule, listed_since from owned
    union all
    select project_name, artifact_id, 'explicit' as match_rule, listed_since from others
    union all
    select project_name, artifact_id, match_rule, listed_since from {{ ref('int_artifacts__evm_targets') }}
    where match_rule <> 'explicit'

)

select
    project_name,
    artifact_id,
    min(match_rule) as match_rule,
    min(listed_since) as listed_since
from matched
group by
    project_name,
    artifact_id
