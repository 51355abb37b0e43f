{#- export_oso_series(level), export_oso_key(level): the published rows of one entity level in the form that OSO gave
    them. Only tables can be released, so a copy is made; the series by month, like those they are taken from. -#}
{% macro export_oso_series(level) %}
{{ export_config("rebuilt_oso_series('" ~ level ~ "_id')", "sample_date") }}
select
    names.oso_metric_id as metric_id,
    series.{{ level }}_id,
    series.sample_date,
    series.amount,
    series.unit
from {{ ref('timeseries_metrics_by_' ~ level ~ '_v1') }} as series
inner join {{ oso_names() }} as names
    on series.metric_id = names.metric_id
{% if is_incremental() %}
where {{ rebuilt_oso_series('series.' ~ level ~ '_id') }}
{% endif %}
{% endmacro %}
{% macro export_oso_key(level) %}
select
    names.oso_metric_id as metric_id,
    newest.{{ level }}_id,
    newest.sample_date,
    newest.amount,
    newest.unit
from {{ ref('key_metrics_by_' ~ level ~ '_v1') }} as newest
inner join {{ oso_names() }} as names
    on newest.metric_id = names.metric_id
where newest."window" = 'over_all_time' and newest.amount is not null
{% endmacro %}
{#- rebuilt_oso_series(entity_id): SQL condition of rows without a window's name: from the first day of any window that
    holds one of the days that this build computes anew. -#}
{% macro rebuilt_oso_series(entity_id) %}
    {%- set first_day = period_start("year", period_start("week", rebuild_day())) -%}
    {{- rebuilt("sample_date", first_day, entity_id, "select entity_id from " ~ ref("met_rebuild")) -}}
{% endmacro %}
