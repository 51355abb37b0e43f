{#- converted_cents(cents, units_per_eur, usd_per_eur): hundredths of a currency in hundredths of USD, rounded half away
    from zero, exact, decimal(38, 0); null for null. `cents` is a whole number of at least 0, the rates are
    decimal(20, 8). DuckDB divides decimals as doubles; Trino rounds to the scale of its operands, half up. -#}
{% macro converted_cents(cents, units_per_eur, usd_per_eur) -%}
    {%- set whole = "cast({} * cast(100000000 as decimal(9, 0)) as decimal(19, 0))" -%}
    {{ return(adapter.dispatch('converted_cents', 'openimpact')(
        "cast(" ~ cents ~ " as decimal(19, 0)) * " ~ whole.format(usd_per_eur), whole.format(units_per_eur)
    )) }}
{%- endmacro %}
{% macro default__converted_cents(dividend, divisor) -%}
    cast({{ dividend }} as decimal(38, 0)) / cast({{ divisor }} as decimal(38, 0))
{%- endmacro %}
{% macro duckdb__converted_cents(dividend, divisor) -%}
    cast(
        (2 * cast({{ dividend }} as hugeint) + cast({{ divisor }} as hugeint)) // (2 * cast({{ divisor }} as hugeint))
        as decimal(38, 0)
    )
{%- endmacro %}
