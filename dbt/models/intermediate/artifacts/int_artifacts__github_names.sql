{{ config(materialized='view') }}
-- Every name that a repository was seen under, in the archive and, as of its latest crawl, in the API.
with

united as (

    select
        repo_id,
        repo_name,
        spelling,
        owner,
        last_at
    from {{ ref('stg_github_archive__repositories') }}
    union all
    select
        repo_id,
        lower(repo_name) as repo_name,
        repo_name as spelling,
        lower(split_part(repo_name, '/', 1)) as owner,
        {{ at_utc('archive_day') }} as last_at
    from {{ ref('stg_github_api__repositories') }}

)

select
    repo_id,
    repo_name,
    max_by(spelling, last_at) as spelling,
    owner,
    max(last_at) as last_at
from united
group by
    repo_id,
    repo_name,
    owner
