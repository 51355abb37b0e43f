{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_files('archive_day', 'to_artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(archive_day)']"}
) }}
-- Chain events of BigQuery's public tables. GitHub's events of the same source are the archive's.
with

transactions as (

    select
        *,
        case when status = 0 then 'TRANSACTION_FAILED' else 'CONTRACT_INVOCATION' end as outcome,
        -- deposits were paid for on L1; 19 digits each, so that a product fits
        cast(case when transaction_type = 126 then 0 else gas_used end as decimal(19, 0))
        * cast(coalesce(gas_price_wei, 0) as decimal(19, 0))
        + cast(coalesce(blob_gas_used, 0) as decimal(19, 0)) * cast(coalesce(blob_gas_price_wei, 0) as decimal(19, 0))
        + cast(coalesce(l1_fee_wei, 0) as decimal(19, 0)) as fee_wei

    from {{ ref('stg_bigquery__transactions') }}
    where
        -- the OP stack's own deposit at the head of each block
        coalesce(transaction_type, 0) != 126
        or from_address != '0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001'

),

targets as (

    select
        network,
        address,
        min(coalesce(created_block, 0)) as from_block

    from {{ ref('int_artifacts__evm_targets') }}
    group by
        network,
        address

),

calls as (

    select transactions.*
    from transactions
    inner join targets
        on
            transactions.network = targets.network
            and transactions.to_address = targets.address
            and transactions.block_number >= targets.from_block

),

creations as (

    select * from transactions
    where
        to_address is null
        and created_address is not null
        and coalesce(status, 1) = 1
        and (network, from_address) in (
            select network, address from {{ ref('int_artifacts__evm_listed') }} where is_creator
        )

),

events as (

    select
        outcome as event_type, upper(network) as event_source, to_address as artifact, from_address as actor,
        cast(1 as decimal(38, 18)) as amount, transaction_hash, to_address as last_key, block_timestamp, archive_day
    from calls
    union all
    select
        'TRANSACTION_FEE' as event_type, upper(network) as event_source, to_address as artifact, from_address as actor,
        cast(fee_wei * cast('0.000000000000000001' as decimal(18, 18)) as decimal(38, 18)) as amount,
        transaction_hash, to_address as last_key, block_timestamp, archive_day
    from calls
    union all
    select
        'CONTRACT_DEPLOYED' as event_type, upper(network) as event_source, created_address as artifact,
        from_address as actor, cast(1 as decimal(38, 18)) as amount, transaction_hash, created_address as last_key,
        block_timestamp, archive_day
    from creations

),

keyed as (

    select
        *,
        {{ nid(["'artifact'", 'event_source', 'artifact']) }} as to_artifact_id,
        case
            when event_type = 'CONTRACT_DEPLOYED' then {{ nid(["'event'", 'event_source', 'event_type', 'last_key']) }}
            else {{ nid(["'event'", 'event_source', 'event_type', 'transaction_hash', 'last_key']) }}
        end as event_id

    from events

),

-- an address that was destroyed may be made again: the first time counts
firsts as (

    select
        *,
        row_number() over (partition by event_id order by block_timestamp, transaction_hash) as place

    from keyed
    where {{ rebuilt_files('archive_day', 'to_artifact_id') }}

)

select
    firsts.event_id,
    firsts.block_timestamp as event_time,
    {{ utc_day('firsts.block_timestamp') }} as event_day,
    firsts.event_type,
    firsts.event_source,
    'bigquery' as provider,
    types.family,
    firsts.to_artifact_id,
    {{ nid(["'artifact'", 'firsts.event_source', 'firsts.actor']) }} as actor_id,
    firsts.actor as actor_address,
    cast(null as varchar) as subject_id,
    false as actor_is_bot,
    cast(null as boolean) as subject_is_bot,
    firsts.amount,
    firsts.transaction_hash as object_id,
    -- with the artifact's address it gives the event's key again
    case
        when firsts.event_type = 'CONTRACT_DEPLOYED' then firsts.last_key else firsts.transaction_hash
    end as event_source_id,
    false as is_own_item,
    firsts.archive_day
from firsts
inner join {{ ref('event_types') }} as types
    on firsts.event_type = types.event_type
where
    firsts.place = 1
    {% if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as kept
        where firsts.event_type = 'CONTRACT_DEPLOYED' and kept.event_id = firsts.event_id
    )
    {% endif %}
