with

seen as (

    select actor_id as user_id, actor_login as login, cast(null as varchar) as account_type, created_at
    from {{ ref('stg_github_archive__events') }}
    union all
    select author_id, author_login, author_type, created_at
    from {{ ref('stg_github_archive__events') }}
    union all
    select merged_by_id, merged_by_login, merged_by_type, created_at
    from {{ ref('stg_github_archive__events') }}
    union all
    select user_id, login, case when is_bot then 'Bot' end, {{ at_utc('last_day') }}
    from {{ ref('int_people__github_api_users') }}

)

select
    user_id,
    {{ nid(["'artifact'", "'GITHUB'", "'user:' || cast(user_id as varchar)"]) }} as artifact_id,
    max_by(login, created_at) as login,
    max(case when account_type = 'Bot' or {{ is_bot_login('login') }} then 1 else 0 end) = 1 as is_bot
from seen
where user_id is not null
group by user_id
