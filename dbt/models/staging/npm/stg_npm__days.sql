select
    day as download_day,
    downloads as download_count,
    median_downloads,
    is_hole,
    reason as hole_reason
from {{ source('raw', 'npm__days') }}
