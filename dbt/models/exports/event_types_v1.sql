select
    event_type,
    event_source,
    description,
    amount_unit,
    key_parts
from {{ ref('event_types') }}
