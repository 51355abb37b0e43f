-- Required, fully and partly covered (repository, family, day) triples of an entity up to each day, so that a
-- window's counts are two differences. n repositories born on b1..bn need n * (d + 1) - sum(b) days up to day d.
with

calendar as (

    select * from {{ ref('met_days') }}

),

edge as (

    select min(day_no) as first_day_no from calendar

),

births as (

    select
        entities.entity_level,
        entities.entity_id,
        greatest(date_diff('day', date '1970-01-01', entities.born_on), edge.first_day_no) as day_no,
        count(*) as born,
        sum(date_diff('day', date '1970-01-01', entities.born_on)) as born_sum

    from {{ ref('met_entities') }} as entities
    cross join edge
    group by 1, 2, 3

),

entities as (

    select distinct
        entity_level,
        entity_id

    from {{ ref('met_entities') }}

),

alive as (

    select
        entities.entity_level,
        entities.entity_id,
        calendar.day,
        calendar.day_no,
        sum(coalesce(births.born, 0)) over (
            partition by entities.entity_level, entities.entity_id order by calendar.day_no
            rows between unbounded preceding and current row
        ) as member_count,
        sum(coalesce(births.born_sum, 0)) over (
            partition by entities.entity_level, entities.entity_id order by calendar.day_no
            rows between unbounded preceding and current row
        ) as born_sum

    from entities
    cross join calendar
    left join births
        on
            entities.entity_level = births.entity_level
            and entities.entity_id = births.entity_id
            and calendar.day_no = births.day_no

),

sets as (

    select
        families.coverage_set,
        count(*) as family_count,
        max(case when families.family = 'commits' then 1 else 0 end) as has_commits,
        min(known.as_of) as as_of

    from {{ ref('metric_families') }} as families
    left join {{ ref('int_coverage__as_of') }} as known
        on families.family = known.family
    group by families.coverage_set

),

seen as (

    select
        families.coverage_set,
        coverage.day,
        count_if(coverage.status = 'full') as full_families,
        count_if(coverage.status = 'part') as part_families

    from {{ ref('int_coverage__days') }} as coverage
    inner join {{ ref('metric_families') }} as families
        on coverage.family = families.family
    inner join sets
        on families.coverage_set = sets.coverage_set
    where coverage.artifact_id is null and coverage.day <= sets.as_of
    group by
        families.coverage_set,
        coverage.day

),

exceptions as (

    select
        entities.entity_level,
        entities.entity_id,
        coverage.day,
        count(*) as repositories

    from {{ ref('int_coverage__days') }} as coverage
    inner join {{ ref('met_entities') }} as entities
        on coverage.artifact_id = entities.artifact_id
    group by
        entities.entity_level,
        entities.entity_id,
        coverage.day

),

daily as (

    select
        alive.entity_level,
        alive.entity_id,
        sets.coverage_set,
        alive.day,
        sets.family_count * (alive.member_count * (alive.day_no + 1) - alive.born_sum) as required,
        coalesce(seen.full_families, 0) * alive.member_count
        - case when seen.day is null then 0 else sets.has_commits * coalesce(exceptions.repositories, 0) end as full_count,
        coalesce(seen.part_families, 0) * alive.member_count
        + case when seen.day is null then 0 else sets.has_commits * coalesce(exceptions.repositories, 0) end as part_count

    from alive
    cross join sets
    left join seen
        on sets.coverage_set = seen.coverage_set and alive.day = seen.day
    left join exceptions
        on
            alive.entity_level = exceptions.entity_level
            and alive.entity_id = exceptions.entity_id
            and alive.day = exceptions.day

)

select
    entity_level,
    entity_id,
    coverage_set,
    day,
    cast(required as bigint) as required,
    cast(sum(full_count) over (
        partition by entity_level, entity_id, coverage_set order by day
        rows between unbounded preceding and current row
    ) as bigint) as full_count,
    cast(sum(part_count) over (
        partition by entity_level, entity_id, coverage_set order by day
        rows between unbounded preceding and current row
    ) as bigint) as part_count
from daily
