select distinct
    artifacts.artifact_id,
    artifacts.artifact_source_id,
    artifacts.artifact_source,
    artifacts.artifact_namespace,
    artifacts.artifact_name,
    memberships.collection_id,
    memberships.collection_source,
    memberships.collection_namespace,
    memberships.collection_name
from {{ ref('artifacts_by_project_v1') }} as artifacts
inner join {{ ref('projects_by_collection_v1') }} as memberships
    on artifacts.project_id = memberships.project_id
