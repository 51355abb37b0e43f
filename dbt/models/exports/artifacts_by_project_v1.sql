select
    artifacts.artifact_id,
    artifacts.artifact_source_id,
    artifacts.artifact_source,
    artifacts.artifact_namespace,
    artifacts.artifact_name,
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    links.match_rule,
    {{ at_utc('links.listed_since') }} as valid_from
from {{ ref('int_artifacts__listed') }} as links
inner join {{ ref('artifacts_v1') }} as artifacts
    on links.artifact_id = artifacts.artifact_id
inner join {{ ref('projects_v1') }} as projects
    on links.project_name = projects.project_name
