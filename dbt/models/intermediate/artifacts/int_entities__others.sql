{{ config(materialized='view') }}
-- Who has metrics of other sources than GitHub: members that are listed, and artifacts with events of their own. All
-- landed chains together are the sources EVM and, for what is counted in ETH, EVM_ETH.
with

events as (

    select distinct
        artifact_id,
        event_source as artifact_source

    from {{ ref('int_activity__artifact_days') }}
    where event_source <> 'GITHUB'

),

listed as (

    select distinct
        artifact_id,
        upper(kind) as artifact_source

    from {{ ref('int_artifacts__matches') }}
    where kind in ('npm', 'open_collective')
    union distinct
    -- deps.dev tells of the packages too
    select distinct
        artifact_id,
        'DEPS_DEV' as artifact_source

    from {{ ref('int_artifacts__matches') }}
    where kind = 'npm'
    union distinct
    select
        {{ nid(["'artifact'", 'upper(network)', 'address']) }} as artifact_id,
        upper(network) as artifact_source
    from {{ ref('int_artifacts__evm_listed') }}
    union distinct
    select
        artifact_id,
        upper(network) as artifact_source
    from {{ ref('int_artifacts__evm_targets') }}

),

artifacts as (

    select * from listed
    union distinct
    select * from events

),

created as (

    select
        {{ nid(["'artifact'", "'NPM'", 'package_name']) }} as artifact_id,
        {{ utc_day('created_at') }} as born_on
    from {{ ref('stg_npm_manifests__packages') }}
    union all
    select
        artifact_id,
        min(born_on) as born_on
    from {{ ref('int_artifacts__open_collective') }}
    group by artifact_id

),

-- without a birthday an artifact is as old as its source
sources as (

    select
        source,
        min(day) as first_day

    from {{ ref('int_coverage__entity_days') }}
    group by source

),

born as (

    select
        artifacts.artifact_id,
        artifacts.artifact_source,
        coalesce(created.born_on, sources.first_day) as born_on

    from artifacts
    left join created
        on artifacts.artifact_id = created.artifact_id
    left join sources
        on artifacts.artifact_source = sources.source

),

members as (

    select
        entity_level,
        entity_id,
        artifact_id
    from {{ ref('int_entities__members') }}
    union distinct
    select
        'artifact' as entity_level,
        artifact_id as entity_id,
        artifact_id
    from events

),

-- chains that landed, also in their unions
counted_in as (

    select
        artifact_source,
        artifact_source as member_source
    from artifacts
    union distinct
    select
        landed.source as artifact_source,
        unions.member_source
    from {{ ref('int_coverage__as_of') }} as landed
    inner join {{ ref('networks') }} as networks
        on landed.source = upper(networks.network)
    cross join (values ('EVM'), ('EVM_ETH')) as unions (member_source)
    where unions.member_source = 'EVM' or networks.coin = 'ETH'

)

select
    counted_in.member_source,
    members.entity_level,
    members.entity_id,
    members.artifact_id,
    born.artifact_source,
    born.born_on
from members
inner join born
    on members.artifact_id = born.artifact_id
inner join counted_in
    on born.artifact_source = counted_in.artifact_source
