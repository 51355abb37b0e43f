-- Code addresses whose use counts for a project: listed ones, and contracts that its listed addresses created.
with

listed as (

    select * from {{ ref('int_artifacts__evm_listed') }}

),

creations as (

    select network, from_address, created_address, block_number from {{ ref('stg_evm_rpc__transactions') }}
    where created_address is not null
    union all
    select network, from_address, created_address, block_number from {{ ref('stg_evm_rpc__traces') }}
    where created_address is not null

),

-- a contract that anybody lists is no longer derived from who made it
created as (

    select
        listed.project_name,
        creations.network,
        creations.created_address as address,
        min(creations.block_number) as created_block,
        min(listed.listed_since) as listed_since

    from creations
    inner join listed
        on creations.network = listed.network and creations.from_address = listed.address and listed.is_creator
    where
        not exists (
            select 1 from listed as known
            where
                known.network = creations.network
                and known.address = creations.created_address
                and known.is_target
        )
    group by
        listed.project_name,
        creations.network,
        creations.created_address

),

united as (

    select
        project_name, network, address, match_rule,
        cast(null as bigint) as created_block,
        listed_since
    from listed
    where is_target
    union all
    select project_name, network, address, 'deployer' as match_rule, created_block, listed_since from created

)

select
    project_name,
    network,
    address,
    {{ nid(["'artifact'", "upper(network)", "address"]) }} as artifact_id,
    match_rule,
    created_block,
    listed_since
from united
