-- depends_on: {{ ref('int_rebuild__github') }}
select
    repo_id,
    created_at
from {{ ref('stg_github_api__repositories') }}
where is_fork
