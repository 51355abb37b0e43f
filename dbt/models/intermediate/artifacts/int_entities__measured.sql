{{ config(materialized='view') }}
select
    'GITHUB' as member_source,
    entity_level,
    entity_id,
    artifact_id,
    'GITHUB' as artifact_source,
    born_on
from {{ ref('int_entities__github') }}
union all
select
    member_source,
    entity_level,
    entity_id,
    artifact_id,
    artifact_source,
    born_on
from {{ ref('int_entities__others') }}
