-- depends_on: {{ ref('met_rebuild') }}
select
    member_source,
    entity_level,
    entity_id,
    artifact_id,
    artifact_source,
    born_on,
    died_on
from {{ ref('int_entities__measured') }}
