with

names as (

    select * from {{ ref('int_artifacts__github_names') }}

),

facts as (

    select
        repo_id,
        min(repo_created_at) as created_at,
        min(created_at) as first_event_at,
        coalesce(max(case when is_fork then 1 when not is_fork then 0 end), 0) = 1 as is_fork

    from {{ ref('stg_github_archive__events') }}
    group by repo_id

),

ranked as (

    select
        *,
        row_number() over (partition by repo_id order by last_at desc, repo_name) as name_rank

    from names

),

landed as (

    select min(archive_day) as first_day from {{ ref('stg_github_archive__days') }}

)

select
    ranked.repo_id,
    {{ nid(["'artifact'", "'GITHUB'", "'repo:' || cast(ranked.repo_id as varchar)"]) }} as artifact_id,
    ranked.spelling as repo_name,
    ranked.owner,
    coalesce(api.is_fork, facts.is_fork, false) as is_fork,
    -- without a creation date the repository is as old as the source
    least(
        coalesce({{ utc_day('api.created_at') }}, {{ utc_day('facts.created_at') }}, landed.first_day),
        coalesce({{ utc_day('facts.first_event_at') }}, {{ utc_day('api.created_at') }}, landed.first_day)
    ) as born_on
from ranked
left join facts
    on ranked.repo_id = facts.repo_id
left join {{ ref('stg_github_api__repositories') }} as api
    on ranked.repo_id = api.repo_id
cross join landed
where ranked.name_rank = 1
