{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('day')) }}",
    properties={'partitioning': "ARRAY['month(day)']"}
) }}
-- Required, fully and partly covered (repository, family, day) triples of an entity up to each day, so that a
-- window's counts are two differences. n repositories born on b1..bn need n * (d + 1) - sum(b) days up to day d.
with

calendar as (

    select * from {{ ref('met_days') }}

),

edge as (

    select min(day_no) as first_day_no from calendar

),

-- an entity's first day of this build: what lies before stays as it was built
entities as (

    select distinct
        members.entity_level,
        members.entity_id,
        case
            when whole.entity_id is not null then edge.first_day_no
            else greatest(date_diff('day', date '1970-01-01', {{ rebuild_day() }}), edge.first_day_no)
        end as first_day_no

    from {{ ref('met_entities') }} as members
    cross join edge
    left join {{ ref('met_rebuild') }} as whole
        on members.entity_id = whole.entity_id

),

births as (

    select
        entities.entity_level,
        entities.entity_id,
        greatest(date_diff('day', date '1970-01-01', members.born_on), entities.first_day_no) as day_no,
        count(*) as born,
        sum(date_diff('day', date '1970-01-01', members.born_on)) as born_sum

    from {{ ref('met_entities') }} as members
    inner join entities
        on members.entity_level = entities.entity_level and members.entity_id = entities.entity_id
    group by 1, 2, 3

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
    inner join calendar
        on entities.first_day_no <= calendar.day_no
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

-- of several providers the best counts: full < part in order of text
own_days as (

    select
        artifact_id,
        family,
        day,
        min(status) as status

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
        from {{ ref('int_coverage__github_api_days') }}
        where status = 'full'
    ) as own
    group by
        artifact_id,
        family,
        day

),

-- a repository's own row replaces that of the whole archive
exceptions as (

    select
        entities.entity_level,
        entities.entity_id,
        families.coverage_set,
        own_days.day,
        count_if(own_days.status = 'full') - count_if(whole.status = 'full') as full_families,
        count_if(own_days.status = 'part') - count_if(whole.status = 'part') as part_families

    from own_days
    inner join {{ ref('met_entities') }} as entities
        on own_days.artifact_id = entities.artifact_id and own_days.day >= entities.born_on
    inner join {{ ref('metric_families') }} as families
        on own_days.family = families.family
    inner join sets
        on families.coverage_set = sets.coverage_set
    left join {{ ref('int_coverage__days') }} as whole
        on own_days.family = whole.family and own_days.day = whole.day and whole.artifact_id is null
    where own_days.day <= sets.as_of and {{ rebuilt_metrics('own_days.day', 'entities.entity_id') }}
    group by
        entities.entity_level,
        entities.entity_id,
        families.coverage_set,
        own_days.day

),

daily as (

    select
        alive.entity_level,
        alive.entity_id,
        sets.coverage_set,
        alive.day,
        sets.family_count * (alive.member_count * (alive.day_no + 1) - alive.born_sum) as required,
        coalesce(seen.full_families, 0) * alive.member_count + coalesce(exceptions.full_families, 0) as full_count,
        coalesce(seen.part_families, 0) * alive.member_count + coalesce(exceptions.part_families, 0) as part_count

    from alive
    cross join sets
    left join seen
        on sets.coverage_set = seen.coverage_set and alive.day = seen.day
    left join exceptions
        on
            alive.entity_level = exceptions.entity_level
            and alive.entity_id = exceptions.entity_id
            and sets.coverage_set = exceptions.coverage_set
            and alive.day = exceptions.day

),

-- what the days before the rebuilt ones add up to
built as (
    {% if is_incremental() %}
    select
        entity_id,
        coverage_set,
        full_count,
        part_count
    from {{ this }}
    where day = {{ rebuild_day(back=1) }}
    {% else %}
    select
        cast(null as varchar) as entity_id,
        cast(null as varchar) as coverage_set,
        cast(null as bigint) as full_count,
        cast(null as bigint) as part_count
    where false
    {% endif %}
)

select
    daily.entity_level,
    daily.entity_id,
    daily.coverage_set,
    daily.day,
    cast(daily.required as bigint) as required,
    coalesce(built.full_count, 0) + cast(sum(daily.full_count) over (
        partition by daily.entity_id, daily.coverage_set order by daily.day
        rows between unbounded preceding and current row
    ) as bigint) as full_count,
    coalesce(built.part_count, 0) + cast(sum(daily.part_count) over (
        partition by daily.entity_id, daily.coverage_set order by daily.day
        rows between unbounded preceding and current row
    ) as bigint) as part_count
from daily
left join built
    on daily.entity_id = built.entity_id and daily.coverage_set = built.coverage_set
