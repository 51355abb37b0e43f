select
    upper(kind) as package_source,
    name as package_name,
    dependent_name,
    dependent_version,
    snapshot_at,
    _day as snapshot_day
from {{ source('raw', 'bigquery__dependents') }}
