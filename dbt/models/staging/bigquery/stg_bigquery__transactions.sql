select

    -- keys
    network,
    transaction_hash,
    block_number,
    transaction_index,

    -- who
    from_address,
    to_address,
    receipt_contract_address as created_address,

    -- facts
    block_timestamp,
    transaction_type,
    receipt_status as status,
    value as value_wei,
    receipt_gas_used as gas_used,
    -- before EIP-1559 the price offered is the price paid
    coalesce(receipt_effective_gas_price, gas_price) as gas_price_wei,
    receipt_blob_gas_used as blob_gas_used,
    receipt_blob_gas_price as blob_gas_price_wei,
    receipt_l1_fee as l1_fee_wei,

    -- lineage
    _day as archive_day

from {{ source('raw', 'bigquery__transactions') }}
