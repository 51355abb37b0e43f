select
    network,
    number as block_number,
    hash as block_hash,
    parent_hash,
    timestamp as block_at,
    transaction_count,
    system_transaction_count,
    kept_transaction_count,
    user_operation_count,
    _day as archive_day
from {{ source('raw', 'evm_rpc__blocks') }}
