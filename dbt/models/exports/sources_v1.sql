with

landed as (

    select max(_loaded_at) as last_success_at
    from (
        select _loaded_at from {{ source('raw', 'github_archive__coverage') }}
        union all
        select _loaded_at from {{ source('raw', 'bigquery__coverage') }}
        where stream = 'github_events'
    ) as loads

),

known_days as (

    select family, min(day) as first_day, max(day) as as_of
    from {{ ref('int_coverage__days') }}
    where artifact_id is null and status in ('full', 'part')
    group by family

),

entities as (

    select
        source,
        provider,
        family,
        min(case when status in ('full', 'part') then day end) as first_day,
        max(case when status in ('full', 'part') then day end) as as_of

    from {{ ref('int_coverage__entity_days') }}
    group by
        source,
        provider,
        family

),

entity_loads as (

    {% for provider, table, docs_url, licence in [
        ('github_api', 'github_api', 'https://docs.github.com/en/graphql', 'GitHub Terms of Service'),
        ('npm', 'npm', 'https://github.com/npm/registry/blob/main/docs/download-counts.md', 'npm Open-Source Terms'),
        ('open_collective', 'open_collective', 'https://docs.opencollective.com/help/developers/api', 'Open Collective Terms of Service'),
        ('rpc', 'evm_rpc', 'https://ethereum.github.io/execution-apis/', 'none: public chain data'),
        ('bigquery', 'bigquery', 'https://cloud.google.com/bigquery/public-data', 'terms of each public data set'),
    ] %}
    select
        '{{ provider }}' as provider,
        max(_loaded_at) as last_success_at,
        '{{ docs_url }}' as docs_url,
        '{{ licence }}' as licence
    from {{ source('raw', table ~ '__coverage') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

directory as (
    select
        min(_day) as first_day,
        max(_day) as as_of,
        max(_loaded_at) as last_success_at

    from {{ source('raw', 'oss_directory__coverage') }}

),

united as (

    select
        'GITHUB' as source,
        'archive' as provider,
        families.family,
        known_days.first_day,
        known_days.as_of,
        landed.last_success_at,
        'https://www.gharchive.org' as docs_url,
        'CC-BY-4.0' as licence

    from {{ ref('github_families') }} as families
    cross join landed
    left join known_days
        on families.family = known_days.family

    union all

    select
        'OSS_DIRECTORY' as source,
        'oss_directory' as provider,
        'registry' as family,
        first_day,
        as_of,
        last_success_at,
        'https://github.com/opensource-observer/oss-directory' as docs_url,
        'Apache-2.0' as licence

    from directory

    union all

    select
        entities.source,
        entities.provider,
        entities.family,
        entities.first_day,
        entities.as_of,
        entity_loads.last_success_at,
        entity_loads.docs_url,
        entity_loads.licence

    from entities
    inner join entity_loads
        on entities.provider = entity_loads.provider

)

select
    source,
    provider,
    family,
    true as enabled,
    first_day,
    as_of,
    last_success_at,
    cast({{ epoch_seconds(timestamp_utc("'" ~ var("computed_at") ~ " UTC'")) }} - {{ epoch_seconds('last_success_at') }} as double) / 3600 as lag_hours,
    case when as_of is null then 'failing' when as_of < {{ plus_days("date '" ~ var("run_day") ~ "'", -3) }} then 'late' else 'ok' end as status,
    docs_url,
    licence
from united
