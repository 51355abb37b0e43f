{#- project_numbers(columns, condition, event_source, more): CTEs ending in `numbers` = one row per project_id and
    event_source with `columns` and, over all that they are made of, as_of (earliest), quality (worst) and coverage
    (lowest). `columns` is {name: [key metric and window joined by _, type, amount | previous_amount]}; a key metric
    that nobody measures leaves its column null and is not judged. `condition` and `event_source` are SQL of relation
    `newest`, the key metrics; CTE `more` adds numbers with the columns of `graded`. -#}
{% macro project_numbers(columns, condition, event_source="newest.metric_source", more=none) %}
{%- set names = columns.values() | map("first") | unique | join("', '") %}
graded as (

    select
        newest.entity_id as project_id,
        {{ event_source }} as event_source,
        newest.metric || '_' || newest.window_name as name,
        newest.amount,
        newest.previous_amount,
        metrics.as_of,
        newest.quality,
        newest.coverage
    from {{ ref('met_key') }} as newest
    inner join {{ ref('met_metrics') }} as metrics
        on newest.metric_id = metrics.metric_id
    where newest.entity_level = 'project' and {{ condition }}
    {% if more %}
    union all
    select project_id, event_source, name, amount, previous_amount, as_of, quality, coverage
    from {{ more }}
    {% endif %}
),

numbers as (

    select
        project_id,
        event_source,
        {% for column, spec in columns.items() -%}
        cast(
            max(case when name = '{{ spec[0] }}' then {{ spec[2] | default('amount') }} end) as {{ spec[1] }}
        ) as {{ column }},
        {% endfor -%}
        min(as_of) as as_of,
        case
            when max(as_of) is null then 'unknown'
            else {{ worst_quality('case when as_of is not null then quality end') }}
        end as quality,
        coalesce(min(case when as_of is not null then coverage end), 0e0) as coverage
    from graded
    where name in ('{{ names }}')
    group by
        project_id,
        event_source

)
{% endmacro %}
{#- worst_quality(quality): an aggregate: unknown before partial before ok. -#}
{% macro worst_quality(quality) -%}
    case max(case {{ quality }} when 'unknown' then 2 when 'partial' then 1 else 0 end)
        when 2 then 'unknown' when 1 then 'partial' else 'ok'
    end
{%- endmacro %}
