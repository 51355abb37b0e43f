{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- Work = everything but stars, forks and releases; commits are distinct by level.
with

united as (

    select
        entity_level,
        entity_id,
        event_day,
        case when is_bot then 0 else 1 end as of_humans,
        case when is_bot then 1 else 0 end as by_bots,
        case when is_bot or actor_id is not null then 1 else 0 end as by_known
    from {{ ref('met_commits') }}
    where {{ rebuilt_metrics('event_day') }}

    union all

    select
        entities.entity_level,
        entities.entity_id,
        days.event_day,
        days.event_count as of_humans,
        0 as by_bots,
        0 as by_known
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    where
        days.event_type not in ('COMMIT_CODE', 'STARRED', 'FORKED', 'RELEASE_PUBLISHED')
        and not days.subject_is_bot
        and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

    union all

    select
        entities.entity_level,
        entities.entity_id,
        days.event_day,
        0 as of_humans,
        case when days.actor_is_bot then days.event_count else 0 end as by_bots,
        days.event_count as by_known
    from {{ ref('int_activity__work_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    where {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

),

as_of as (

    select max(as_of) as as_of
    from {{ ref('met_metrics') }}
    where metric = 'bot_activity'

)

select
    united.entity_level,
    united.entity_id,
    united.event_day,
    date_diff('day', date '1970-01-01', united.event_day) as day_no,
    cast(sum(united.of_humans) as bigint) as of_humans,
    cast(sum(united.by_bots) as bigint) as by_bots,
    cast(sum(united.by_known) as bigint) as by_known
from united
cross join as_of
where united.event_day <= as_of.as_of
group by
    united.entity_level,
    united.entity_id,
    united.event_day
