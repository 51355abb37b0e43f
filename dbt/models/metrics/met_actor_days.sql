{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- Who was active when, by set: developers, contributors, reviewers; and for `repositories` the artifact itself.
with

as_of as (

    select distinct
        metric,
        as_of

    from {{ ref('met_metrics') }}

),

commits as (

    select * from {{ ref('met_commits') }}
    where {{ rebuilt_metrics('event_day') }}

),

actor_days as (

    select
        entities.entity_level,
        entities.entity_id,
        days.actor_id,
        days.event_day,
        days.event_type,
        days.is_own_item

    from {{ ref('int_activity__actor_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id
    where {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

),

active as (

    select
        'active_developers' as actor_set,
        entity_level,
        entity_id,
        actor_id,
        event_day
    from commits
    where actor_id is not null and not is_bot

    union all

    select
        'contributors' as actor_set,
        entity_level,
        entity_id,
        actor_id,
        event_day
    from commits
    where actor_id is not null and not is_bot

    union all

    select
        'contributors' as actor_set,
        entity_level,
        entity_id,
        actor_id,
        event_day
    from actor_days
    where event_type in ('ISSUE_OPENED', 'PULL_REQUEST_OPENED', 'PULL_REQUEST_MERGED')

    union all

    select
        'reviewers' as actor_set,
        entity_level,
        entity_id,
        actor_id,
        event_day
    from actor_days
    where event_type in ('PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT') and not coalesce(is_own_item, false)

    union all

    select
        'repositories' as actor_set,
        entity_level,
        entity_id,
        artifact_id as actor_id,
        event_day
    from commits
    where not is_bot

    union all

    select
        'repositories' as actor_set,
        entities.entity_level,
        entities.entity_id,
        days.artifact_id as actor_id,
        days.event_day
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id
    where
        days.event_type not in ('COMMIT_CODE', 'STARRED', 'FORKED')
        and (days.event_type = 'RELEASE_PUBLISHED' or not days.subject_is_bot)
        and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

)

select distinct
    active.actor_set,
    active.entity_level,
    active.entity_id,
    active.actor_id,
    active.event_day,
    date_diff('day', date '1970-01-01', active.event_day) as day_no
from active
inner join as_of
    on active.actor_set = as_of.metric
where active.event_day <= as_of.as_of
