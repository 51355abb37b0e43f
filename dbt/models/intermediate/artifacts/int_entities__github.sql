{{ config(materialized='view') }}
-- Who has GitHub metrics, with the birth of each member repository.
with

repositories as (

    select * from {{ ref('int_artifacts__github_repositories') }}

)

select
    'artifact' as entity_level,
    artifact_id as entity_id,
    artifact_id,
    born_on
from repositories

union all

select
    members.entity_level,
    members.entity_id,
    members.artifact_id,
    repositories.born_on
from {{ ref('int_entities__members') }} as members
inner join repositories
    on members.artifact_id = repositories.artifact_id
where members.entity_level <> 'artifact'
