{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- An amount that is not known (money without a rate) adds nothing.
with

events as (

    select
        to_artifact_id as artifact_id,
        event_source,
        event_day,
        event_type,
        coalesce(subject_is_bot, false) as subject_is_bot,
        event_type = 'PACKAGE_VERSION_PUBLISHED' and strpos(object_id, '-') > 0 as is_prerelease,
        case when event_source = 'OPEN_COLLECTIVE' then actor_id end as counterparty_id,
        amount

    from {{ ref('int_events') }}
    where amount is not null and {{ rebuilt_events('event_day', 'to_artifact_id') }}

)

select
    artifact_id,
    event_source,
    event_day,
    event_type,
    subject_is_bot,
    is_prerelease,
    counterparty_id,
    cast(sum(amount) as decimal(38, 18)) as amount,
    count(*) as event_count
from events
group by 1, 2, 3, 4, 5, 6, 7
