{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- Of other sources than GitHub what metrics count actors of.
with

counted as (

    select event_type from {{ ref('metric_events') }}
    where measure in ('actors', 'payers')

)

select
    to_artifact_id as artifact_id,
    actor_id,
    actor_address,
    event_day,
    event_type,
    is_own_item,
    count(*) as event_count,
    cast(sum(amount) as decimal(38, 18)) as amount,
    max(case when amount > 0 then 1 else 0 end) = 1 as is_gain
from {{ ref('int_events') }}
where
    actor_id is not null and not coalesce(actor_is_bot, false)
    and amount is not null
    and (
        event_source = 'GITHUB'
        or event_type in (select event_type from counted)
    )
    and {{ rebuilt_events('event_day', 'to_artifact_id') }}
group by
    to_artifact_id,
    actor_id,
    actor_address,
    event_day,
    event_type,
    is_own_item
