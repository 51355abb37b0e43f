{#- ordered_sum(x, position): aggregate: the sum of doubles in the order of `position`, so that it has the same last bit
    in every run; x must not be null. -#}
{% macro ordered_sum(x, position) %}{{ return(adapter.dispatch('ordered_sum', 'openimpact')(x, position)) }}{% endmacro %}
{% macro default__ordered_sum(x, position) -%}
    reduce(array_agg({{ x }} order by {{ position }}), 0e0, (s, v) -> s + v, s -> s)
{%- endmacro %}
{% macro duckdb__ordered_sum(x, position) -%}
    list_reduce(array_agg({{ x }} order by {{ position }}), lambda s, v: s + v, 0e0)
{%- endmacro %}
