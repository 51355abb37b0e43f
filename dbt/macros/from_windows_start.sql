{#- from_windows_start(day, entity_id): SQL condition: what the windows that this build computes anew may need of daily
    rows: whole entities, else the days from the start of the running year or of the longest rolling window on, and the
    day before. -#}
{% macro from_windows_start(day, entity_id="entity_id") %}
    {%- set start = "least(" ~ plus_days(period_start("year", rebuild_day()), -1) ~ ", " ~ rebuild_day(back=181) ~ ")" -%}
    {{- rebuilt(day, start, entity_id, "select entity_id from " ~ ref("met_rebuild")) -}}
{% endmacro %}
