{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_files('day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(day)']"}
) }}
select
    repositories.artifact_id,
    days.family,
    days.archive_day as day,
    case when days.is_full then 'full' else 'none' end as status
from {{ ref('stg_github_api__repository_days') }} as days
inner join {{ ref('int_artifacts__github_repositories') }} as repositories
    on days.repo_id = repositories.repo_id
where {{ rebuilt_files('days.archive_day', 'repositories.artifact_id') }}
