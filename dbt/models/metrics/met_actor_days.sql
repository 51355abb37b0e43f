{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- Who was active when, by set: developers, contributors, reviewers, backers; for `repositories` the artifact itself.
-- Who counts in a window: those whose amounts add up to more than 0.
with

metrics as (

    select distinct
        metric,
        metric_source,
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
        on days.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    where {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

),

commit_days as (

    select distinct
        entity_level,
        entity_id,
        actor_id,
        event_day
    from commits
    where actor_id is not null and not is_bot

),

contributors as (

    select * from commit_days
    union distinct
    select
        entity_level,
        entity_id,
        actor_id,
        event_day
    from actor_days
    where event_type in ('ISSUE_OPENED', 'PULL_REQUEST_OPENED', 'PULL_REQUEST_MERGED')

),

reviewers as (

    select distinct
        entity_level,
        entity_id,
        actor_id,
        event_day
    from actor_days
    where event_type in ('PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT') and not coalesce(is_own_item, false)

),

repositories as (

    select
        entity_level,
        entity_id,
        artifact_id as actor_id,
        event_day
    from commits
    where not is_bot
    union distinct
    select
        entities.entity_level,
        entities.entity_id,
        days.artifact_id as actor_id,
        days.event_day
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
    where
        days.event_type not in ('COMMIT_CODE', 'STARRED', 'FORKED')
        and (days.event_type = 'RELEASE_PUBLISHED' or not days.subject_is_bot)
        and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

),

{% set sets = {
    'active_developers': 'commit_days', 'contributors': 'contributors', 'reviewers': 'reviewers',
    'repositories': 'repositories',
} %}
active as (

    {% for actor_set, days in sets.items() %}
    select
        '{{ actor_set }}' as actor_set,
        'GITHUB' as metric_source,
        entity_level,
        entity_id,
        actor_id,
        event_day,
        cast(1 as decimal(38, 18)) as amount,
        true as is_gain
    from {{ days }}

    union all
    {% endfor %}

    select distinct
        rules.metric as actor_set,
        rules.metric_source,
        entities.entity_level,
        entities.entity_id,
        days.artifact_id as actor_id,
        days.event_day,
        cast(1 as decimal(38, 18)) as amount,
        true as is_gain
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_rules') }} as rules
        on days.event_type = rules.event_type and rules.measure = 'artifacts'
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and rules.member_source = entities.member_source
    where {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

    union all

    -- an address is one actor on all chains
    select distinct
        rules.metric as actor_set,
        rules.metric_source,
        entities.entity_level,
        entities.entity_id,
        case rules.metric_source when 'EVM' then days.actor_address else days.actor_id end as actor_id,
        days.event_day,
        cast(1 as decimal(38, 18)) as amount,
        true as is_gain
    from {{ ref('int_activity__actor_days') }} as days
    inner join {{ ref('met_rules') }} as rules
        on days.event_type = rules.event_type and rules.measure = 'actors'
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and rules.member_source = entities.member_source
    where {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

    union all

    select
        rules.metric as actor_set,
        rules.metric_source,
        entities.entity_level,
        entities.entity_id,
        days.actor_id,
        days.event_day,
        cast(sum(days.amount) as decimal(38, 18)) as amount,
        max(case when days.is_gain then 1 else 0 end) = 1 as is_gain
    from {{ ref('int_activity__actor_days') }} as days
    inner join {{ ref('met_rules') }} as rules
        on days.event_type = rules.event_type and rules.measure = 'payers'
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and rules.member_source = entities.member_source
    left join {{ ref('met_internal') }} as internal
        on
            entities.entity_id = internal.entity_id
            and days.artifact_id = internal.artifact_id
            and days.actor_id = internal.actor_id
            and days.event_type in ('CREDIT', 'DEBIT')
    where internal.entity_id is null and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}
    group by
        rules.metric,
        rules.metric_source,
        entities.entity_level,
        entities.entity_id,
        days.actor_id,
        days.event_day

)

select
    active.actor_set,
    active.metric_source,
    active.entity_level,
    active.entity_id,
    active.actor_id,
    active.event_day,
    date_diff('day', date '1970-01-01', active.event_day) as day_no,
    active.amount,
    active.is_gain
from active
inner join metrics
    on active.actor_set = metrics.metric and active.metric_source = metrics.metric_source
where active.event_day <= metrics.as_of
