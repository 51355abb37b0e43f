-- Which calendar windows a day lies in.
{% for window_name, period in [('daily', 'day'), ('weekly', 'week'), ('monthly', 'month'), ('quarterly', 'quarter'), ('yearly', 'year')] -%}
{%- set start = period_start(period, 'day') -%}
select
    '{{ window_name }}' as window_name,
    day,
    {{ start }} as sample_date,
    {{ next_period(period, start) }} as next_date,
    {{ previous_period(period, start) }} as previous_date,
    {{ previous_period(period, period_start(period, rebuild_day())) }} as window_before
from {{ ref('met_days') }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
