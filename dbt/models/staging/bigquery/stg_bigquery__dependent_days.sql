select
    _day as snapshot_day,
    upper(split_part(part, ' ', 1)) as package_source,
    case when strpos(part, ' ') > 0 then substr(part, strpos(part, ' ') + 1) else '' end as package_name,
    expected > 0 as has_snapshot,
    status
from {{ source('raw', 'bigquery__coverage') }}
where stream = 'dependents'
