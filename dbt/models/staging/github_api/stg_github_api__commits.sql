select
    repo_id,
    sha,
    committed_at,
    authored_at,
    author_name,
    author_email,
    author_id,
    author_login,
    committer_name,
    committer_id,
    additions,
    deletions,
    changed_files,
    _day as archive_day
from {{ source('raw', 'github_api__commits') }}
