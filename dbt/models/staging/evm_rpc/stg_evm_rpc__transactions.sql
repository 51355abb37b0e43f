select

    -- keys
    network,
    hash as transaction_hash,
    block_number,
    transaction_index,
    from_address,
    to_address,
    -- a failed creation carries an address too
    case when to_address is null and receipt_status = 1 then receipt_contract_address end as created_address,

    -- facts
    block_timestamp as block_at,
    transaction_type,
    method_id,
    receipt_status,
    is_system,

    -- amounts of up to 78 digits, so text
    value as value_wei,
    fee as fee_wei,
    l1_fee as l1_fee_wei,
    operator_fee as operator_fee_wei,

    -- lineage
    _day as archive_day

from {{ source('raw', 'evm_rpc__transactions') }}
