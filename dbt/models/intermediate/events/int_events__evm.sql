with

transactions as (

    select * from {{ ref('stg_evm_rpc__transactions') }}
    where not is_system

),

targets as (

    select
        network,
        address,
        artifact_id,
        min(coalesce(created_block, 0)) as from_block

    from {{ ref('int_artifacts__evm_targets') }}
    group by
        network,
        address,
        artifact_id

),

calls as (

    select
        transactions.*,
        targets.artifact_id as to_artifact_id

    from transactions
    inner join targets
        on
            transactions.network = targets.network
            and transactions.to_address = targets.address
            and transactions.block_number >= targets.from_block

),

creators as (

    select distinct
        network,
        address

    from {{ ref('int_artifacts__evm_listed') }}
    where is_creator

),

united as (

    -- before Byzantium there is no status, and what is in a block counts as done
    select
        case when receipt_status = 0 then 'TRANSACTION_FAILED' else 'CONTRACT_INVOCATION' end as event_type,
        network, block_at, archive_day, from_address, to_artifact_id, transaction_hash,
        to_address as last_key,
        cast(1 as decimal(38, 18)) as amount
    from calls
    union all
    select
        'TRANSACTION_FEE' as event_type,
        network, block_at, archive_day, from_address, to_artifact_id, transaction_hash,
        to_address as last_key,
        {{ wei_to_coin('fee_wei') }} as amount
    from calls
    where fee_wei is not null
    union all
    select
        'CONTRACT_DEPLOYED' as event_type,
        transactions.network,
        transactions.block_at,
        transactions.archive_day,
        transactions.from_address,
        {{ nid(["'artifact'", "upper(transactions.network)", "transactions.created_address"]) }} as to_artifact_id,
        transactions.transaction_hash,
        transactions.created_address as last_key,
        cast(1 as decimal(38, 18)) as amount
    from transactions
    inner join creators
        on transactions.network = creators.network and transactions.from_address = creators.address
    where transactions.created_address is not null

),

keyed as (

    select
        *,
        {{ nid(["'event'", "upper(network)", 'event_type', 'last_key']) }} as short_id,
        {{ nid(["'event'", "upper(network)", 'event_type', 'transaction_hash', 'last_key']) }} as long_id

    from united

)

select
    case when keyed.event_type = 'CONTRACT_DEPLOYED' then keyed.short_id else keyed.long_id end as event_id,
    keyed.block_at as event_time,
    {{ utc_day('keyed.block_at') }} as event_day,
    keyed.event_type,
    upper(keyed.network) as event_source,
    'rpc' as provider,
    types.family,
    keyed.to_artifact_id,
    {{ nid(["'artifact'", "upper(keyed.network)", "keyed.from_address"]) }} as actor_id,
    cast(null as varchar) as subject_id,
    false as actor_is_bot,
    cast(null as boolean) as subject_is_bot,
    keyed.amount,
    keyed.transaction_hash as object_id,
    -- with the artifact's address it gives the event's key again
    case
        when keyed.event_type = 'CONTRACT_DEPLOYED' then keyed.last_key else keyed.transaction_hash
    end as event_source_id,
    false as is_own_item,
    keyed.archive_day
from keyed
inner join {{ ref('event_types') }} as types
    on keyed.event_type = types.event_type
