-- The weights files of dbt/vectors, read by include/transform/vectors.py, which lets nothing but known names through.
select
    cast(null as varchar) as vector_id,
    cast(null as varchar) as vector_version,
    cast(null as varchar) as entities,
    cast(null as varchar) as window_name,
    cast(null as double) as p,
    cast(null as varchar) as transform,
    cast(null as double) as max_missing,
    cast(null as integer) as term_no,
    cast(null as varchar) as metric_source,
    cast(null as varchar) as metric,
    cast(null as varchar) as variant,
    cast(null as double) as weight
where false
{% for vector in told("vectors") -%}
{%- for part in vector.metrics -%}
{%- set part_no = loop.index0 -%}
{%- for variant, weight in vector.variants.items() if part.weight * weight > 0 -%}
union all
select
    '{{ vector.id }}', '{{ vector.version }}', '{{ vector.entities | replace("'", "''") }}', '{{ vector.window }}',
    cast('{{ vector.p }}' as double), '{{ vector.transform }}', cast('{{ vector.max_missing }}' as double),
    {{ 3 * part_no + loop.index0 }}, '{{ part.source }}', '{{ part.metric }}', '{{ variant }}',
    cast('{{ part.weight * weight }}' as double)
{% endfor -%}
{%- endfor -%}
{%- endfor %}
