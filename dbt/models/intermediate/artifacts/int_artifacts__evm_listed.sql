-- What the directory lists on chains, any_evm spread over every landed network: of whose days one was read at least.
with

listed as (

    select
        project_name,
        identity as address,
        network,
        coalesce(
            (
                contains(tags, 'contract') or contains(tags, 'proxy')
                or contains(tags, 'factory') or contains(tags, 'bridge')
            )
            and not (
                contains(tags, 'eoa') or contains(tags, 'wallet')
                or contains(tags, 'safe') or contains(tags, 'deployer')
            ),
            false
        ) as is_target,
        coalesce(
            contains(tags, 'deployer') or contains(tags, 'eoa')
            or contains(tags, 'creator') or contains(tags, 'factory'),
            false
        ) as is_creator,
        listed_since

    from {{ ref('stg_oss_directory__artifacts') }}
    where kind = 'blockchain' and status = 'ok'

),

networks as (

    select network from {{ ref('stg_evm_rpc__days') }}
    where status = 'complete' or blocks_read > 0
    union distinct
    select network from {{ ref('stg_bigquery__chain_days') }}
    where status = 'complete' or transaction_count > 0

),

explicit as (

    select * from listed
    where network <> 'any_evm'

),

-- a network that somebody names for the address beats any_evm
anywhere as (

    select
        listed.project_name,
        listed.address,
        networks.network,
        listed.is_target,
        listed.is_creator,
        listed.listed_since

    from listed
    cross join networks
    where
        listed.network = 'any_evm'
        and not exists (
            select 1 from explicit
            where explicit.address = listed.address and explicit.network = networks.network
        )

)

select
    project_name,
    network,
    address,
    'explicit' as match_rule,
    is_target,
    is_creator,
    listed_since
from explicit

union all

select
    project_name,
    network,
    address,
    'any_evm' as match_rule,
    is_target,
    is_creator,
    listed_since
from anywhere
