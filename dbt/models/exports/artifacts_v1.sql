with

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

),

people as (

    select * from {{ ref('int_people__github_users') }}

),

-- as listed, however it is called now
entries as (

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

-- an account whose ledger was read is known by the slug that it has now
accounts as (

    select
        artifact_id,
        min(account_slug) as account_slug,
        min(born_on) as born_on

    from {{ ref('int_artifacts__open_collective') }}
    where listed_slug is not null
    group by artifact_id

),

listed as (

    select
        entries.*,
        case when gone.identity is null then 'live' else 'dead' end as status

    from entries
    left join {{ ref('int_artifacts__gone') }} as gone
        on entries.kind = gone.kind and entries.identity = gone.identity
    left join {{ ref('int_artifacts__open_collective') }} as readings
        on entries.kind = 'open_collective' and entries.identity = readings.listed_slug
    where readings.listed_slug is null

),

-- packages that were listed once
packages as (

    select package_name from {{ ref('stg_npm__package_days') }}
    union distinct
    select package_name from {{ ref('stg_npm_manifests__packages') }}

),

former as (

    select
        {{ nid(["'artifact'", "'NPM'", 'packages.package_name']) }} as artifact_id,
        packages.package_name

    from packages
    left join entries
        on entries.kind = 'npm' and packages.package_name = entries.identity
    where entries.identity is null

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

),

united as (

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
        born_on
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
        status,
        cast(null as boolean) as is_fork,
        cast(null as date) as born_on
    from listed

    union all

    select
        artifact_id,
        account_slug as artifact_source_id,
        'OPEN_COLLECTIVE' as artifact_source,
        '' as artifact_namespace,
        account_slug as artifact_name,
        'COLLECTIVE' as artifact_type,
        'https://opencollective.com/' || account_slug as url,
        'live' as status,
        cast(null as boolean) as is_fork,
        born_on
    from accounts

    union all

    select
        artifact_id,
        package_name as artifact_source_id,
        'NPM' as artifact_source,
        '' as artifact_namespace,
        package_name as artifact_name,
        'PACKAGE' as artifact_type,
        'https://www.npmjs.com/package/' || package_name as url,
        'live' as status,
        cast(null as boolean) as is_fork,
        cast(null as date) as born_on
    from former

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
        cast(null as date) as born_on
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
        cast(null as date) as born_on
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
        cast(null as date) as born_on
    from people

)

select
    united.artifact_id,
    united.artifact_source_id,
    united.artifact_source,
    united.artifact_namespace,
    united.artifact_name,
    united.artifact_type,
    united.url,
    case when deaths.died_on is null then united.status else 'dead' end as status,
    united.is_fork,
    united.born_on,
    deaths.died_on
from united
left join {{ ref('int_artifacts__deaths') }} as deaths
    on united.artifact_id = deaths.artifact_id
