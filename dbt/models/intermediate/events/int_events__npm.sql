-- depends_on: {{ ref('int_rebuild__others') }}
with

downloads as (

    select
        package_name,
        'PACKAGE_DOWNLOADED' as event_type,
        {{ at_utc('download_day') }} as event_time,
        cast(download_count as decimal(38, 18)) as amount,
        cast(download_day as varchar) as object_id,
        archive_day

    from {{ ref('stg_npm__downloads') }}
    where download_count is not null

),

versions as (

    select
        package_name,
        'PACKAGE_VERSION_PUBLISHED' as event_type,
        published_at as event_time,
        cast(1 as decimal(38, 18)) as amount,
        version as object_id,
        first_seen_day as archive_day

    from {{ ref('stg_npm_manifests__versions') }}
    where published_at is not null

),

united as (

    select package_name, event_type, event_time, amount, object_id, archive_day from downloads
    union all
    select package_name, event_type, event_time, amount, object_id, archive_day from versions

)

select
    {{ nid(["'event'", "'NPM'", 'united.event_type', 'united.package_name', 'united.object_id']) }} as event_id,
    united.event_time,
    {{ utc_day('united.event_time') }} as event_day,
    united.event_type,
    'NPM' as event_source,
    'npm' as provider,
    types.family,
    {{ nid(["'artifact'", "'NPM'", 'united.package_name']) }} as to_artifact_id,
    cast(null as varchar) as actor_id,
    cast(null as varchar) as subject_id,
    cast(null as boolean) as actor_is_bot,
    cast(null as boolean) as subject_is_bot,
    united.amount,
    united.object_id,
    united.object_id as event_source_id,
    false as is_own_item,
    united.archive_day
from united
inner join {{ ref('event_types') }} as types
    on united.event_type = types.event_type
