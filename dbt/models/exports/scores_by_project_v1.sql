with

terms as (

    select * from {{ ref('met_vectors') }}

),

vectors as (

    select distinct
        vector_id,
        entities

    from terms

),

entities as (

    select
        vectors.vector_id,
        projects.project_id

    from vectors
    inner join {{ ref('projects_v1') }} as projects
        on vectors.entities = 'all'

    union all

    select
        vectors.vector_id,
        members.project_id

    from vectors
    inner join {{ ref('projects_by_collection_v1') }} as members
        on vectors.entities = members.collection_name
    where vectors.entities <> 'all'

),

found as (

    select * from {{ ref('met_vector_values') }}

),

-- who has no artifact of a source did nothing there
amounts as (

    select
        terms.*,
        entities.project_id,
        found.sample_date,
        case when found.project_id is null then 0e0 else found.amount end as amount,
        case when found.project_id is null then 0e0 else found.previous_amount end as previous_amount

    from entities
    inner join terms
        on entities.vector_id = terms.vector_id
    left join found
        on
            terms.metric_source = found.metric_source
            and terms.metric = found.metric
            and terms.window_name = found.window_name
            and entities.project_id = found.project_id

),

-- null where an amount is
signed as (

    select
        *,
        case
            when variant = 'adoption' then amount
            when variant = 'growth' then amount - previous_amount
            when amount <= previous_amount then amount
            when previous_amount < amount then previous_amount
        end as gain

    from amounts

),

-- the logarithm is multiplied by what is lost of a small amount where 1 is added to it
transformed as (

    select
        *,
        case
            when gain <= 0 then 0e0
            when transform = 'none' or 1e0 + gain = 1e0 then gain
            else ln(1e0 + gain) * (gain / (1e0 + gain - 1e0))
        end as x

    from signed

),

ranged as (

    select
        *,
        min(x) over (partition by vector_id, term_no) as low,
        max(x) over (partition by vector_id, term_no) as high

    from transformed

),

normalised as (

    select
        *,
        case
            when high > low then (x - low) / (high - low)
            when x > 0 then 1e0
            when x is not null then 0e0
        end as n

    from ranged

),

summed as (

    select
        vector_id,
        vector_version,
        window_name,
        p,
        max_missing,
        project_id,
        {{ ordered_sum('coalesce(weight * power(n, p), 0e0)', 'term_no') }} as total,
        {{ ordered_sum('case when n is null then 0e0 else weight end', 'term_no') }} as known_weight,
        {{ ordered_sum('case when n is null then weight else 0e0 end', 'term_no') }} as missing_weight,
        {{ ordered_sum('weight', 'term_no') }} as all_weight,
        {{ json_rows({
            'metric': ['metric', 'varchar'],
            'source': ['metric_source', 'varchar'],
            'variant': ['variant', 'varchar'],
            'x': ['x', 'double'],
            'n': ['n', 'double'],
            'weight': ['weight', 'double'],
        }, 'term_no') }} as components

    from normalised
    group by
        vector_id,
        vector_version,
        window_name,
        p,
        max_missing,
        project_id

),

-- a share that is as great as allowed may come out a last bit greater
scored as (

    select
        *,
        missing_weight / all_weight as missing_share,
        case
            when known_weight > 0 and missing_weight / all_weight <= max_missing + 1e-12
                then power(total / known_weight, 1e0 / p)
        end as score

    from summed

),

wholes as (

    select
        vector_id,
        {{ ordered_sum('coalesce(score, 0e0)', 'project_id') }} as score

    from scored
    group by vector_id

),

reached as (

    select
        vector_id,
        min(sample_date) as sample_date

    from amounts
    group by vector_id

)

select
    scored.vector_id,
    scored.vector_version,
    scored.project_id,
    scored.window_name as "window",
    coalesce(
        reached.sample_date, {{ plus_days('date \'' ~ told("run_day") ~ '\'', -1) }}
    ) as sample_date,
    scored.score,
    case
        when wholes.score > 0 then scored.score / wholes.score
        when scored.score is not null then 0e0
    end as share,
    -- equal but for the last bits is equal
    case
        when scored.score is not null
            then rank() over (partition by scored.vector_id order by round(scored.score, 14) desc nulls last)
    end as rank,
    scored.missing_share,
    scored.components,
    {{ run_columns() }}
from scored
inner join wholes
    on scored.vector_id = wholes.vector_id
inner join reached
    on scored.vector_id = reached.vector_id
