{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_files('archive_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(archive_day)']"}
) }}
-- A push lists 20 commits at most: what it leaves out was not seen.
select distinct
    repositories.artifact_id,
    {{ utc_day('events.created_at') }} as day,
    events.archive_day
from {{ ref('stg_github_archive__events') }} as events
inner join {{ ref('int_artifacts__github_repositories') }} as repositories
    on events.repo_id = repositories.repo_id
where
    events.github_type = 'PushEvent'
    and events.listed_commits < events.push_size
    and {{ rebuilt_files('events.archive_day', 'repositories.artifact_id') }}
