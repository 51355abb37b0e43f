{#- days(first, last): a relation d(day) of the dates first..last, both SQL dates; at most 10,000 days (Trino's limit of a sequence). -#}
{% macro days(first, last) %}{{ return(adapter.dispatch('days', 'openimpact')(first, last)) }}{% endmacro %}
{% macro default__days(first, last) -%}
    (select x.day from unnest(sequence({{ first }}, {{ last }}, interval '1' day)) as x (day))
{%- endmacro %}
{% macro duckdb__days(first, last) -%}
    (select cast(x.day as date) as day from unnest(generate_series({{ first }}, {{ last }}, interval '1' day)) as x (day))
{%- endmacro %}
