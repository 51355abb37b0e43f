{#- window_quality(windows): CTEs ending in `judged` = the rows of relation `windows` with quality ok | partial | unknown
    and coverage = full / required. `windows` has member_source, entity_level, entity_id, coverage_set, as_of, first_day,
    last_day, previous_first_day, needs_previous, first_ever. First-ever metrics need every day since birth; those that
    compare need the window before too, and are unknown when either window alone is. Days after as_of count as none. -#}
{% macro window_quality(windows) %}
{%- set families = coverage_families() -%}
{%- set key -%}
w.member_source = {0}.member_source and w.entity_id = {0}.entity_id
{%- endset -%}
-- metrics of the same families and window are judged once
distinct_windows as (

    select distinct
        member_source,
        entity_id,
        coverage_set,
        last_day,
        case when last_day <= as_of then last_day else as_of end as seen_day,
        {{ plus_days('first_day', -1) }} as eve,
        {{ plus_days('previous_first_day', -1) }} as previous_eve
    from {{ windows }}

),

counted as (

    select
        w.member_source,
        w.entity_id,
        w.coverage_set,
        w.last_day,
        w.seen_day,
        w.eve,
        w.previous_eve,
        sets.family_count * at_end.required as required_end,
        sets.family_count * coalesce(at_eve.required, 0) as required_start,
        sets.family_count * coalesce(at_past.required, 0) as required_past,
        {% for column, at in [('end', 'at_seen'), ('start', 'at_eve'), ('past', 'at_past')] -%}
        {% for kind in ['full', 'part'] -%}
        {% for family in families -%}
        {{ ' + ' if not loop.first }}sets.has_{{ family }} * coalesce({{ at }}.{{ kind }}_{{ family }}, 0)
        {%- endfor %} as {{ kind }}_{{ column }}{{ ',' if not (loop.last and column == 'past') }}
        {% endfor -%}
        {% endfor %}
    from distinct_windows as w
    inner join {{ ref('met_sets') }} as sets
        on w.coverage_set = sets.coverage_set
    inner join {{ ref('met_coverage') }} as at_end
        on {{ key.replace('{0}', 'at_end') }} and w.last_day = at_end.day
    left join {{ ref('met_coverage') }} as at_seen
        on {{ key.replace('{0}', 'at_seen') }} and w.seen_day = at_seen.day
    left join {{ ref('met_coverage') }} as at_eve
        on {{ key.replace('{0}', 'at_eve') }} and w.eve = at_eve.day
    left join {{ ref('met_coverage') }} as at_past
        on {{ key.replace('{0}', 'at_past') }} and w.previous_eve = at_past.day

),

differences as (

    select
        w.*,
        c.required_end - case when w.first_ever then 0 when w.needs_previous then c.required_past else c.required_start end
            as n_required,
        c.full_end - case when w.first_ever then 0 when w.needs_previous then c.full_past else c.full_start end as n_full,
        c.required_end - c.required_start as own_required,
        c.full_end + c.part_end - c.full_start - c.part_start as own_seen,
        c.required_start - c.required_past as past_required,
        c.full_start + c.part_start - c.full_past - c.part_past as past_seen
    from {{ windows }} as w
    inner join counted as c
        on
            w.member_source = c.member_source
            and w.entity_id = c.entity_id
            and w.coverage_set = c.coverage_set
            and w.last_day = c.last_day
            and case when w.last_day <= w.as_of then w.last_day else w.as_of end is not distinct from c.seen_day
            and {{ plus_days('w.first_day', -1) }} is not distinct from c.eve
            and {{ plus_days('w.previous_first_day', -1) }} is not distinct from c.previous_eve

),

judged as (

    select
        *,
        case when n_required = 0 then 1e0 else cast(n_full as double) / n_required end as coverage,
        case
            when own_required > 0 and own_seen = 0 then 'unknown'
            when needs_previous and past_required > 0 and past_seen = 0 then 'unknown'
            when n_full = n_required then 'ok'
            else 'partial'
        end as quality
    from differences

)
{% endmacro %}
