{#- never_null(since): the columns that the model's contract calls not_null hold no null; a view's contract cannot see to
    that. With `since`, the name of a date or timestamp, a build of some days looks at the rows that are not before them. -#}
{% test never_null(model, since) %}
{%- set node = graph.nodes.values() | selectattr("name", "equalto", model.identifier) | first if execute else {"columns": {}} -%}
{%- set conditions = [] -%}
{%- for column in node.columns.values() if column.constraints -%}
    {%- do conditions.append('"' ~ column.name ~ '" is null') -%}
{%- endfor -%}
select * from {{ model }}
where ({{ conditions | join(' or ') or 'false' }})
    {% if is_partial() %}and {{ since }} >= {{ rebuild_day() }}{% endif %}
{% endtest %}
