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

ledgers as (

    select
        'OPEN_COLLECTIVE' as source,
        'open_collective' as provider,
        'ledger' as family,
        {{ nid(["'artifact'", "'OPEN_COLLECTIVE'", 'listed_slug']) }} as artifact_id,
        ledger_day as day,
        case when is_complete then 'full' when coalesce(rows_read, 0) > 0 then 'part' else 'none' end as status,
        rows_expected as units_expected,
        rows_read as units_present,
        reason

    from {{ ref('stg_open_collective__coverage') }}

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

united as (

    select * from repositories
    union all
    select * from packages
    union all
    select * from ledgers
    union all
    select * from nodes
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
