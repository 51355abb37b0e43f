select distinct
    repo_id,
    'refs/heads/' || default_branch as ref
from {{ source('raw', 'github_archive__events') }}
where default_branch is not null
