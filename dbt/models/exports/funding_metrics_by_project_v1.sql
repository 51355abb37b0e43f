{% set columns = {
    'total_funding_received': ['funding_received_over_all_time', 'double'],
    'total_funding_spent': ['funding_spent_over_all_time', 'double'],
    'total_funding_fees': ['funding_fees_over_all_time', 'double'],
    'funding_net': ['funding_net_over_all_time', 'double'],
    'funding_received_30_days': ['funding_received_over_30_day_period', 'double'],
    'funding_received_90_days': ['funding_received_over_90_day_period', 'double'],
    'funding_received_180_days': ['funding_received_over_180_day_period', 'double'],
    'backer_count': ['backers_over_all_time', 'bigint'],
    'backer_count_180_days': ['backers_over_180_day_period', 'bigint'],
    'new_backer_count_180_days': ['new_backers_over_180_day_period', 'bigint'],
} %}
with

{{ project_numbers(columns, "newest.metric_source = 'OPEN_COLLECTIVE'") }},

-- days on which more came in than was given back
funded_days as (

    select
        entity_id as project_id,
        min(event_day) as first_day,
        max(event_day) as last_day

    from {{ ref('met_daily') }}
    where
        metric_source = 'OPEN_COLLECTIVE' and metric = 'funding_received' and entity_level = 'project' and amount > 0
    group by entity_id

)

select
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    projects.display_name,
    numbers.event_source,
    {% for column in columns -%}
    numbers.{{ column }},
    {% endfor -%}
    case when numbers.total_funding_received is not null then funded_days.first_day end as first_funding_date,
    case when numbers.total_funding_received is not null then funded_days.last_day end as last_funding_date,
    numbers.as_of,
    numbers.quality,
    numbers.coverage,
    {{ run_columns() }}
from numbers
inner join {{ ref('projects_v1') }} as projects
    on numbers.project_id = projects.project_id
left join funded_days
    on numbers.project_id = funded_days.project_id
