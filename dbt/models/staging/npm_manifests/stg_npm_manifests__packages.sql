-- The newest document of each package: one that could not be read today keeps the state of the day before.
with

packages as (

    select * from {{ source('raw', 'npm_manifests__packages') }}

),

dated as (

    select
        package,
        status,
        _day as snapshot_day,
        max(_day) over (partition by package) as newest_day,
        first_value(status) over (partition by package order by _day desc) as newest_status

    from packages

),

changed as (

    select
        package,
        newest_day,
        max(case when status <> newest_status then snapshot_day end) as changed_day

    from dated
    group by
        package,
        newest_day

),

newest as (

    select
        dated.package,
        changed.newest_day as snapshot_day,
        min(dated.snapshot_day) as status_since

    from dated
    inner join changed
        on dated.package = changed.package
    where changed.changed_day is null or dated.snapshot_day > changed.changed_day
    group by
        dated.package,
        changed.newest_day

)

select

    -- keys
    packages.package as package_name,

    -- facts
    packages.status,
    newest.status_since,
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
