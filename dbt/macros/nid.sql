{#- nid(parts): the id of a thing, varchar of 32 hex digits: SHA-256 of "length:part," for every
    part, cut. `parts` are SQL expressions of type varchar; length counts code points. Null if a part is null. -#}
{% macro nid(parts) -%}
    {%- set texts = [] -%}
    {%- for part in parts -%}
        {%- do texts.append("cast(length(" ~ part ~ ") as varchar) || ':' || " ~ part ~ " || ','") -%}
    {%- endfor -%}
    {{ return(adapter.dispatch('nid', 'openimpact')(texts | join(" || "))) }}
{%- endmacro %}
{% macro default__nid(text) %}substr(lower(to_hex(sha256(to_utf8({{ text }})))), 1, 32){% endmacro %}
{% macro duckdb__nid(text) %}substr(sha256({{ text }}), 1, 32){% endmacro %}
