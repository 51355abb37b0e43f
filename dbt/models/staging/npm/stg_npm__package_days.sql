-- a coverage line of '*' says that nothing was listed
select
    part as package_name,
    _day as download_day,
    case
        when status = 'complete' then 'full'
        when status = 'damaged' and observed = 1 then 'part'
        else 'none'
    end as coverage_status,
    status = 'known_missing' as is_unknown_to_npm,
    reason
from {{ source('raw', 'npm__coverage') }}
where stream = 'downloads' and part <> '*'
