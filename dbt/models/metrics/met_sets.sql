-- In metrics that need traces, a chain without them counts as none for its transactions too.
with

families as (

    select
        families.coverage_set,
        case
            when families.family = 'transactions' and traced.family is not null then 'traced_transactions'
            else families.family
        end as family

    from {{ ref('metric_families') }} as families
    left join {{ ref('metric_families') }} as traced
        on families.coverage_set = traced.coverage_set and traced.family = 'traces'

)

select
    coverage_set,
    count(*) as family_count,
{% for family in coverage_families() -%}
max(case family when '{{ family }}' then 1 else 0 end) as has_{{ family }}{{ ',' if not loop.last }}
{% endfor %}
from families
group by coverage_set
