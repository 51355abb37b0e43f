{#- oso_names(): a relation of every metric_id of metrics_v1 with the metric's name and id in the tables that keep OSO's
    form: its own, and where OSO knew the metric by another name also that one. -#}
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
        ('active_addresses', 'active_addresses_aggregation'),
        ('new_addresses', 'new_users'),
        ('returning_addresses', 'returning_users'),
        ('gas_fees_amortized', 'layer2_gas_fees_amortized'),
        ('time_to_merge_avg', 'avg_prs_time_to_merge'),
        ('time_to_first_response_avg', 'avg_time_to_first_response'),
        ('dependents', 'dependencies')
    ) as aliases (metric, oso_metric)
        on metrics.metric = aliases.metric
)
{%- endmacro %}
