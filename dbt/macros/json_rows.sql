{#- json_rows(fields, position): aggregate: the text of a JSON array with an object for every row, in the order of
    `position`. `fields` maps each name to [SQL expression, type]. -#}
{% macro json_rows(fields, position) %}{{ return(adapter.dispatch('json_rows', 'openimpact')(fields, position)) }}{% endmacro %}
{% macro default__json_rows(fields, position) -%}
    {%- set values, types = [], [] -%}
    {%- for name, (value, type) in fields.items() -%}
        {%- do values.append(value) -%}
        {%- do types.append(name ~ " " ~ type) -%}
    {%- endfor -%}
    json_format(cast(array_agg(cast(row({{ values | join(", ") }}) as row({{ types | join(", ") }})) order by {{ position }}) as json))
{%- endmacro %}
{% macro duckdb__json_rows(fields, position) -%}
    {%- set values = [] -%}
    {%- for name, (value, type) in fields.items() -%}
        {%- do values.append(name ~ " := cast(" ~ value ~ " as " ~ type ~ ")") -%}
    {%- endfor -%}
    cast(to_json(array_agg(struct_pack({{ values | join(", ") }}) order by {{ position }})) as varchar)
{%- endmacro %}
