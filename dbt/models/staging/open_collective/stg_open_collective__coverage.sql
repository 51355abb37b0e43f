select
    part as listed_slug,
    _day as ledger_day,
    max(case when stream = 'transactions' then expected end) as rows_expected,
    max(case when stream = 'transactions' then observed end) as rows_read,
    count_if(stream = 'transactions' and status = 'complete') = 1 as is_complete,
    max(case when status <> 'complete' then reason end) as reason
from {{ source('raw', 'open_collective__coverage') }}
where stream in ('accounts', 'transactions')
group by
    part,
    _day
