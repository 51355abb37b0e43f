{% set columns = {
    'active_contract_count_90_days': ['active_contracts_over_90_day_period', 'bigint'],
    'transaction_count': ['transactions_over_all_time', 'bigint'],
    'transaction_count_6_months': ['transactions_over_180_day_period', 'bigint'],
    'gas_fees_sum': ['gas_fees_over_all_time', 'double'],
    'gas_fees_sum_6_months': ['gas_fees_over_180_day_period', 'double'],
    'address_count': ['active_addresses_over_all_time', 'bigint'],
    'address_count_90_days': ['active_addresses_over_90_day_period', 'bigint'],
    'new_address_count_90_days': ['new_addresses_over_90_day_period', 'bigint'],
    'returning_address_count_90_days': ['returning_addresses_over_90_day_period', 'bigint'],
    'failed_transaction_share_90_days': ['failed_transaction_share_over_90_day_period', 'double'],
    'contracts_deployed': ['contracts_deployed_over_all_time', 'bigint'],
} %}
{% set on_one_chain -%}
    newest.metric_source in (select upper(network) from {{ ref('networks') }})
{%- endset %}
with

{{ project_numbers(columns, on_one_chain) }},

spans as (

    select
        metric_source as event_source,
        as_of as last_day,
        {{ plus_days('as_of', -89) }} as first_day

    from {{ ref('met_metrics') }}
    where
        metric = 'active_addresses' and window_name = 'over_90_day_period'
        and metric_source in (select upper(network) from {{ ref('networks') }})

),

callers as (

    select
        spans.event_source,
        entities.entity_id as project_id,
        days.actor_id,
        sum(days.event_count) as transaction_count

    from {{ ref('int_activity__actor_days') }} as days
    inner join {{ ref('met_entities') }} as entities
        on days.artifact_id = entities.artifact_id and entities.entity_level = 'project'
    inner join spans
        on
            entities.member_source = spans.event_source
            and days.event_day between spans.first_day and spans.last_day
    where
        days.event_type = 'CONTRACT_INVOCATION'
        and days.event_day >= (select min(spans.first_day) from spans)
    group by
        spans.event_source,
        entities.entity_id,
        days.actor_id

),

shared as (

    select
        *,
        count(*) over (partition by event_source, actor_id) as project_count

    from callers

),

addresses as (

    select
        event_source,
        project_id,
        count(case when transaction_count >= 1000 then 1 end) as high_activity_address_count,
        count(case when transaction_count between 10 and 999 then 1 end) as medium_activity_address_count,
        count(case when transaction_count < 10 then 1 end) as low_activity_address_count,
        count(case when project_count > 1 then 1 end) as multi_project_address_count

    from shared
    group by
        event_source,
        project_id

),

first_days as (

    select
        metric_source as event_source,
        entity_id as project_id,
        min(event_day) as first_day

    from {{ ref('met_daily') }}
    where metric = 'transactions' and entity_level = 'project'
    group by
        metric_source,
        entity_id

)

select
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    projects.display_name,
    numbers.event_source,
    case
        when numbers.transaction_count is not null then date_diff('day', first_days.first_day, spans.last_day)
    end as days_since_first_transaction,
    numbers.active_contract_count_90_days,
    numbers.transaction_count,
    numbers.transaction_count_6_months,
    numbers.gas_fees_sum,
    numbers.gas_fees_sum_6_months,
    numbers.address_count,
    numbers.address_count_90_days,
    numbers.new_address_count_90_days,
    numbers.returning_address_count_90_days,
    {% for column in ['high_activity_address_count', 'medium_activity_address_count', 'low_activity_address_count',
        'multi_project_address_count'] -%}
    case
        when numbers.address_count_90_days is not null then coalesce(addresses.{{ column }}, 0)
    end as {{ column }}_90_days,
    {% endfor -%}
    numbers.failed_transaction_share_90_days,
    numbers.contracts_deployed,
    numbers.as_of,
    numbers.quality,
    numbers.coverage,
    {{ run_columns() }}
from numbers
inner join {{ ref('projects_v1') }} as projects
    on numbers.project_id = projects.project_id
left join spans
    on numbers.event_source = spans.event_source
left join addresses
    on numbers.event_source = addresses.event_source and numbers.project_id = addresses.project_id
left join first_days
    on numbers.event_source = first_days.event_source and numbers.project_id = first_days.project_id
