-- depends_on: {{ ref('int_rebuild__from') }}
select
    source,
    family,
    as_of
from {{ ref('int_coverage__as_of_now') }}
