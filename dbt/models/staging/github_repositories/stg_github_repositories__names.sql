select
    kind,
    name,
    state,
    repo_id,
    repo_name,
    reason,
    _day as snapshot_day
from {{ source('raw', 'github_repositories__names') }}
