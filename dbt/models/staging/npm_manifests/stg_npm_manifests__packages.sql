-- The newest document of each package: one that could not be read today keeps the state of the day before.
with

packages as (

    select * from {{ source('raw', 'npm_manifests__packages') }}

),

newest as (

    select
        package,
        max(_day) as snapshot_day

    from packages
    group by package

)

select

    -- keys
    packages.package as package_name,

    -- facts
    packages.status,
    packages.created_at,
    packages.modified_at,
    packages.unpublished_at,
    packages.latest_version,
    packages.version_count,
    packages.deprecated as deprecation_message,
    packages.license,
    packages.homepage,
    packages.repository_url,
    packages.repository,
    packages.repository_directory,
    packages.maintainers,

    -- lineage
    packages._day as snapshot_day

from packages
inner join newest
    on packages.package = newest.package and packages._day = newest.snapshot_day
