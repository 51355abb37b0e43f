with

snapshots as (

    select
        *,
        row_number() over (partition by repo_id order by snapshot_day desc) as age,
        max(snapshot_day) over () as newest_day

    from {{ ref('stg_github_repositories__repositories') }}

),

-- a count is as old as a week at most, like those of the metrics
newest as (

    select * from snapshots
    where age = 1 and snapshot_day >= {{ plus_days('newest_day', -6) }}

)

select
    owned.project_id,
    owned.artifact_id,
    substr(owned.artifact_source_id, 6) as artifact_source_id,
    owned.artifact_source,
    owned.artifact_namespace,
    owned.artifact_name,
    artifacts.url as artifact_url,
    artifacts.is_fork,
    newest.default_branch as branch,
    newest.star_count,
    newest.watcher_count,
    newest.fork_count,
    newest.license_name,
    newest.license_spdx_id,
    newest.language,
    newest.created_at,
    newest.updated_at
from {{ ref('artifacts_by_project_v1') }} as owned
inner join {{ ref('artifacts_v1') }} as artifacts
    on owned.artifact_id = artifacts.artifact_id
left join newest
    on owned.artifact_source_id = 'repo:' || cast(newest.repo_id as varchar)
where owned.artifact_source = 'GITHUB' and starts_with(owned.artifact_source_id, 'repo:')
