{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('day')) }}",
    properties={'partitioning': "ARRAY['month(day)']"}
) }}
-- Required, fully and partly covered (artifact, family, day) triples of an entity up to each day, so that a window's
-- counts are two differences. n artifacts born on b1..bn need n * (d + 1) - sum(b) days up to day d.
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
        coalesce(date_diff('day', date '1970-01-01', members.born_on), 0) as born_no,
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
        greatest(members.born_no, entities.first_day_no) as day_no,
        count(*) as born,
        sum(members.born_no) as born_sum

    from members
    inner join entities
        on
            members.member_source = entities.member_source
            and members.entity_level = entities.entity_level
            and members.entity_id = entities.entity_id
            and members.artifact_source = entities.artifact_source
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

sets as (

    select
        metrics.member_source,
        metrics.coverage_set,
        metrics.as_of,
        count(distinct families.family) as family_count

    from {{ ref('met_metrics') }} as metrics
    inner join {{ ref('metric_families') }} as families
        on metrics.coverage_set = families.coverage_set
    group by
        metrics.member_source,
        metrics.coverage_set,
        metrics.as_of

),

-- a chain that lacks one family of a set counts as none for it
lacking as (

    select distinct
        sources.source,
        families.coverage_set

    from (select distinct source from {{ ref('int_coverage__as_of') }}) as sources
    cross join {{ ref('metric_families') }} as families
    left join {{ ref('int_coverage__as_of') }} as known
        on sources.source = known.source and families.family = known.family
    where known.family is null and sources.source in (select upper(network) from {{ ref('networks') }})

),

-- of several providers the best counts
whole_days as (

    select
        source,
        family,
        day,
        case max(case status when 'full' then 2 else 1 end) when 2 then 'full' else 'part' end as status

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
    ) as whole
    group by
        source,
        family,
        day

),

seen as (

    select
        whole_days.source,
        families.coverage_set,
        whole_days.day,
        count_if(coalesce(whole_days.status, 'none') = 'full') as full_families,
        count_if(coalesce(whole_days.status, 'none') = 'part') as part_families

    from whole_days
    inner join {{ ref('metric_families') }} as families
        on whole_days.family = families.family
    left join lacking
        on whole_days.source = lacking.source and families.coverage_set = lacking.coverage_set
    where lacking.source is null
    group by
        whole_days.source,
        families.coverage_set,
        whole_days.day

),

own_days as (

    select
        artifact_id,
        family,
        day,
        case max(case status when 'full' then 2 when 'part' then 1 else 0 end)
            when 2 then 'full' when 1 then 'part' else 'none'
        end as status

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
exceptions as (

    select
        members.member_source,
        members.entity_level,
        members.entity_id,
        sets.coverage_set,
        own_days.day,
        count_if(own_days.status = 'full') - count_if(coalesce(whole_days.status, 'none') = 'full') as full_families,
        count_if(own_days.status = 'part') - count_if(coalesce(whole_days.status, 'none') = 'part') as part_families

    from own_days
    inner join members
        on
            own_days.artifact_id = members.artifact_id
            and date_diff('day', date '1970-01-01', own_days.day) >= members.born_no
    inner join {{ ref('metric_families') }} as families
        on own_days.family = families.family
    inner join sets
        on families.coverage_set = sets.coverage_set and members.member_source = sets.member_source
    left join whole_days
        on
            own_days.family = whole_days.family
            and own_days.day = whole_days.day
            and members.artifact_source = whole_days.source
    where own_days.day <= sets.as_of and {{ rebuilt_metrics('own_days.day', 'members.entity_id') }}
    group by
        members.member_source,
        members.entity_level,
        members.entity_id,
        sets.coverage_set,
        own_days.day

),

by_source as (

    select
        alive.member_source,
        alive.entity_level,
        alive.entity_id,
        sets.coverage_set,
        alive.day,
        cast(sum(sets.family_count * (alive.member_count * (alive.day_no + 1) - alive.born_sum)) as bigint) as required,
        cast(sum(coalesce(seen.full_families, 0) * alive.member_count) as bigint) as full_count,
        cast(sum(coalesce(seen.part_families, 0) * alive.member_count) as bigint) as part_count

    from alive
    inner join sets
        on alive.member_source = sets.member_source
    left join seen
        on
            alive.artifact_source = seen.source
            and sets.coverage_set = seen.coverage_set
            and alive.day = seen.day
            and sets.as_of >= seen.day
    group by
        alive.member_source,
        alive.entity_level,
        alive.entity_id,
        sets.coverage_set,
        alive.day

),

daily as (

    select
        by_source.member_source,
        by_source.entity_level,
        by_source.entity_id,
        by_source.coverage_set,
        by_source.day,
        by_source.required,
        by_source.full_count + coalesce(exceptions.full_families, 0) as full_count,
        by_source.part_count + coalesce(exceptions.part_families, 0) as part_count

    from by_source
    left join exceptions
        on
            by_source.member_source = exceptions.member_source
            and by_source.entity_level = exceptions.entity_level
            and by_source.entity_id = exceptions.entity_id
            and by_source.coverage_set = exceptions.coverage_set
            and by_source.day = exceptions.day

),

-- what the days before the rebuilt ones add up to
built as (
    {% if is_incremental() %}
    select
        member_source,
        entity_id,
        coverage_set,
        full_count,
        part_count
    from {{ this }}
    where day = {{ rebuild_day(back=1) }}
    {% else %}
    select
        cast(null as varchar) as member_source,
        cast(null as varchar) as entity_id,
        cast(null as varchar) as coverage_set,
        cast(null as bigint) as full_count,
        cast(null as bigint) as part_count
    where false
    {% endif %}
)

select
    daily.member_source,
    daily.entity_level,
    daily.entity_id,
    daily.coverage_set,
    daily.day,
    daily.required,
    coalesce(built.full_count, 0) + cast(sum(daily.full_count) over (
        partition by daily.member_source, daily.entity_id, daily.coverage_set order by daily.day
        rows between unbounded preceding and current row
    ) as bigint) as full_count,
    coalesce(built.part_count, 0) + cast(sum(daily.part_count) over (
        partition by daily.member_source, daily.entity_id, daily.coverage_set order by daily.day
        rows between unbounded preceding and current row
    ) as bigint) as part_count
from daily
left join built
    on
        daily.member_source = built.member_source
        and daily.entity_id = built.entity_id
        and daily.coverage_set = built.coverage_set
