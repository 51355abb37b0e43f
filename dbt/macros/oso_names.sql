{#- oso_names(): a relation of every metric_id of metrics_v1 with the metric's name and id in the tables that keep OSO's
    form: its own, and for two metrics also the name that OSO knew them by. -#}
{% macro oso_names() -%}
(
    select
        metric_id,
        metric as oso_metric,
        metric_id as oso_metric_id
    from {{ ref('metrics_v1') }}
    union all
    select
        metrics.metric_id,
        aliases.oso_metric,
        {{ nid(["'metric'", 'metrics.metric_source', 'aliases.oso_metric', 'metrics."window"']) }} as oso_metric_id
    from {{ ref('metrics_v1') }} as metrics
    inner join (
        values
        ('contributors', 'active_contributors'),
        ('active_addresses', 'active_addresses_aggregation')
    ) as aliases (metric, oso_metric)
        on metrics.metric = aliases.metric
)
{%- endmacro %}
