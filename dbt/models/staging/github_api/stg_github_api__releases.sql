select
    repo_id,
    release_id,
    tag,
    is_prerelease,
    published_at,
    author_id,
    author_login,
    _day as archive_day
from {{ source('raw', 'github_api__releases') }}
