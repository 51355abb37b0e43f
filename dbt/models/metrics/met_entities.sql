-- depends_on: {{ ref('met_rebuild') }}
select
    entity_level,
    entity_id,
    artifact_id,
    born_on
from {{ ref('int_entities__github') }}
