-- Code addresses whose use counts for a project: listed ones, and contracts that its listed addresses created.
with

listed as (

    select * from {{ ref('int_artifacts__evm_listed') }}

),

-- a contract that anybody lists is no longer derived from who made it
created as (

    select
        listed.project_name,
        transactions.network,
        transactions.created_address as address,
        min(transactions.block_number) as created_block,
        min(listed.listed_since) as listed_since

    from {{ ref('stg_evm_rpc__transactions') }} as transactions
    inner join listed
        on transactions.network = listed.network and transactions.from_address = listed.address and listed.is_creator
    where
        transactions.created_address is not null
        and not exists (
            select 1 from listed as known
            where
                known.network = transactions.network
                and known.address = transactions.created_address
                and known.is_target
        )
    group by
        listed.project_name,
        transactions.network,
        transactions.created_address

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
