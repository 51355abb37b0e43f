{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- The metrics that add up over days.
with

metrics as (

    select distinct
        metric,
        metric_source,
        row_class,
        as_of

    from {{ ref('met_metrics') }}

),

-- a transaction that calls several members costs once
paid as (

    select distinct
        fees.event_source,
        entities.entity_level,
        entities.entity_id,
        fees.transaction_hash,
        fees.event_day,
        fees.amount

    from {{ ref('int_activity__transaction_fees') }} as fees
    inner join {{ ref('met_entities') }} as entities
        on fees.artifact_id = entities.artifact_id and fees.event_source = entities.member_source
    where {{ rebuilt_metrics('fees.event_day', 'entities.entity_id') }}

),

counted as (

    select
        rules.metric_source,
        entities.entity_level,
        entities.entity_id,
        rules.metric,
        days.event_day,
        case when rules.sign < 0 then -days.amount else days.amount end as amount,
        days.event_count
    from {{ ref('int_activity__artifact_days') }} as days
    inner join {{ ref('met_rules') }} as rules
        on days.event_type = rules.event_type and rules.measure = 'sum'
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and rules.member_source = entities.member_source
    left join {{ ref('met_internal') }} as internal
        on
            entities.entity_id = internal.entity_id
            and days.artifact_id = internal.artifact_id
            and days.counterparty_id = internal.actor_id
            and days.event_type in ('CREDIT', 'DEBIT')
    where
        days.event_type <> 'COMMIT_CODE'
        and not (rules.human_subject and days.subject_is_bot)
        and not (rules.stable_only and days.is_prerelease)
        and internal.entity_id is null
        and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}

    union all

    select
        'GITHUB' as metric_source,
        entity_level,
        entity_id,
        'commits' as metric,
        event_day,
        cast(1 as decimal(38, 18)) as amount,
        1 as event_count
    from {{ ref('met_commits') }}
    where not is_bot and {{ rebuilt_metrics('event_day') }}

    union all

    select
        metric_source,
        entity_level,
        entity_id,
        case actor_set when 'contributors' then 'new_contributors' else 'new_addresses' end as metric,
        first_day as event_day,
        cast(1 as decimal(38, 18)) as amount,
        1 as event_count
    from {{ ref('met_first_days') }}
    where actor_set in ('contributors', 'active_addresses') and {{ rebuilt_metrics('first_day') }}

    union all

    select distinct
        metric_source,
        entity_level,
        entity_id,
        'active_days' as metric,
        event_day,
        cast(1 as decimal(38, 18)) as amount,
        1 as event_count
    from {{ ref('met_actor_days') }}
    where actor_set = 'contributors' and {{ rebuilt_metrics('event_day') }}

    union all

    select
        'GITHUB' as metric_source,
        entity_level,
        entity_id,
        'bot_activity' as metric,
        event_day,
        cast(by_bots as decimal(38, 18)) as amount,
        1 as event_count
    from {{ ref('met_work_days') }}
    where by_bots > 0 and {{ rebuilt_metrics('event_day') }}

    union all

    select
        event_source as metric_source,
        entity_level,
        entity_id,
        'gas_fees_internal' as metric,
        event_day,
        amount,
        1 as event_count
    from paid

),

summed as (

    select
        counted.metric_source,
        counted.entity_level,
        counted.entity_id,
        counted.metric,
        counted.event_day,
        cast(sum(counted.amount) as decimal(38, 18)) as amount,
        -- of class S alone: there is a row where something happened, though it adds up to nothing
        cast(sum(case when metrics.row_class = 'S' then counted.event_count else 0 end) as bigint) as case_count

    from counted
    inner join metrics
        on counted.metric = metrics.metric and counted.metric_source = metrics.metric_source
    where counted.event_day <= metrics.as_of
    group by
        counted.metric_source,
        counted.entity_level,
        counted.entity_id,
        counted.metric,
        counted.event_day

)

select
    metric_source,
    entity_level,
    entity_id,
    metric,
    event_day,
    date_diff('day', date '1970-01-01', event_day) as day_no,
    amount,
    case_count
from summed
where amount <> 0 or case_count > 0
