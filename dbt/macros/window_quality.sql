{#- window_quality(windows): CTEs ending in `judged` = the rows of relation `windows` with quality ok | partial | unknown
    and coverage = full / required. `windows` has member_source, entity_level, entity_id, coverage_set, first_day, last_day,
    previous_first_day, needs_previous, first_ever. First-ever metrics need every day since birth; those that
    compare need the window before too, and are unknown when either window alone is. -#}
{% macro window_quality(windows) %}
{%- set keys -%}
w.member_source = {0}.member_source and w.entity_level = {0}.entity_level and w.entity_id = {0}.entity_id and w.coverage_set = {0}.coverage_set
{%- endset %}
counted as (

    select
        w.*,
        at_end.required as required_end,
        at_end.full_count as full_end,
        at_end.part_count as part_end,
        at_start.required as required_start,
        at_start.full_count as full_start,
        at_start.part_count as part_start,
        at_past.required as required_past,
        at_past.full_count as full_past,
        at_past.part_count as part_past
    from {{ windows }} as w
    inner join {{ ref('met_coverage') }} as at_end
        on {{ keys.replace('{0}', 'at_end') }} and w.last_day = at_end.day
    left join {{ ref('met_coverage') }} as at_start
        on {{ keys.replace('{0}', 'at_start') }} and {{ plus_days('w.first_day', -1) }} = at_start.day
    left join {{ ref('met_coverage') }} as at_past
        on {{ keys.replace('{0}', 'at_past') }} and {{ plus_days('w.previous_first_day', -1) }} = at_past.day

),

differences as (

    select
        *,
        required_end - case when first_ever then 0 when needs_previous then coalesce(required_past, 0) else coalesce(required_start, 0) end as n_required,
        full_end - case when first_ever then 0 when needs_previous then coalesce(full_past, 0) else coalesce(full_start, 0) end as n_full,
        part_end - case when first_ever then 0 when needs_previous then coalesce(part_past, 0) else coalesce(part_start, 0) end as n_part,
        required_end - coalesce(required_start, 0) as own_required,
        full_end + part_end - coalesce(full_start, 0) - coalesce(part_start, 0) as own_seen,
        coalesce(required_start, 0) - coalesce(required_past, 0) as past_required,
        coalesce(full_start, 0) + coalesce(part_start, 0) - coalesce(full_past, 0) - coalesce(part_past, 0) as past_seen
    from counted

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
