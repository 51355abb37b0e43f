{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
with

ranked as (

    select
        entities.entity_level,
        entities.entity_id,
        commits.artifact_id,
        commits.sha,
        commits.event_day,
        commits.actor_id,
        commits.is_bot,
        row_number() over (
            partition by commits.sha, entities.entity_id, entities.entity_level
            order by commits.event_time, commits.event_id
        ) as copy_rank

    from {{ ref('int_activity__commits') }} as commits
    inner join {{ ref('met_entities') }} as entities
        on commits.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    where {{ rebuilt_metrics('commits.event_day', 'entities.entity_id') }}

)

select
    entity_level,
    entity_id,
    artifact_id,
    sha,
    event_day,
    actor_id,
    is_bot
from ranked
where
    copy_rank = 1
    {% if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as kept
        where kept.entity_id = ranked.entity_id and kept.sha = ranked.sha
    )
    {% endif %}
