{#- run_columns(): the two columns that say when and by which run a row was computed. -#}
{% macro run_columns() -%}
    {{ timestamp_utc("'" ~ told("computed_at") ~ " UTC'") }} as computed_at,
    cast('{{ told("run_id") }}' as varchar) as run_id
{%- endmacro %}
