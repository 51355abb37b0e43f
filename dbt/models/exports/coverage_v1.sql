with

days as (

    select * from {{ ref('int_coverage__days') }}
    union all
    select * from {{ ref('int_coverage__entity_days') }}

),

marked as (

    select
        *,
        row_number() over (partition by source, provider, family, artifact_id order by day) as place,
        row_number() over (
            partition by source, provider, family, artifact_id, status, units_expected, units_present, reason order by day
        ) as place_in_run,
        date_diff('day', date '1970-01-01', day) as day_no

    from days

)

select
    source,
    provider,
    family,
    artifact_id,
    min(day) as from_day,
    max(day) as to_day,
    status,
    units_expected,
    units_present,
    avg(ratio) as ratio,
    reason
from marked
group by
    source,
    provider,
    family,
    artifact_id,
    status,
    units_expected,
    units_present,
    reason,
    -- days in a row of one status have one difference
    day_no - place_in_run

union all

select
    'NPM' as source,
    'npm_manifests' as provider,
    'versions' as family,
    artifact_id,
    from_day,
    to_day,
    'full' as status,
    cast(null as bigint) as units_expected,
    cast(null as bigint) as units_present,
    cast(null as double) as ratio,
    cast(null as varchar) as reason
from {{ ref('int_coverage__npm_versions') }}
