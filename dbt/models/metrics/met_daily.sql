{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- The metrics that add up over days.
with

as_of as (

    select distinct
        metric,
        as_of

    from {{ ref('met_metrics') }}

),

rules as (

    select * from {{ ref('metric_events') }}

),

counted as (

    select
        entities.entity_level,
        entities.entity_id,
        rules.metric,
        days.event_day,
        days.event_count as amount
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id
    inner join rules
        on days.event_type = rules.event_type
    where
        rules.event_type <> 'COMMIT_CODE'
        and not (rules.human_subject and days.subject_is_bot)
        and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

    union all

    select
        entity_level,
        entity_id,
        'commits' as metric,
        event_day,
        1 as amount
    from {{ ref('met_commits') }}
    where not is_bot and {{ rebuilt_metrics('event_day') }}

    union all

    select
        entity_level,
        entity_id,
        'new_contributors' as metric,
        first_day as event_day,
        1 as amount
    from {{ ref('met_first_days') }}
    where {{ rebuilt_metrics('first_day') }}

    union all

    select distinct
        entity_level,
        entity_id,
        'active_days' as metric,
        event_day,
        1 as amount
    from {{ ref('met_actor_days') }}
    where actor_set = 'contributors' and {{ rebuilt_metrics('event_day') }}

    union all

    select
        entity_level,
        entity_id,
        'bot_activity' as metric,
        event_day,
        by_bots as amount
    from {{ ref('met_work_days') }}
    where by_bots > 0 and {{ rebuilt_metrics('event_day') }}

)

select
    counted.entity_level,
    counted.entity_id,
    counted.metric,
    counted.event_day,
    date_diff('day', date '1970-01-01', counted.event_day) as day_no,
    cast(sum(counted.amount) as bigint) as amount
from counted
inner join as_of
    on counted.metric = as_of.metric
where counted.event_day <= as_of.as_of
group by
    counted.entity_level,
    counted.entity_id,
    counted.metric,
    counted.event_day
