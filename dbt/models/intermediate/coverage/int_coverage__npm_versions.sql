{{ config(materialized='view') }}
-- A package's document names every version that was ever published, so it covers all days before it was read.
with

packages as (

    select * from {{ ref('stg_npm_manifests__packages') }}

),

first_versions as (

    select
        package_name,
        min(published_at) as published_at

    from {{ ref('stg_npm_manifests__versions') }}
    group by package_name

),

spans as (

    select
        {{ nid(["'artifact'", "'NPM'", 'packages.package_name']) }} as artifact_id,
        coalesce({{ utc_day('packages.created_at') }}, {{ utc_day('first_versions.published_at') }}) as from_day,
        {{ plus_days('packages.snapshot_day', -1) }} as to_day

    from packages
    left join first_versions
        on packages.package_name = first_versions.package_name

)

select
    artifact_id,
    from_day,
    to_day
from spans
where from_day <= to_day
