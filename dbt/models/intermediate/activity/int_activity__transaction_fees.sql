{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- The fee of a transaction for each contract that it called, itself or inside.
with

calls as (

    select
        to_artifact_id as artifact_id,
        event_source,
        event_type,
        object_id as transaction_hash,
        event_day,
        archive_day,
        amount

    from {{ ref('int_events') }}
    where
        event_type in ('TRANSACTION_FEE', 'CONTRACT_INTERNAL_INVOCATION')
        and {{ rebuilt_events('event_day', 'to_artifact_id') }}

)

select
    artifact_id,
    event_source,
    transaction_hash,
    event_day,
    amount
from calls
where event_type = 'TRANSACTION_FEE'
union all
select
    calls.artifact_id,
    calls.event_source,
    calls.transaction_hash,
    calls.event_day,
    {{ wei_to_coin('transactions.fee_wei') }} as amount
from calls
inner join {{ ref('stg_evm_rpc__transactions') }} as transactions
    on
        calls.event_source = upper(transactions.network)
        and calls.transaction_hash = transactions.transaction_hash
        and calls.archive_day = transactions.archive_day
where calls.event_type = 'CONTRACT_INTERNAL_INVOCATION' and transactions.fee_wei is not null
