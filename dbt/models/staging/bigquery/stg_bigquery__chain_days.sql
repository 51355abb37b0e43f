select
    _day as archive_day,
    part as network,
    status,
    expected as block_transaction_count,
    observed as transaction_count,
    reason
from {{ source('raw', 'bigquery__coverage') }}
where stream = 'transactions'
