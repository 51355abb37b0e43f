select distinct
    repo_id,
    'refs/heads/' || default_branch as ref
from {{ ref('stg_github_archive__events') }}
where default_branch is not null
