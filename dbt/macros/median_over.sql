{#- median_over(timeline, days): a query of metric, metric_source, entity_level, entity_id, day_no, is_mark and, as amount, the
    exact median (double, null of none) of the `days` days up to day_no, of the query `timeline` with the same columns and
    amounts as bigint. Trino has no exact median and aggregates each frame anew: it does so once a day, not once a case. -#}
{% macro median_over(timeline, days) %}{{ return(adapter.dispatch("median_over", "openimpact")(timeline, days)) }}{% endmacro %}

{% macro duckdb__median_over(timeline, days) -%}
    select metric, metric_source, entity_level, entity_id, day_no, is_mark,
        median(amount) over (
            partition by metric, metric_source, entity_level, entity_id order by day_no
            range between {{ days - 1 }} preceding and current row
        ) as amount
    from ({{ timeline }}) as cases
{%- endmacro %}

{% macro trino__median_over(timeline, days) -%}
    select metric, metric_source, entity_level, entity_id, day_no, is_mark,
        (element_at(amounts, greatest((1 + cardinality(amounts)) / 2, 1)) + element_at(amounts, greatest((2 + cardinality(amounts)) / 2, 1))) / 2e0 as amount
    from (
        select metric, metric_source, entity_level, entity_id, day_no, is_mark,
            array_sort(flatten(array_agg(amounts) over (
                partition by metric, metric_source, entity_level, entity_id order by day_no
                range between {{ days - 1 }} preceding and current row
            ))) as amounts
        from (
            select metric, metric_source, entity_level, entity_id, day_no, bool_or(is_mark) as is_mark,
                coalesce(array_agg(amount) filter (where amount is not null), cast(array[] as array(bigint))) as amounts
            from ({{ timeline }}) as cases
            group by metric, metric_source, entity_level, entity_id, day_no
        ) as each_day
    ) as frames
{%- endmacro %}
