{#- days(first, last): a list to join, `cross join {{ days(a, b) }} as d (day)`, of the dates first..last, both SQL dates; at most 10,000 days (Trino's limit of a sequence). -#}
{% macro days(first, last) %}{{ return(adapter.dispatch('days', 'openimpact')(first, last)) }}{% endmacro %}
{% macro default__days(first, last) -%}
    unnest(sequence({{ first }}, {{ last }}, interval '1' day))
{%- endmacro %}
{% macro duckdb__days(first, last) -%}
    unnest(cast(generate_series({{ first }}, {{ last }}, interval '1' day) as date[]))
{%- endmacro %}
