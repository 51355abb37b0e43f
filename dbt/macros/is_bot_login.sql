{#- is_bot_login(login): true for a login ending in [bot] or listed in seed bots; null login -> false. -#}
{% macro is_bot_login(login) -%}
    (coalesce(lower({{ login }}) like '%[bot]', false) or coalesce(lower({{ login }}) in (select login from {{ ref('bots') }}), false))
{%- endmacro %}
