select
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    collections.collection_id,
    collections.collection_source,
    collections.collection_namespace,
    collections.collection_name
from {{ ref('stg_oss_directory__collection_members') }} as members
inner join {{ ref('projects_v1') }} as projects
    on members.project_name = projects.project_name
inner join {{ ref('collections_v1') }} as collections
    on members.collection_name = collections.collection_name
