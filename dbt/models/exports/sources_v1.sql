-- Which sources are off is told by the build's settings: a source without its connection lands nothing.
{% set off = told("sources_off") %}
{% set asked = [
    ('github_api', 'github_api', 'GITHUB', none, 'https://docs.github.com/en/graphql', 'GitHub Terms of Service'),
    ('npm', 'npm', 'NPM', 'downloads', 'https://github.com/npm/registry/blob/main/docs/download-counts.md', 'npm Open-Source Terms'),
    ('npm_manifests', 'npm_manifests', 'NPM', 'versions', 'https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md', 'npm Open-Source Terms'),
    ('open_collective', 'open_collective', 'OPEN_COLLECTIVE', 'ledger', 'https://docs.opencollective.com/help/developers/api', 'Open Collective Terms of Service'),
    ('rpc', 'evm_rpc', 'EVM', 'transactions', 'https://ethereum.github.io/execution-apis/', 'none: public chain data'),
    ('github_repositories', 'github_repositories', 'GITHUB', 'repo_stats', 'https://docs.github.com/en/graphql', 'GitHub Terms of Service'),
    ('bigquery', 'bigquery', 'DEPS_DEV', 'dependents', 'https://docs.deps.dev/bigquery/v1/', 'CC-BY-4.0'),
    ('bigquery', 'bigquery', 'EVM', 'transactions', 'https://cloud.google.com/bigquery/public-data', 'terms of each public data set'),
] %}
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
    union all
    select
        'NPM' as source,
        'npm_manifests' as provider,
        'versions' as family,
        min(from_day) as first_day,
        max(to_day) as as_of
    from {{ ref('int_coverage__npm_versions') }}
    having max(to_day) is not null

),

entity_loads as (

    {% for provider, table, origin, family, docs_url, licence in asked %}
    select
        '{{ origin }}' as source,
        '{{ provider }}' as provider,
        {{ 'false' if table in off else 'true' }} as enabled,
        {{ "max(case when stream = 'dependents' then _loaded_at end)" if family == 'dependents' else 'max(_loaded_at)' }} as last_success_at,
        '{{ docs_url }}' as docs_url,
        '{{ licence }}' as licence
    from {{ source('raw', table ~ '__coverage') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- of a provider that told nothing yet, what it would tell
expected as (

    {% for provider, table, origin, family, docs_url, licence in asked %}
    select
        '{{ origin }}' as source,
        '{{ provider }}' as provider,
        {{ "'" ~ family ~ "'" if family else 'family' }} as family
    from {{ ref('github_families') }}
    {% if family %}group by 1, 2, 3{% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

told as (

    select * from entities
    union all
    select
        expected.source,
        expected.provider,
        expected.family,
        cast(null as date) as first_day,
        cast(null as date) as as_of

    from expected
    left join entities
        on expected.provider = entities.provider and (expected.source = entities.source or (expected.source = 'EVM' and entities.source <> 'DEPS_DEV'))
    where entities.provider is null

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
        true as enabled,
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
        true as enabled,
        last_success_at,
        'https://github.com/opensource-observer/oss-directory' as docs_url,
        'Apache-2.0' as licence

    from directory

    union all

    select
        told.source,
        told.provider,
        told.family,
        told.first_day,
        told.as_of,
        entity_loads.enabled,
        entity_loads.last_success_at,
        entity_loads.docs_url,
        entity_loads.licence

    from told
    inner join entity_loads
        on
            told.provider = entity_loads.provider
            and (told.source = entity_loads.source or (entity_loads.source = 'EVM' and told.source <> 'DEPS_DEV'))

)

select
    source,
    provider,
    family,
    enabled,
    first_day,
    as_of,
    last_success_at,
    cast({{ epoch_seconds(timestamp_utc("'" ~ told("computed_at") ~ " UTC'")) }} - {{ epoch_seconds('last_success_at') }} as double) / 3600 as lag_hours,
    case when not enabled then 'off' when as_of is null then 'failing' when as_of < {{ plus_days("date '" ~ told("run_day") ~ "'", -3) }} then 'late' else 'ok' end as status,
    docs_url,
    licence
from united
