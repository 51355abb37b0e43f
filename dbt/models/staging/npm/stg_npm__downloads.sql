select

    -- keys
    package as package_name,
    day as download_day,

    -- facts
    downloads as download_count,
    is_hole,

    -- lineage
    _day as archive_day

from {{ source('raw', 'npm__downloads') }}
