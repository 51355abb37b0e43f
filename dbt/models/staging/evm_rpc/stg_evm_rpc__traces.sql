select

    -- keys
    network,
    transaction_hash,
    trace_address,
    block_number,
    from_address,
    to_address,
    case when trace_type in ('create', 'create2') and not is_reverted then to_address end as created_address,

    -- facts
    block_timestamp as block_at,
    trace_type,
    is_reverted,
    gas_used,

    -- amounts of up to 78 digits, so text
    value as value_wei,
    fee_share as fee_share_wei,

    -- lineage
    _day as archive_day

from {{ source('raw', 'evm_rpc__traces') }}
