select
    {{ nid(["'collection'", "'OSS_DIRECTORY'", "'oso'", 'collection_name']) }} as collection_id,
    'OSS_DIRECTORY' as collection_source,
    'oso' as collection_namespace,
    collection_name,
    display_name,
    description
from {{ ref('stg_oss_directory__collections') }}
