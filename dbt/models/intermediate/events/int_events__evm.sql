{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_files('archive_day', 'to_artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(archive_day)']"}
) }}
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

-- the transaction of a frame says who caused it, and whom it called
frames as (

    select
        traces.network,
        traces.transaction_hash,
        traces.trace_address,
        traces.block_number,
        traces.block_at,
        traces.archive_day,
        traces.trace_type,
        traces.from_address as caller_address,
        traces.to_address,
        traces.created_address,
        traces.is_reverted,
        traces.fee_share_wei,
        transactions.from_address,
        transactions.to_address as called_address

    from {{ ref('stg_evm_rpc__traces') }} as traces
    inner join transactions
        on traces.network = transactions.network and traces.transaction_hash = transactions.transaction_hash

),

uses as (

    select
        frames.*,
        targets.artifact_id as to_artifact_id

    from frames
    inner join targets
        on
            frames.network = targets.network
            and frames.to_address = targets.address
            and frames.block_number >= targets.from_block

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
    union all
    select distinct
        'CONTRACT_INTERNAL_INVOCATION' as event_type,
        network, block_at, archive_day, from_address, to_artifact_id, transaction_hash,
        to_address as last_key,
        cast(1 as decimal(38, 18)) as amount
    from uses
    where
        trace_address <> ''
        and trace_type in ('call', 'callcode', 'delegatecall')
        and not is_reverted
        and to_address is distinct from called_address
    union all
    select
        'FEE_SHARE' as event_type,
        network, block_at, archive_day, from_address, to_artifact_id, transaction_hash,
        to_address as last_key,
        {{ wei_to_coin('fee_share_wei') }} as amount
    from uses
    where fee_share_wei is not null
    union all
    -- at depth 0 the transaction said so already
    select
        'CONTRACT_DEPLOYED' as event_type,
        frames.network,
        frames.block_at,
        frames.archive_day,
        frames.from_address,
        {{ nid(["'artifact'", "upper(frames.network)", "frames.created_address"]) }} as to_artifact_id,
        frames.transaction_hash,
        frames.created_address as last_key,
        cast(1 as decimal(38, 18)) as amount
    from frames
    inner join creators
        on frames.network = creators.network and frames.caller_address = creators.address
    where frames.created_address is not null and frames.trace_address <> ''

),

-- an address that was destroyed may be made again: the first time counts
firsts as (

    select
        *,
        row_number() over (
            partition by event_type, network, last_key, case when event_type <> 'CONTRACT_DEPLOYED' then transaction_hash end
            order by block_at, transaction_hash
        ) as place

    from united
    where {{ rebuilt_files('archive_day', 'to_artifact_id') }}

),

keyed as (

    select
        *,
        {{ nid(["'event'", "upper(network)", 'event_type', 'last_key']) }} as short_id,
        {{ nid(["'event'", "upper(network)", 'event_type', 'transaction_hash', 'last_key']) }} as long_id

    from firsts
    where place = 1

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
    keyed.from_address as actor_address,
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
{% if is_incremental() %}
where
    not exists (
        select 1 from {{ this }} as kept
        where keyed.event_type = 'CONTRACT_DEPLOYED' and kept.event_id = keyed.short_id
    )
{% endif %}
