select
    repo_id,
    star_count,
    _day as archive_day
from {{ source('raw', 'github_api__stars') }}
