{{ config(materialized='view') }}
-- The addresses whose events count: those that are used, and those whose making is an event.
select
    artifact_id,
    min(coalesce(created_block, 0)) as from_block,
    false as is_made
from {{ ref('int_artifacts__evm_targets') }}
group by artifact_id
union all
select
    {{ nid(["'artifact'", 'upper(network)', 'address']) }} as artifact_id,
    min(created_block) as from_block,
    true as is_made
from {{ ref('int_artifacts__evm_created') }}
group by
    network,
    address
