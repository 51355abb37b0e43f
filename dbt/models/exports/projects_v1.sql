select
    {{ nid(["'project'", "'OSS_DIRECTORY'", "'oso'", 'project_name']) }} as project_id,
    'OSS_DIRECTORY' as project_source,
    'oso' as project_namespace,
    project_name,
    display_name,
    description,
    websites,
    sha as directory_sha
from {{ ref('stg_oss_directory__projects') }}
