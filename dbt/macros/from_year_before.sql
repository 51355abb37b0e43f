{#- from_year_before(day, entity_id): SQL condition: what the windows that this build computes anew may need of daily
    rows: whole entities, else the days from the start of the year before the first on. -#}
{% macro from_year_before(day, entity_id="entity_id") %}
    {%- set year_before = previous_period("year", period_start("year", rebuild_day())) -%}
    {{- rebuilt(day, year_before, entity_id, "select entity_id from " ~ ref("met_rebuild")) -}}
{% endmacro %}
