{#- epoch_seconds(ts): whole seconds since 1970-01-01 UTC of a timestamp with time zone, bigint. -#}
{% macro epoch_seconds(ts) %}{{ return(adapter.dispatch('epoch_seconds', 'openimpact')(ts)) }}{% endmacro %}
{% macro default__epoch_seconds(ts) %}cast(floor(to_unixtime({{ ts }})) as bigint){% endmacro %}
{% macro duckdb__epoch_seconds(ts) %}cast(floor(epoch({{ ts }})) as bigint){% endmacro %}
