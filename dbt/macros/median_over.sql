{#- median_over(amount, frame): the exact median of the known amounts (bigint) of a window frame, as double; null if there
    are none. Trino has no exact one: it sorts the frame, nulls last. -#}
{% macro median_over(amount, frame) %}{{ return(adapter.dispatch("median_over", "openimpact")(amount, frame)) }}{% endmacro %}

{% macro duckdb__median_over(amount, frame) %}median({{ amount }}) over ({{ frame }}){% endmacro %}

{% macro trino__median_over(amount, frame) -%}
    {%- set sorted = "array_sort(array_agg(" ~ amount ~ ") over (" ~ frame ~ "))" -%}
    {%- set known = "count(" ~ amount ~ ") over (" ~ frame ~ ")" -%}
    (element_at({{ sorted }}, greatest((1 + {{ known }}) / 2, 1)) + element_at({{ sorted }}, greatest((2 + {{ known }}) / 2, 1))) / 2e0
{%- endmacro %}
