-- depends_on: {{ ref('int_rebuild__others') }}
select
    snapshot_day,
    max(loaded_at) as loaded_at
from {{ ref('stg_github_repositories__repositories') }}
group by snapshot_day
