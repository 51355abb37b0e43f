{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('day')) }}",
    properties={'partitioning': "ARRAY['month(day)']"}
) }}
-- Artifact-days of an entity up to each day: those that must be covered, and by family those that are, fully or partly,
-- so that a window's counts are two differences. n artifacts born on b1..bn need n * (d + 1) - sum(b) days up to day d;
-- one that died counts the other way from its death on.
{% set families = coverage_families() %}
with

calendar as (

    select * from {{ ref('met_days') }}

),

edge as (

    select max(day_no) as day_no from calendar

),

-- a source that told nothing yet needs its newest day alone
members as (

    select
        members.member_source,
        members.entity_level,
        members.entity_id,
        members.artifact_id,
        members.artifact_source,
        members.died_on,
        coalesce(date_diff('day', date '1970-01-01', members.born_on), 0) as born_no,
        greatest(date_diff('day', date '1970-01-01', members.died_on), coalesce(date_diff('day', date '1970-01-01', members.born_on), 0)) as died_no,
        coalesce(date_diff('day', date '1970-01-01', starts.first_day), edge.day_no) as start_no

    from {{ ref('met_entities') }} as members
    cross join edge
    left join {{ ref('met_starts') }} as starts
        on members.artifact_source = starts.artifact_source

),

-- an entity's first day of this build: what lies before stays as it was built
entities as (

    select distinct
        members.member_source,
        members.entity_level,
        members.entity_id,
        members.artifact_source,
        case
            when whole.entity_id is not null then members.start_no
            else greatest(date_diff('day', date '1970-01-01', {{ rebuild_day() }}), members.start_no)
        end as first_day_no

    from members
    left join {{ ref('met_rebuild') }} as whole
        on members.entity_id = whole.entity_id

),

births as (

    select
        entities.member_source,
        entities.entity_level,
        entities.entity_id,
        entities.artifact_source,
        greatest(case ends.sign when 1 then members.born_no else members.died_no end, entities.first_day_no) as day_no,
        sum(ends.sign) as born,
        sum(ends.sign * case ends.sign when 1 then members.born_no else members.died_no end) as born_sum

    from members
    cross join (values (1), (-1)) as ends (sign)
    inner join entities
        on
            members.member_source = entities.member_source
            and members.entity_level = entities.entity_level
            and members.entity_id = entities.entity_id
            and members.artifact_source = entities.artifact_source
    where ends.sign = 1 or members.died_on is not null
    group by 1, 2, 3, 4, 5

),

alive as (

    select
        entities.member_source,
        entities.entity_level,
        entities.entity_id,
        entities.artifact_source,
        calendar.day,
        calendar.day_no,
        sum(coalesce(births.born, 0)) over (
            partition by entities.member_source, entities.entity_level, entities.entity_id, entities.artifact_source
            order by calendar.day_no rows between unbounded preceding and current row
        ) as member_count,
        sum(coalesce(births.born_sum, 0)) over (
            partition by entities.member_source, entities.entity_level, entities.entity_id, entities.artifact_source
            order by calendar.day_no rows between unbounded preceding and current row
        ) as born_sum

    from entities
    inner join calendar
        on entities.first_day_no <= calendar.day_no
    left join births
        on
            entities.member_source = births.member_source
            and entities.entity_level = births.entity_level
            and entities.entity_id = births.entity_id
            and entities.artifact_source = births.artifact_source
            and calendar.day_no = births.day_no

),

-- of several providers the best counts
whole_days as (

    select
        source,
        family,
        day,
        max(case status when 'full' then 2 else 1 end) as status

    from (
        select
            source,
            family,
            day,
            status
        from {{ ref('int_coverage__days') }}
        where artifact_id is null and status <> 'none'
        union all
        select
            source,
            family,
            day,
            status
        from {{ ref('int_coverage__entity_days') }}
        where artifact_id is null and status <> 'none'
        union all
        select
            source,
            'traced_transactions' as family,
            day,
            status
        from {{ ref('int_coverage__entity_days') }}
        where
            family = 'transactions' and status <> 'none'
            and source in (
                select source from {{ ref('int_coverage__as_of') }}
                where family = 'traces'
            )
    ) as whole
    group by
        source,
        family,
        day

),

seen as (

    select
        source,
        day,
    {% for family in families -%}
    max(case when family = '{{ family }}' and status = 2 then 1 else 0 end) as full_{{ family }},
    max(case when family = '{{ family }}' and status = 1 then 1 else 0 end) as part_{{ family }}{{ ',' if not loop.last }}
    {% endfor %}
    from whole_days
    group by
        source,
        day

),

own_days as (

    select
        artifact_id,
        family,
        day,
        max(case status when 'full' then 2 when 'part' then 1 else 0 end) as status

    from (
        select
            artifact_id,
            family,
            day,
            status
        from {{ ref('int_coverage__days') }}
        where artifact_id is not null
        union all
        select
            artifact_id,
            family,
            day,
            status
        from {{ ref('int_coverage__entity_days') }}
        where artifact_id is not null and status <> 'none'
        union all
        select
            spans.artifact_id,
            'versions' as family,
            calendar.day,
            'full' as status
        from {{ ref('int_coverage__npm_versions') }} as spans
        inner join calendar
            on spans.from_day <= calendar.day and spans.to_day >= calendar.day
    ) as own
    group by
        artifact_id,
        family,
        day

),

-- an artifact's own row replaces that of its whole source
replaced as (

    select
        members.member_source,
        members.entity_id,
        own_days.family,
        own_days.day,
        case own_days.status when 2 then 1 else 0 end - case whole_days.status when 2 then 1 else 0 end as full_change,
        case own_days.status when 1 then 1 else 0 end - case whole_days.status when 1 then 1 else 0 end as part_change

    from own_days
    inner join members
        on
            own_days.artifact_id = members.artifact_id
            and date_diff('day', date '1970-01-01', own_days.day) >= members.born_no
            and (members.died_on is null or date_diff('day', date '1970-01-01', own_days.day) < members.died_no)
    left join whole_days
        on
            own_days.family = whole_days.family
            and own_days.day = whole_days.day
            and members.artifact_source = whole_days.source
    where {{ rebuilt_metrics('own_days.day', 'members.entity_id') }}

),

exceptions as (

    select
        member_source,
        entity_id,
        day,
    {% for family in families -%}
    sum(case family when '{{ family }}' then full_change else 0 end) as full_{{ family }},
    sum(case family when '{{ family }}' then part_change else 0 end) as part_{{ family }}{{ ',' if not loop.last }}
    {% endfor %}
    from replaced
    group by
        member_source,
        entity_id,
        day

),

by_source as (

    select
        alive.member_source,
        alive.entity_level,
        alive.entity_id,
        alive.day,
        sum(alive.member_count * (alive.day_no + 1) - alive.born_sum) as required,
    {% for family in families -%}
    sum(coalesce(seen.full_{{ family }}, 0) * alive.member_count) as full_{{ family }},
    sum(coalesce(seen.part_{{ family }}, 0) * alive.member_count) as part_{{ family }}{{ ',' if not loop.last }}
    {% endfor %}
    from alive
    left join seen
        on alive.artifact_source = seen.source and alive.day = seen.day
    group by
        alive.member_source,
        alive.entity_level,
        alive.entity_id,
        alive.day

),

-- what the days before the rebuilt ones add up to
built as (

    select
        {{ 'this.*' if is_incremental() else 'by_source.*' }}
    from {{ this ~ ' as this' if is_incremental() else 'by_source' }}
    where {{ 'this.day = ' ~ rebuild_day(back=1) if is_incremental() else 'false' }}

)

select
    by_source.member_source,
    by_source.entity_level,
    by_source.entity_id,
    by_source.day,
    cast(by_source.required as bigint) as required,
-- DuckDB sums doubles in a third of the time of integers, and counts below 2^53 are exact in both
{% for family in families -%}
{% for kind in ['full', 'part'] -%}
coalesce(built.{{ kind }}_{{ family }}, 0) + cast(sum(cast(by_source.{{ kind }}_{{ family }} + coalesce(exceptions.{{ kind }}_{{ family }}, 0) as double)) over (
    partition by by_source.member_source, by_source.entity_id order by by_source.day
    rows between unbounded preceding and current row
    ) as bigint) as {{ kind }}_{{ family }}{{ ',' if not (loop.last and family == families[-1]) }}
{% endfor -%}
{% endfor %}
from by_source
left join exceptions
    on
        by_source.member_source = exceptions.member_source
        and by_source.entity_id = exceptions.entity_id
        and by_source.day = exceptions.day
left join built
    on by_source.member_source = built.member_source and by_source.entity_id = built.entity_id
