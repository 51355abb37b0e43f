-- accounts that the API names; it gives bots by their type, commits by their login alone
with

seen as (

    select author_id as user_id, author_login as login, author_type as account_type, archive_day
    from {{ ref('stg_github_api__pull_requests') }}
    union all
    select merged_by_id, merged_by_login, merged_by_type, archive_day
    from {{ ref('stg_github_api__pull_requests') }}
    union all
    select author_id, author_login, author_type, archive_day
    from {{ ref('stg_github_api__issues') }}
    union all
    select actor_id, actor_login, actor_type, archive_day
    from {{ ref('stg_github_api__item_events') }}
    union all
    select item_author_id, item_author_login, item_author_type, archive_day
    from {{ ref('stg_github_api__item_events') }}
    union all
    select author_id, author_login, author_type, archive_day
    from {{ ref('stg_github_api__comments') }}
    union all
    select author_id, author_login, author_type, archive_day
    from {{ ref('stg_github_api__reviews') }}
    union all
    select author_id, author_login, author_type, archive_day
    from {{ ref('stg_github_api__review_comments') }}
    union all
    select owner_id, owner_login, owner_type, archive_day
    from {{ ref('stg_github_api__forks') }}
    union all
    select author_id, author_login, cast(null as varchar), archive_day
    from {{ ref('stg_github_api__releases') }}
    union all
    select author_id, author_login, cast(null as varchar), archive_day
    from {{ ref('stg_github_api__commits') }}

)

select
    user_id,
    {{ nid(["'artifact'", "'GITHUB'", "'user:' || cast(user_id as varchar)"]) }} as artifact_id,
    max(login) as login,
    max(case when account_type = 'Bot' or {{ is_bot_login('login') }} then 1 else 0 end) = 1 as is_bot,
    max(archive_day) as last_day
from seen
where user_id is not null
group by user_id
