{#- wei_to_coin(wei): a varchar of decimal digits in wei as coins, decimal(38,18), exact; null for null and for 10^20 coins
    or more. -#}
{% macro wei_to_coin(wei) -%}
    {%- set padded = "lpad(" ~ wei ~ ", cast(greatest(length(" ~ wei ~ "), 19) as integer), '0')" -%}
    try_cast(substr({{ padded }}, 1, length({{ padded }}) - 18) || '.' || substr({{ padded }}, length({{ padded }}) - 17) as decimal(38, 18))
{%- endmacro %}
