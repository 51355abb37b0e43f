-- Code addresses whose use counts for a project: listed ones, and contracts that its listed addresses created.
with

listed as (

    select * from {{ ref('int_artifacts__evm_listed') }}

),

united as (

    select
        project_name, network, address, match_rule,
        cast(null as bigint) as created_block,
        listed_since
    from listed
    where is_target
    union all
    -- a contract that anybody lists is no longer derived from who made it
    select project_name, network, address, 'deployer' as match_rule, created_block, listed_since
    from {{ ref('int_artifacts__evm_created') }}
    where not is_listed

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
