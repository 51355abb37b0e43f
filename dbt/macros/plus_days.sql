{#- plus_days(day, n): the date n days later; n is a SQL integer expression, negative for earlier. -#}
{% macro plus_days(day, n) %}cast({{ day }} + ({{ n }}) * interval '1' day as date){% endmacro %}
