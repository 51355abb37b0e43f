select
    network,
    transaction_hash,
    log_index,
    block_number,
    block_timestamp as block_at,
    user_operation_hash,
    entry_point,
    sender,
    nullif(paymaster, '0x0000000000000000000000000000000000000000') as paymaster,
    is_success,
    actual_gas_cost as gas_cost_wei,
    actual_gas_used as gas_used,
    _day as archive_day
from {{ source('raw', 'evm_rpc__user_operations') }}
