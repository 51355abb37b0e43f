-- What the directory lists, each entry with the artifacts that it means, and those that a better claim takes from it.
with

listed as (

    select * from {{ ref('stg_oss_directory__artifacts') }}
    where status = 'ok'

),

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

aliases as (

    select
        repo_id,
        repo_name

    from {{ ref('int_artifacts__github_names') }}
    union distinct
    -- GitHub leads from a name to the repository, also where no event knew it by that name
    select
        repo_id,
        name as repo_name

    from {{ ref('stg_github_repositories__names') }}
    where kind = 'github_repo' and repo_id is not null

),

explicit as (

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        repositories.artifact_id,
        lower(repositories.repo_name) as artifact_name,
        listed.listed_since

    from listed
    inner join aliases
        on listed.identity = aliases.repo_name
    inner join repositories
        on aliases.repo_id = repositories.repo_id
    where listed.kind = 'github_repo'

),

claimed as (

    select distinct artifact_id from explicit

),

-- an exact repository beats an owner, whoever lists it; forks count only when listed exactly
owned as (

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        repositories.artifact_id,
        lower(repositories.repo_name) as artifact_name,
        claimed.artifact_id is not null as is_overruled,
        listed.listed_since

    from listed
    inner join repositories
        on listed.identity = repositories.owner
    left join claimed
        on repositories.artifact_id = claimed.artifact_id
    where listed.kind = 'github_owner' and not repositories.is_fork

),

accounts as (

    select * from {{ ref('int_artifacts__open_collective') }}
    where listed_slug is not null

),

-- a listed account and its children
funded as (

    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        coalesce(
            accounts.artifact_id, {{ nid(["'artifact'", "'OPEN_COLLECTIVE'", 'listed.identity']) }}
        ) as artifact_id,
        coalesce(accounts.account_slug, listed.identity) as artifact_name,
        case when accounts.is_child then 'owner' else 'explicit' end as match_rule,
        false as is_overruled,
        listed.listed_since

    from listed
    left join accounts
        on listed.identity = accounts.listed_slug
    where listed.kind = 'open_collective'
    union all
    -- a child that is listed itself is no longer its parent's
    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        children.artifact_id,
        children.account_slug as artifact_name,
        'owner' as match_rule,
        true as is_overruled,
        listed.listed_since

    from listed
    inner join accounts as parents
        on listed.identity = parents.listed_slug
    inner join accounts as children
        on parents.account_id = children.parent_id and not children.is_child
    where listed.kind = 'open_collective'

),

named as (

    select
        project_name,
        kind,
        identity,
        network,
        {{ nid(["'artifact'", artifact_source(), 'identity']) }} as artifact_id,
        identity as artifact_name,
        listed_since

    from listed
    where kind not in ('github_repo', 'github_owner', 'open_collective', 'website', 'other')

),

chains as (

    select
        project_name,
        'blockchain' as kind,
        address as identity,
        case when match_rule = 'any_evm' then 'any_evm' else network end as network,
        artifact_id,
        address as artifact_name,
        match_rule,
        false as is_overruled,
        listed_since

    from {{ ref('int_artifacts__evm_targets') }}
    where match_rule <> 'explicit'
    union all
    -- a network that somebody names for the address beats any_evm
    select
        listed.project_name,
        listed.kind,
        listed.identity,
        listed.network,
        named.artifact_id,
        named.artifact_name,
        'any_evm' as match_rule,
        true as is_overruled,
        listed.listed_since

    from listed
    inner join named
        on listed.identity = named.identity and named.network <> 'any_evm'
    where listed.kind = 'blockchain' and listed.network = 'any_evm' and named.kind = 'blockchain'
    union all
    select
        project_name,
        'blockchain' as kind,
        address as identity,
        network,
        {{ nid(["'artifact'", 'upper(network)', 'address']) }} as artifact_id,
        address as artifact_name,
        'deployer' as match_rule,
        true as is_overruled,
        listed_since

    from {{ ref('int_artifacts__evm_created') }}
    where is_listed

)

select
    project_name, kind, identity, network, artifact_id, artifact_name,
    'explicit' as match_rule,
    false as is_overruled,
    listed_since
from explicit
union all
select
    project_name, kind, identity, network, artifact_id, artifact_name,
    'owner' as match_rule,
    is_overruled, listed_since
from owned
union all
select
    project_name, kind, identity, network, artifact_id, artifact_name, match_rule, is_overruled, listed_since
from funded
union all
select
    project_name, kind, identity, network, artifact_id, artifact_name,
    'explicit' as match_rule,
    false as is_overruled,
    listed_since
from named
union all
select
    project_name, kind, identity, network, artifact_id, artifact_name, match_rule, is_overruled, listed_since
from chains
