{#- artifact_source(): the source name of a directory entry from its columns kind and network, varchar, upper case. -#}
{% macro artifact_source() -%}
    (case when kind = 'blockchain' then upper(coalesce(nullif(network, ''), 'ANY_EVM')) when kind in ('github_repo', 'github_owner') then 'GITHUB' else upper(kind) end)
{%- endmacro %}
