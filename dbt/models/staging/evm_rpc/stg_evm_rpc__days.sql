select
    _day as archive_day,
    part as network,
    max(case when stream = 'blocks' then expected end) as blocks_expected,
    max(case when stream = 'blocks' then observed end) as blocks_read,
    max(case when stream = 'blocks' then status end) as status,
    max(case when stream = 'blocks' then reason end) as reason,
    coalesce(max(case when stream = 'traces' then observed end), 0) as blocks_traced,
    max(case when stream = 'traces' then status end) as traces_status,
    max(case when stream = 'traces' then reason end) as traces_reason
from {{ source('raw', 'evm_rpc__coverage') }}
group by
    _day,
    part
