{{ config(materialized='view') }}
-- What metrics count, once for each source that they are measured of.
select distinct
    rules.metric,
    metrics.metric_source,
    metrics.member_source,
    rules.event_type,
    rules.measure,
    rules.sign,
    rules.human_subject,
    rules.stable_only,
    metrics.as_of
from {{ ref('metric_events') }} as rules
inner join {{ ref('met_metrics') }} as metrics
    on rules.metric = metrics.metric and rules.metric_source = metrics.metric_kind
