{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- What ratios and means divide: sum of the values and number of cases, a day.
select
    rules.metric,
    rules.metric_source,
    entities.entity_level,
    entities.entity_id,
    days.event_day,
    date_diff('day', date '1970-01-01', days.event_day) as day_no,
    cast(sum(case rules.measure when 'share' then days.event_count else 0 end) as bigint) as value_sum,
    cast(sum(days.event_count) as bigint) as case_count
from {{ ref('int_activity__artifact_days') }} as days
inner join {{ ref('met_rules') }} as rules
    on days.event_type = rules.event_type and rules.measure in ('share', 'rest')
inner join {{ ref('met_entities') }} as entities
    on days.artifact_id = entities.artifact_id and rules.member_source = entities.member_source
where
    not (rules.human_subject and days.subject_is_bot)
    and days.event_day <= rules.as_of
    and {{ rebuilt_metrics('days.event_day', 'entities.entity_id') }}
group by 1, 2, 3, 4, 5, 6

union all

select
    'bot_activity_share' as metric,
    'GITHUB' as metric_source,
    entity_level,
    entity_id,
    event_day,
    day_no,
    by_bots as value_sum,
    by_known as case_count
from {{ ref('met_work_days') }}
where by_known > 0 and {{ rebuilt_metrics('event_day') }}

union all

select
    metric,
    metric_source,
    entity_level,
    entity_id,
    event_day,
    day_no,
    cast(sum(amount) as bigint) as value_sum,
    count(*) as case_count
from {{ ref('met_cases') }}
where metric not like '%median' and {{ rebuilt_metrics('event_day') }}
group by
    metric,
    metric_source,
    entity_level,
    entity_id,
    event_day,
    day_no
