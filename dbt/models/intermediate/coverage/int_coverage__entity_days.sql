-- Coverage of the sources that are asked entity by entity, or chain by chain.
with

packages as (

    select
        'NPM' as source,
        'npm' as provider,
        'downloads' as family,
        {{ nid(["'artifact'", "'NPM'", 'package_name']) }} as artifact_id,
        download_day as day,
        coverage_status as status,
        cast(1 as bigint) as units_expected,
        cast(case when coverage_status = 'none' then 0 else 1 end as bigint) as units_present,
        reason

    from {{ ref('stg_npm__package_days') }}

),

-- an amount without a rate to USD is missing in every sum of its day
unpriced as (

    select
        to_artifact_id,
        event_day,
        count(*) as event_count

    from {{ ref('int_events__open_collective') }}
    where amount is null
    group by
        to_artifact_id,
        event_day

),

-- a child's ledger is read with its parent's, which alone has the count of both
accounts as (

    select
        artifact_id,
        listed_slug,
        min(case when is_child then 1 else 0 end) as is_child

    from {{ ref('int_artifacts__open_collective') }}
    group by
        artifact_id,
        listed_slug

),

ledgers as (

    select
        'OPEN_COLLECTIVE' as source,
        'open_collective' as provider,
        'ledger' as family,
        accounts.artifact_id,
        readings.ledger_day as day,
        case
            when readings.is_complete and unpriced.event_count is null then 'full'
            when readings.is_complete or coalesce(readings.rows_read, 0) > 0 then 'part'
            else 'none'
        end as status,
        case when accounts.is_child = 0 then readings.rows_expected end as units_expected,
        case when accounts.is_child = 0 then readings.rows_read end as units_present,
        coalesce(
            readings.reason, 'no rate to USD for ' || cast(unpriced.event_count as varchar) || ' amounts'
        ) as reason

    from {{ ref('stg_open_collective__coverage') }} as readings
    inner join accounts
        on readings.listed_slug = accounts.listed_slug
    left join unpriced
        on accounts.artifact_id = unpriced.to_artifact_id and readings.ledger_day = unpriced.event_day

),

nodes as (

    select
        upper(network) as source,
        'rpc' as provider,
        'transactions' as family,
        cast(null as varchar) as artifact_id,
        archive_day as day,
        case
            when status = 'complete' then 'full'
            when coalesce(blocks_read, 0) > 0 then 'part'
            else 'none'
        end as status,
        blocks_expected as units_expected,
        blocks_read as units_present,
        reason

    from {{ ref('stg_evm_rpc__days') }}

),

traces as (

    select
        upper(network) as source,
        'rpc' as provider,
        'traces' as family,
        cast(null as varchar) as artifact_id,
        archive_day as day,
        case
            when traces_status = 'complete' then 'full'
            when blocks_traced > 0 then 'part'
            else 'none'
        end as status,
        blocks_expected as units_expected,
        blocks_traced as units_present,
        coalesce(traces_reason, reason) as reason

    from {{ ref('stg_evm_rpc__days') }}

),

tables as (

    select
        upper(network) as source,
        'bigquery' as provider,
        'transactions' as family,
        cast(null as varchar) as artifact_id,
        archive_day as day,
        case
            when status = 'complete' then 'full'
            when coalesce(transaction_count, 0) > 0 then 'part'
            else 'none'
        end as status,
        block_transaction_count as units_expected,
        transaction_count as units_present,
        reason

    from {{ ref('stg_bigquery__chain_days') }}

),

repositories as (

    select
        'GITHUB' as source,
        'github_api' as provider,
        family,
        artifact_id,
        day,
        status,
        cast(1 as bigint) as units_expected,
        cast(case when status = 'full' then 1 else 0 end as bigint) as units_present,
        case when status <> 'full' then 'the crawl of the family did not finish' end as reason

    from {{ ref('int_coverage__github_api_days') }}

),

counts as (

    select
        'GITHUB' as source,
        'github_repositories' as provider,
        'repo_stats' as family,
        repositories.artifact_id,
        snapshots.snapshot_day as day,
        cast(snapshots.star_count is not null as bigint)
        + cast(snapshots.fork_count is not null as bigint)
        + cast(snapshots.watcher_count is not null as bigint)
        + cast(snapshots.open_issue_count is not null as bigint) as counted

    from {{ ref('stg_github_repositories__repositories') }} as snapshots
    inner join {{ ref('int_artifacts__github_repositories') }} as repositories
        on snapshots.repo_id = repositories.repo_id

),

snapshots as (

    select
        source,
        provider,
        family,
        artifact_id,
        day,
        case counted when 4 then 'full' when 0 then 'none' else 'part' end as status,
        cast(4 as bigint) as units_expected,
        counted as units_present,
        case when counted < 4 then 'GitHub told not all counts' end as reason

    from counts

),

dependents as (

    select
        'DEPS_DEV' as source,
        'bigquery' as provider,
        'dependents' as family,
        artifact_id,
        day,
        status,
        cast(null as bigint) as units_expected,
        cast(null as bigint) as units_present,
        case when status = 'part' then 'a day since the snapshot was not read' end as reason

    from {{ ref('int_coverage__dependents') }}

),

united as (

    select * from repositories
    union all
    select * from snapshots
    union all
    select * from dependents
    union all
    select * from packages
    union all
    select * from ledgers
    union all
    select * from nodes
    union all
    select * from traces
    union all
    select * from tables

)

select
    source,
    provider,
    family,
    artifact_id,
    day,
    status,
    units_expected,
    units_present,
    cast(null as double) as ratio,
    reason
from united
