select
    names.oso_metric_id as metric_id,
    'OSO' as metric_source,
    'oso' as metric_namespace,
    metrics.metric_source || '_' || names.oso_metric || '_' || metrics."window" as metric_name,
    metrics.display_name,
    metrics.definition as description,
    array[metrics.sql] as rendered_sql,
    'dbt/macros/metric_sql.sql' as sql_source_path,
    'UNKNOWN' as aggregation_function
from {{ ref('metrics_v1') }} as metrics
inner join {{ oso_names() }} as names
    on metrics.metric_id = names.metric_id
