-- depends_on: {{ ref('int_rebuild__from') }}
-- Where the days of a source begin: with the year before its first day, so that every window has the one before it.
with

firsts as (

    select
        source as artifact_source,
        min(day) as first_day
    from {{ ref('int_coverage__days') }}
    group by source
    union all
    select
        source as artifact_source,
        min(day) as first_day
    from {{ ref('int_coverage__entity_days') }}
    group by source
    union all
    select
        'NPM' as artifact_source,
        min(from_day) as first_day
    from {{ ref('int_coverage__npm_versions') }}
    having min(from_day) is not null
    union all
    select
        event_source as artifact_source,
        min(event_day) as first_day
    from {{ ref('int_activity__artifact_days') }}
    group by event_source

)

select
    artifact_source,
    {{ previous_period('year', period_start('year', 'min(first_day)')) }} as first_day
from firsts
group by artifact_source
