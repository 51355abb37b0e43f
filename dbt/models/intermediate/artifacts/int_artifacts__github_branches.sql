-- depends_on: {{ ref('int_rebuild__github') }}
select
    repo_id,
    ref
from {{ ref('stg_github_archive__default_branches') }}
union distinct
-- and the one that the API tells, also where no event told any
select
    repo_id,
    'refs/heads/' || default_branch as ref
from {{ ref('stg_github_api__repositories') }}
where default_branch is not null
