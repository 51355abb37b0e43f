{#- period_start(period, day): first date of the calendar period that holds `day`; period is day, week (Monday), month, quarter or year. -#}
{% macro period_start(period, day) %}cast(date_trunc('{{ period }}', {{ day }}) as date){% endmacro %}
{#- next_period(period, start): first date of the following period. -#}
{% macro next_period(period, start) -%}
    {%- set step = {'day': "interval '1' day", 'week': "interval '7' day", 'month': "interval '1' month", 'quarter': "interval '3' month", 'year': "interval '1' year"}[period] -%}
    cast({{ start }} + {{ step }} as date)
{%- endmacro %}
{% macro previous_period(period, start) -%}
    {%- set step = {'day': "interval '1' day", 'week': "interval '7' day", 'month': "interval '1' month", 'quarter': "interval '3' month", 'year': "interval '1' year"}[period] -%}
    cast({{ start }} - {{ step }} as date)
{%- endmacro %}
