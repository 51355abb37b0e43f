select
    source,
    family,
    max(day) as as_of
from {{ ref('int_coverage__days') }}
where artifact_id is null and status in ('full', 'part')
group by
    source,
    family
