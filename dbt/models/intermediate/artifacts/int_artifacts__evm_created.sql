with

listed as (

    select * from {{ ref('int_artifacts__evm_listed') }}

),

creations as (

    select
        network,
        from_address,
        created_address,
        block_number
    from {{ ref('stg_evm_rpc__transactions') }}
    where created_address is not null
    union all
    select
        network,
        from_address,
        created_address,
        block_number
    from {{ ref('stg_bigquery__transactions') }}
    where created_address is not null and coalesce(status, 1) = 1
    union all
    select
        network,
        from_address,
        created_address,
        block_number
    from {{ ref('stg_evm_rpc__traces') }}
    where created_address is not null

),

targets as (

    select distinct
        network,
        address

    from listed
    where is_target

)

select
    listed.project_name,
    creations.network,
    creations.created_address as address,
    min(creations.block_number) as created_block,
    min(listed.listed_since) as listed_since,
    max(case when targets.address is null then 0 else 1 end) = 1 as is_listed
from creations
inner join listed
    on creations.network = listed.network and creations.from_address = listed.address and listed.is_creator
left join targets
    on creations.network = targets.network and creations.created_address = targets.address
group by
    listed.project_name,
    creations.network,
    creations.created_address
