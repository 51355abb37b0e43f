with

seen as (

    select
        case roles.role when 'actor' then events.actor_id when 'author' then events.author_id else events.merged_by_id end as user_id,
        case roles.role when 'actor' then events.actor_login when 'author' then events.author_login else events.merged_by_login end as login,
        case roles.role when 'author' then events.author_type when 'merger' then events.merged_by_type end as account_type,
        events.created_at

    from {{ ref('stg_github_archive__events') }} as events
    cross join (values ('actor'), ('author'), ('merger')) as roles (role)

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
