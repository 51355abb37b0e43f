{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_events('event_day', 'artifact_id')) }}",
    properties={'partitioning': "ARRAY['month(event_day)']"}
) }}
-- What happens once to an issue or pull request of a human, and the time from one release to the next.
with

touched as (

    select distinct
        artifact_id,
        item_number

    from {{ ref('int_activity__item_events') }}
    where {{ rebuilt_events('event_day', 'artifact_id') }}

),

events as (

    select
        told.*,
        {{ epoch_seconds('told.event_time') }} - {{ epoch_seconds('told.opened_at') }} as seconds

    from {{ ref('int_activity__human_items') }} as told
    inner join touched
        on told.artifact_id = touched.artifact_id and told.item_number = touched.item_number

),

merges as (

    select * from events
    where event_type = 'PULL_REQUEST_MERGED'

),

-- what other humans said up to the merge
talk as (

    select
        merged.artifact_id,
        merged.item_number,
        count_if(events.event_type = 'PULL_REQUEST_REVIEW') as reviews

    from (
        select
            artifact_id,
            item_number,
            author_id,
            max(event_time) as event_time
        from merges
        group by
            artifact_id,
            item_number,
            author_id
    ) as merged
    inner join events
        on
            merged.artifact_id = events.artifact_id
            and merged.item_number = events.item_number
            and merged.event_time >= events.event_time
    where
        events.event_type in ('ISSUE_COMMENT', 'PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT')
        and events.human_id <> merged.author_id
    group by
        merged.artifact_id,
        merged.item_number

),

-- the first answer by another human, and the first closing
firsts as (

    select
        measures.measure,
        events.artifact_id,
        events.event_id,
        events.event_day,
        events.seconds,
        row_number() over (
            partition by measures.measure, events.artifact_id, events.item_number
            order by events.event_time, events.event_id
        ) as place

    from events
    cross join (values ('time_to_first_response'), ('time_to_close_issues')) as measures (measure)
    where
        events.seconds is not null
        and case
            when measures.measure = 'time_to_close_issues' then events.event_type = 'ISSUE_CLOSED'
            else
                events.human_id <> events.author_id
                and events.event_type in (
                    'ISSUE_COMMENT', 'PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT', 'ISSUE_CLOSED',
                    'PULL_REQUEST_CLOSED', 'PULL_REQUEST_MERGED'
                )
        end

),

gaps as (

    select
        artifact_id,
        event_source,
        event_id,
        event_day,
        {{ epoch_seconds('event_time') }} - lag({{ epoch_seconds('event_time') }}) over (
            partition by artifact_id order by event_time, event_id
        ) as seconds

    from {{ ref('int_activity__releases') }}

),

united as (

    select
        measure,
        'GITHUB' as event_source,
        artifact_id,
        event_id,
        event_day,
        seconds as amount
    from firsts
    where place = 1

    union all

    select
        'time_between_releases' as measure,
        event_source,
        artifact_id,
        event_id,
        event_day,
        seconds as amount
    from gaps
    where seconds is not null

    union all

    select
        'time_to_merge' as measure,
        'GITHUB' as event_source,
        artifact_id,
        event_id,
        event_day,
        seconds as amount
    from merges
    where seconds is not null

    union all

    select
        'pull_request_review_rate' as measure,
        'GITHUB' as event_source,
        merges.artifact_id,
        merges.event_id,
        merges.event_day,
        case when talk.reviews > 0 then 1 else 0 end as amount
    from merges
    left join talk
        on merges.artifact_id = talk.artifact_id and merges.item_number = talk.item_number

    union all

    select
        'self_merge_rates' as measure,
        'GITHUB' as event_source,
        merges.artifact_id,
        merges.event_id,
        merges.event_day,
        case when merges.human_id = merges.author_id and talk.item_number is null then 1 else 0 end as amount
    from merges
    left join talk
        on merges.artifact_id = talk.artifact_id and merges.item_number = talk.item_number
    where merges.is_actor_known

)

select
    measure,
    event_source,
    artifact_id,
    event_id,
    event_day,
    cast(amount as bigint) as amount
from united
where {{ rebuilt_events('event_day', 'artifact_id') }}
