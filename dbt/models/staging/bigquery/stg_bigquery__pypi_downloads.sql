select
    project as package_name,
    _day as download_day,
    download_count,
    mirror_count
from {{ source('raw', 'bigquery__pypi_downloads') }}
