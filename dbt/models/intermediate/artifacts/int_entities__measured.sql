with

members as (

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

)

select
    members.member_source,
    members.entity_level,
    members.entity_id,
    members.artifact_id,
    members.artifact_source,
    members.born_on,
    deaths.died_on
from members
left join {{ ref('int_artifacts__deaths') }} as deaths
    on members.artifact_id = deaths.artifact_id
