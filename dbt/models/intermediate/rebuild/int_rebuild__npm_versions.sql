-- depends_on: {{ ref('int_rebuild__others') }}
select
    artifact_id,
    from_day,
    to_day
from {{ ref('int_coverage__npm_versions') }}
