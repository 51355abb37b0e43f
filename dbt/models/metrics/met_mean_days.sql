{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('event_day')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- What ratios and means divide: sum of the values and number of cases, a day.
select
    'pull_request_acceptance_ratio' as metric,
    entity_level,
    entity_id,
    event_day,
    day_no,
    cast(sum(case when metric = 'merged_pull_requests' then amount else 0 end) as bigint) as value_sum,
    cast(sum(amount) as bigint) as case_count
from {{ ref('met_daily') }}
where metric in ('merged_pull_requests', 'closed_pull_requests') and {{ rebuilt_metrics('event_day') }}
group by
    entity_level,
    entity_id,
    event_day,
    day_no

union all

select
    'bot_activity_share' as metric,
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
    entity_level,
    entity_id,
    event_day,
    day_no
