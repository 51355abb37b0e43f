{#- at_utc(day): midnight UTC of a date, timestamp with time zone. -#}
{% macro at_utc(day) %}{{ timestamp_utc("cast(" ~ day ~ " as varchar) || ' 00:00:00 UTC'") }}{% endmacro %}
