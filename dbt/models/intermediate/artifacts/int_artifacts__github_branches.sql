-- depends_on: {{ ref('int_rebuild__github') }}
select
    repo_id,
    ref
from {{ ref('stg_github_archive__default_branches') }}
