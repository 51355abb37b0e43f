-- What changes events or coverage outside GitHub on days that did not land again: a version of a package that was found
-- later, a document that was read until a later day, a rate or a snapshot of GitHub's counts that came late, an account that has another slug now, an address that became code of a project or is no longer.
{% if not is_partial() %}
select
    cast(null as varchar) as artifact_id,
    cast(null as date) as event_day,
    cast(null as varchar) as run_id
where false
{% else %}
{% set landed = "date '" ~ told("rebuild_from") ~ "'" %}
with

versions as (

    select
        {{ nid(["'artifact'", "'NPM'", 'package_name']) }} as artifact_id,
        version,
        published_at

    from {{ ref('stg_npm_manifests__versions') }}
    where published_at is not null

),

built_versions as (

    select
        to_artifact_id as artifact_id,
        object_id as version,
        event_time as published_at

    from {{ last_build('int_events__npm') }}
    where event_type = 'PACKAGE_VERSION_PUBLISHED'

),

quoted as (

    select
        currency,
        rate_on,
        units_per_eur

    from {{ ref('stg_ecb_rates__rates') }}

),

rates as (

    select
        quoted.currency,
        quoted.rate_on,
        quoted.units_per_eur

    from quoted
    inner join quoted as dollars
        on quoted.rate_on = dollars.rate_on and dollars.currency = 'USD'

),

built_rates as (

    select
        currency,
        rate_on,
        units_per_eur

    from {{ last_build('int_events__usd_rates') }}
    where currency <> 'EUR'

),

codes as (

    select
        artifact_id,
        from_block,
        is_made

    from {{ ref('int_artifacts__evm_codes') }}

),

built_codes as (

    select
        artifact_id,
        from_block,
        is_made

    from {{ last_build('int_rebuild__evm_codes') }}

),

spans as (

    select * from {{ ref('int_coverage__npm_versions') }}

),

built_spans as (

    select * from {{ last_build('int_rebuild__npm_versions') }}

),

snapshots as (

    select
        snapshot_day,
        max(loaded_at) as loaded_at

    from {{ ref('stg_github_repositories__repositories') }}
    group by snapshot_day

),

built_snapshots as (

    select
        snapshot_day,
        loaded_at

    from {{ last_build('int_rebuild__snapshots') }}

),

{% for name in ['versions', 'rates', 'codes', 'snapshots'] %}
new_{{ name }} as (

    select * from {{ name }}
    except
    select * from built_{{ name }}

),

lost_{{ name }} as (

    select * from built_{{ name }}
    except
    select * from {{ name }}

),

{% endfor %}
found as (

    select artifact_id, {{ utc_day('published_at') }} as event_day from new_versions
    union distinct
    select artifact_id, {{ utc_day('published_at') }} as event_day from lost_versions
    union distinct
    select cast(null as varchar) as artifact_id, rate_on as event_day from new_rates
    union distinct
    select cast(null as varchar) as artifact_id, rate_on as event_day from lost_rates
    union distinct
    select cast(null as varchar) as artifact_id, snapshot_day as event_day from new_snapshots
    union distinct
    select cast(null as varchar) as artifact_id, snapshot_day as event_day from lost_snapshots
    union distinct
    select artifact_id, cast(null as date) as event_day from new_codes
    union distinct
    select artifact_id, cast(null as date) as event_day from lost_codes
    union distinct
    select
        case when spans.from_day is distinct from built_spans.from_day then coalesce(spans.artifact_id, built_spans.artifact_id) end as artifact_id,
        case when spans.from_day = built_spans.from_day then {{ plus_days('least(spans.to_day, built_spans.to_day)', 1) }} end as event_day
    from spans
    full outer join built_spans
        on spans.artifact_id = built_spans.artifact_id
    where spans.from_day is distinct from built_spans.from_day or spans.to_day <> built_spans.to_day
    union distinct
    select
        cast(null as varchar) as artifact_id,
        built.event_day
    from {{ last_build('int_events__open_collective') }} as built
    inner join {{ ref('stg_open_collective__transactions') }} as transactions
        on built.object_id = transactions.transaction_id
    inner join {{ ref('int_artifacts__open_collective') }} as accounts
        on transactions.account_id = accounts.account_id
    left join {{ ref('int_artifacts__open_collective') }} as opposites
        on transactions.opposite_account_id = opposites.account_id
    where
        built.to_artifact_id <> accounts.artifact_id
        or built.actor_id is distinct from opposites.artifact_id

)

select
    artifact_id,
    -- a few days back all is rebuilt; for an older event of a known artifact, that artifact
    case when artifact_id is null or event_day >= {{ plus_days(landed, -7) }} then event_day end as event_day,
    '{{ told("run_id") }}' as run_id
from found
union distinct
-- a layer that is tried again finds what its first try replaced
select
    artifact_id,
    event_day,
    run_id
from {{ this }}
where run_id = '{{ told("run_id") }}'
{% endif %}
