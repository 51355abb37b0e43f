{{ config(materialized='view') }}
-- a git e-mail belongs to the account that most of its commits show, of several the one with the lowest number
with

counted as (

    select
        author_email,
        author_id,
        -- each day's crawl brings the commits of two weeks again
        count(distinct cast(repo_id as varchar) || sha) as commit_count

    from {{ ref('stg_github_api__commits') }}
    where author_email <> '' and author_id is not null
    group by
        author_email,
        author_id

),

ranked as (

    select
        *,
        row_number() over (partition by author_email order by commit_count desc, author_id asc) as account_rank

    from counted

)

select
    author_email,
    author_id as user_id
from ranked
where account_rank = 1
