with

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

people as (

    select * from {{ ref('int_people__github_users') }}

),

listed as (

    select
        {{ nid(["'artifact'", artifact_source(), 'identity']) }} as artifact_id,
        {{ artifact_source() }} as artifact_source,
        kind,
        identity,
        min(url) as url,
        max(case when contains(tags, 'contract') then 1 else 0 end) as is_contract

    from {{ ref('stg_oss_directory__artifacts') }}
    where kind not in ('github_repo', 'github_owner', 'website', 'other') and status = 'ok'
    group by 1, 2, kind, identity

),

-- on a chain that the directory does not name for the address, or made by a listed one
derived as (

    select distinct
        targets.artifact_id,
        upper(targets.network) as artifact_source,
        targets.address

    from {{ ref('int_artifacts__evm_targets') }} as targets
    left join listed
        on targets.artifact_id = listed.artifact_id
    where listed.artifact_id is null

)

select
    artifact_id,
    'repo:' || cast(repo_id as varchar) as artifact_source_id,
    'GITHUB' as artifact_source,
    owner as artifact_namespace,
    split_part(repo_name, '/', 2) as artifact_name,
    'REPOSITORY' as artifact_type,
    cast('https://github.com/' || repo_name as varchar) as url,
    'live' as status,
    is_fork,
    born_on,
    cast(null as date) as died_on
from repositories

union all

select
    artifact_id,
    identity as artifact_source_id,
    artifact_source,
    '' as artifact_namespace,
    identity as artifact_name,
    case
        when kind = 'open_collective' then 'COLLECTIVE'
        when kind = 'blockchain' and is_contract = 1 then 'CONTRACT'
        when kind in ('blockchain', 'defillama') then 'ADDRESS'
        else 'PACKAGE'
    end as artifact_type,
    url,
    'live' as status,
    cast(null as boolean) as is_fork,
    cast(null as date) as born_on,
    cast(null as date) as died_on
from listed

union all

select
    artifact_id,
    address as artifact_source_id,
    artifact_source,
    '' as artifact_namespace,
    address as artifact_name,
    'CONTRACT' as artifact_type,
    cast(null as varchar) as url,
    'live' as status,
    cast(null as boolean) as is_fork,
    cast(null as date) as born_on,
    cast(null as date) as died_on
from derived

union all

select
    artifact_id,
    'name:' || identity as artifact_source_id,
    artifact_source,
    '' as artifact_namespace,
    identity as artifact_name,
    case when kind = 'github_repo' then 'REPOSITORY' when kind = 'blockchain' then 'ADDRESS' else 'PACKAGE' end as artifact_type,
    url,
    'unresolved' as status,
    cast(null as boolean) as is_fork,
    cast(null as date) as born_on,
    cast(null as date) as died_on
from {{ ref('int_artifacts__unresolved') }}

union all

select
    artifact_id,
    'user:' || cast(user_id as varchar) as artifact_source_id,
    'GITHUB' as artifact_source,
    '' as artifact_namespace,
    login as artifact_name,
    'USER' as artifact_type,
    cast(null as varchar) as url,
    'live' as status,
    cast(null as boolean) as is_fork,
    cast(null as date) as born_on,
    cast(null as date) as died_on
from people
