{#- utc_day(ts): the UTC date of a timestamp with time zone. -#}
{% macro utc_day(ts) %}cast({{ ts }} at time zone 'UTC' as date){% endmacro %}
