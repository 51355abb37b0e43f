{#- timestamp_utc(text): a varchar 'YYYY-MM-DD HH:MM:SS UTC' as timestamp with time zone of microseconds;
    DuckDB knows no precision, Trino's default is milliseconds. -#}
{% macro timestamp_utc(text) %}{{ return(adapter.dispatch('timestamp_utc', 'openimpact')(text)) }}{% endmacro %}
{% macro default__timestamp_utc(text) %}cast({{ text }} as timestamp(6) with time zone){% endmacro %}
{% macro duckdb__timestamp_utc(text) %}cast({{ text }} as timestamp with time zone){% endmacro %}
