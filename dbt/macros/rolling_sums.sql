{#- rolling_sums(relation, keys, sums): CTEs ending in `rolled` = for each of `keys`, length_days 30, 90 and 180 and
    sample_date that this build computes anew, the `sums` (names of bigint columns) over the days that end on it; no row
    where the last of `sums` is 0. `relation` has one row per keys and day_no, complete from 180 days before the first
    sample_date on; keys hold entity_id. -#}
{% macro rolling_sums(relation, keys, sums) %}
{%- set keyed = keys | join(', ') -%}
{%- set epoch = "date '1970-01-01'" %}
changes as (

    select
        {{ keyed }},
        lengths.length_days,
        d.day_no + edges.lengths_later * lengths.length_days as day_no,
        {% for name in sums %}sum(edges.sign * d.{{ name }}) as {{ name }}{{ ", " if not loop.last }}{% endfor %}

    from {{ relation }} as d
    cross join (values (30), (90), (180)) as lengths (length_days)
    cross join (values (0, 1), (1, -1)) as edges (lengths_later, sign)
    group by {{ keyed }}, lengths.length_days, d.day_no + edges.lengths_later * lengths.length_days

),

running as (

    select
        {{ keyed }},
        length_days,
        day_no,
        {% for name in sums -%}
        cast(sum({{ name }}) over (
            partition by {{ keyed }}, length_days order by day_no
            rows between unbounded preceding and current row
        ) as bigint) as {{ name }},
        {% endfor -%}
        lead(day_no) over (partition by {{ keyed }}, length_days order by day_no) as next_day_no

    from changes

),

last_day as (

    select date_diff('day', date '1970-01-01', max(as_of)) as day_no from {{ ref('met_metrics') }}

),

pieces as (

    select
        running.*,
        least(running.next_day_no - 1, last_day.day_no) as last_day_no

    from running
    cross join last_day
    where running.{{ sums[-1] }} <> 0 and running.day_no <= last_day.day_no

),

rolled as (

    select
        {{ keyed }},
        pieces.length_days,
        'over_' || cast(pieces.length_days as varchar) || '_day_period' as window_name,
        sample.day as sample_date,
        {% for name in sums %}pieces.{{ name }}{{ ", " if not loop.last }}{% endfor %}

    from pieces
    cross join {{ days(plus_days(epoch, 'pieces.day_no'), plus_days(epoch, 'pieces.last_day_no')) }} as sample (day)
    where {{ rebuilt_metrics('sample.day') }}

)
{% endmacro %}
{#- booked_on(day_no, length_days, entity_id): the day_no on which a change of a rolling sum counts in a build of what
    changed. Such a build needs the sum on the days that it computes and on their eve, and, for what compares a window
    with the one before, on those days a length earlier. All changes between two such days may count on the later one. -#}
{% macro booked_on(day_no, length_days, entity_id) -%}
    {%- if not is_partial() or not execute -%}{{ return(day_no) }}{%- endif -%}
    {%- set whole = "select entity_id from " ~ ref("met_rebuild") -%}
    {%- set eve = "date_diff('day', date '1970-01-01', " ~ rebuild_day(back=1) ~ ")" -%}
    case
        {% if run_query("select 1 from (" ~ whole ~ ") as w limit 1").rows | length -%}
        when {{ entity_id }} in ({{ whole }}) then {{ day_no }}
        {% endif -%}
        when {{ day_no }} >= {{ eve }} then {{ day_no }}
        when {{ day_no }} > {{ last_day_no() }} - {{ length_days }} then {{ eve }}
        else greatest({{ day_no }}, {{ eve }} - {{ length_days }})
    end
{%- endmacro %}

{#- until_last_day(day_no): SQL condition of a build of what changed: no metric is computed for a later day. -#}
{% macro until_last_day(day_no) -%}
    {{- day_no ~ " <= " ~ last_day_no() if is_partial() else "true" -}}
{%- endmacro %}

{#- last_day_no(): the day_no of the last day that any metric is computed for, as a number; 0 where there is none. -#}
{% macro last_day_no() -%}
    {%- set last = "select coalesce(date_diff('day', date '1970-01-01', max(as_of)), 0) from " ~ ref("met_metrics") -%}
    {{- run_query(last).rows[0][0] if execute else 0 -}}
{%- endmacro %}
