{{ config(materialized='view') }}
with

names as (

    select
        names.metric,
        names.measure

    from (
        values
        ('time_to_merge_avg', 'time_to_merge'),
        ('time_to_merge_median', 'time_to_merge'),
        ('time_to_first_response_avg', 'time_to_first_response'),
        ('time_to_first_response_median', 'time_to_first_response'),
        ('time_to_close_issues_median', 'time_to_close_issues'),
        ('days_between_releases_median', 'time_between_releases'),
        ('pull_request_review_rate', 'pull_request_review_rate'),
        ('self_merge_rates', 'self_merge_rates')
    ) as names (metric, measure)

),

as_of as (

    select distinct
        metric,
        metric_source,
        as_of

    from {{ ref('met_metrics') }}

)

select
    names.metric,
    cases.event_source as metric_source,
    entities.entity_level,
    entities.entity_id,
    cases.artifact_id,
    cases.event_id,
    cases.event_day,
    date_diff('day', date '1970-01-01', cases.event_day) as day_no,
    cases.amount
from {{ ref('int_activity__cases') }} as cases
inner join names
    on cases.measure = names.measure
inner join as_of
    on
        names.metric = as_of.metric
        and cases.event_source = as_of.metric_source
        and cases.event_day <= as_of.as_of
inner join {{ ref('met_entities') }} as entities
    on cases.artifact_id = entities.artifact_id and cases.event_source = entities.member_source
