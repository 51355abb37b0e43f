with

links as (

    select * from {{ ref('int_artifacts__listed') }}

),

memberships as (

    select * from {{ ref('stg_oss_directory__collection_members') }}

),

projects as (

    select
        {{ nid(["'project'", "'OSS_DIRECTORY'", "'oso'", 'project_name']) }} as project_id,
        project_name

    from {{ ref('stg_oss_directory__projects') }}

)

select distinct
    'artifact' as entity_level,
    artifact_id as entity_id,
    artifact_id
from links

union all

select distinct
    'project' as entity_level,
    projects.project_id as entity_id,
    links.artifact_id
from links
inner join projects
    on links.project_name = projects.project_name

union all

select distinct
    'collection' as entity_level,
    {{ nid(["'collection'", "'OSS_DIRECTORY'", "'oso'", 'memberships.collection_name']) }} as entity_id,
    links.artifact_id
from memberships
inner join projects
    on memberships.project_name = projects.project_name
inner join links
    on projects.project_name = links.project_name
