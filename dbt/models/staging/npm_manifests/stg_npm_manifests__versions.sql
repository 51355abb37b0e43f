-- Every version that any snapshot saw: one that a package lost later was published all the same.
select
    package as package_name,
    version,
    max_by(published_at, _day) as published_at,
    strpos(version, '-') > 0 as is_prerelease,
    max_by(is_removed, _day) as is_removed,
    min(_day) as first_seen_day
from {{ source('raw', 'npm_manifests__versions') }}
group by
    package,
    version
