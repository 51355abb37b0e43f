with

named as (

    select repo_id, repo_name, owner, first_at, last_at from {{ source('raw', 'github_archive__repositories') }}
    union all
    select repo_id, repo_name, owner, first_at, last_at from {{ source('raw', 'bigquery__github_repositories') }}

)

select
    repo_id,
    lower(repo_name) as repo_name,
    -- the spelling that the latest event used
    max_by(repo_name, last_at) as spelling,
    lower(owner) as owner,
    min(first_at) as first_at,
    max(last_at) as last_at
from named
group by
    repo_id,
    lower(repo_name),
    lower(owner)
