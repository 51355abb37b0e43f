-- depends_on: {{ ref('int_rebuild__others') }}
select
    artifact_id,
    from_block,
    is_made
from {{ ref('int_artifacts__evm_codes') }}
