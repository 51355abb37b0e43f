with

catalogue as (

    select * from {{ ref('metric_catalogue') }}

)

select
    metrics.metric_id,
    metrics.metric,
    metrics.metric_source,
    metrics.window_name as "window",
    metrics.metric_source || '_' || metrics.metric || '_' || metrics.window_name as metric_name,
    catalogue.display_name,
    catalogue.definition,
    metrics.unit,
    catalogue.amount_type,
    metrics.row_class,
    split(catalogue.families, '|') as families,
    split('artifact|project|collection', '|') as levels,
    nullif(catalogue.oso_name, '') as oso_name,
    nullif(catalogue.differs, '') as differs,
    cast({{ metric_sql('metrics.metric', 'metrics.metric_source') }} as varchar) as sql,
    catalogue.owner,
    catalogue.since
from {{ ref('met_metrics') }} as metrics
inner join catalogue
    on metrics.metric = catalogue.metric and metrics.metric_kind = catalogue.metric_source
