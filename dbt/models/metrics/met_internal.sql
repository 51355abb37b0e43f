-- depends_on: {{ ref('met_rebuild') }}
select
    entity_id,
    artifact_id,
    actor_id
from {{ ref('int_entities__internal') }}
