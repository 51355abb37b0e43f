{#- median_over(timeline, days): a query of series_no, day_no of each mark and, as amount, the exact median (double, null
    of none) of the `days` days up to it, of the query `timeline` of series_no, day_no, is_mark and, as amount, a bigint
    (null of a mark). DuckDB walks a frame with a null in it row by row: a mark lies at both far ends there, which leaves
    the median as it is. Trino has no exact median and aggregates each frame anew: it does so once a day, not once a case. -#}
{% macro median_over(timeline, days) %}{{ return(adapter.dispatch("median_over", "openimpact")(timeline, days)) }}{% endmacro %}

{% macro duckdb__median_over(timeline, days) -%}
    select series_no, day_no, case when case_count > 0 then middle end as amount
    from (
        select series_no, day_no, far_end,
            median(coalesce(amount, far_end)) over frame as middle,
            count(amount) over frame as case_count
        from ({{ timeline }}) as cases
        left join (values (-4611686018427387904), (4611686018427387904)) as far_ends (far_end)
            on is_mark
        window frame as (
            partition by series_no order by day_no range between {{ days - 1 }} preceding and current row
        )
    ) as frames
    where far_end > 0
{%- endmacro %}

{% macro trino__median_over(timeline, days) -%}
    select series_no, day_no,
        (element_at(amounts, greatest((1 + cardinality(amounts)) / 2, 1)) + element_at(amounts, greatest((2 + cardinality(amounts)) / 2, 1))) / 2e0 as amount
    from (
        select series_no, day_no, is_mark,
            array_sort(flatten(array_agg(amounts) over (
                partition by series_no order by day_no range between {{ days - 1 }} preceding and current row
            ))) as amounts
        from (
            select series_no, day_no, bool_or(is_mark) as is_mark,
                coalesce(array_agg(amount) filter (where amount is not null), cast(array[] as array(bigint))) as amounts
            from ({{ timeline }}) as cases
            group by series_no, day_no
        ) as each_day
    ) as frames
    where is_mark
{%- endmacro %}
